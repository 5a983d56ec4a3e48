#include "descriptors.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace sallyport {

Result<ssize_t> Read(int fd, uint8_t *data, size_t length) noexcept {
  const ssize_t got = Retry([&] { return read(fd, data, length); });
  if (got >= 0) return {got};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {kWouldBlock};
  if (errno == EIO) return {0};
  return FailedAs<ssize_t>("read");
}

Result<ssize_t> Write(int fd, const uint8_t *data, size_t length) noexcept {
  const ssize_t put = Retry([&] { return write(fd, data, length); });
  if (put >= 0) return {put};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {kWouldBlock};
  return FailedAs<ssize_t>("write");
}

Status Close(int fd) noexcept {
  // Linux has released the descriptor even when it says EINTR: never retried.
  if (close(fd) == 0 || errno == EINTR) return Done();
  return Failed("close");
}

Result<int> Duplicate(int fd) noexcept {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return FailedAs<int>("fcntl");
  return {copy};
}

Status SetNonBlocking(int fd, bool on) noexcept {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return Failed("fcntl");
  const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0) return Failed("fcntl");
  return Done();
}

Status SetCloseOnExec(int fd, bool on) noexcept {
  if (fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0) return Failed("fcntl");
  return Done();
}

Result<std::pair<int, int>> Pipe() noexcept {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return FailedAs<std::pair<int, int>>("pipe2");
  return {{ends[0], ends[1]}};
}

bool GrowPipe(int fd, int bytes) noexcept { return fcntl(fd, F_SETPIPE_SZ, bytes) >= 0; }

Result<int> Open(const char *path, int flags, mode_t mode) noexcept {
  const int fd = Retry([&] { return open(path, flags | O_CLOEXEC, mode); });
  if (fd < 0) return FailedAs<int>("open");
  return {fd};
}

Result<int> MemoryFile(const char *name, const uint8_t *data, size_t length) noexcept {
  UniqueFd file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.Open()) return FailedAs<int>("memfd_create");
  for (size_t done = 0; done < length;) {
    const auto put = Write(file.Get(), data + done, length - done);
    if (!put.ok()) return {{}, put.error, put.call};
    if (put.value <= 0) return {{}, ENOSPC, "write"};
    done += static_cast<size_t>(put.value);
  }
  if (lseek(file.Get(), 0, SEEK_SET) < 0) return FailedAs<int>("lseek");
  if (fcntl(file.Get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
    return FailedAs<int>("fcntl");
  return {file.Release()};
}

static Status CloseRange(unsigned first, unsigned last) noexcept {
  if (first > last) return Done();
  // glibc 2.34 has the wrapper; the number is the same everywhere.
  if (syscall(SYS_close_range, first, last, 0U) < 0) return Failed("close_range");
  return Done();
}

Status CloseAllExcept(std::vector<int> keep) noexcept {
  std::sort(keep.begin(), keep.end());
  unsigned next = 0;
  for (const int fd : keep) {
    const unsigned kept = static_cast<unsigned>(fd);
    if (kept < next) continue;
    if (kept > next) {
      const Status closed = CloseRange(next, kept - 1);
      if (!closed.ok()) return closed;
    }
    next = kept + 1;
  }
  return CloseRange(next, UINT_MAX);
}

Result<std::vector<int>> OpenDescriptors() noexcept {
  const std::unique_ptr<DIR, int (*)(DIR *)> directory(opendir("/proc/self/fd"), closedir);
  if (directory == nullptr) return FailedAs<std::vector<int>>("opendir");
  std::vector<int> fds;
  errno = 0;
  while (const dirent *entry = readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    const int fd = atoi(entry->d_name);
    if (fd != dirfd(directory.get())) fds.push_back(fd);
  }
  if (errno != 0) return FailedAs<std::vector<int>>("readdir");
  std::sort(fds.begin(), fds.end());
  return {fds};
}

} // namespace sallyport
