#include "pty.h"

#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

namespace sallyport {

Result<Pty> OpenPty() noexcept {
  UniqueFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!master.Open()) return FailedAs<Pty>("posix_openpt");
  if (grantpt(master.Get()) < 0) return FailedAs<Pty>("grantpt");
  if (unlockpt(master.Get()) < 0) return FailedAs<Pty>("unlockpt");
  Pty pty;
  const int error = ptsname_r(master.Get(), pty.name.data(), pty.name.size());
  if (error != 0) return {{}, error, "ptsname_r"};
  // By the master and not by name: right even where /dev/pts is another mount.
  UniqueFd slave(ioctl(master.Get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave.Open()) return FailedAs<Pty>("TIOCGPTPEER");
  const int flags = fcntl(master.Get(), F_GETFL);
  if (flags < 0 || fcntl(master.Get(), F_SETFL, flags | O_NONBLOCK) < 0) return FailedAs<Pty>("fcntl");
  pty.master = master.Release();
  pty.slave = slave.Release();
  return {pty};
}

Status SetWindowSize(int fd, uint16_t columns, uint16_t rows, uint16_t widthPixels, uint16_t heightPixels) noexcept {
  const winsize size{rows, columns, widthPixels, heightPixels};
  if (ioctl(fd, TIOCSWINSZ, &size) < 0) return Failed("TIOCSWINSZ");
  return Done();
}

pid_t ForegroundGroup(int fd) noexcept { return tcgetpgrp(fd); }

} // namespace sallyport
