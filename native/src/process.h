// Waiting for processes, signalling them, their limits: wait4(2), pidfd_open(2), prlimit(2), poll(2).
#pragma once
#include <cstdint>
#include <poll.h>
#include <string>
#include <sys/types.h>
#include <vector>

#include "result.h"

namespace sallyport {

struct Ended {
  pid_t pid = 0; ///< 0: nothing has ended (only when told not to wait)
  bool exited = false;
  int status = 0; ///< exit status, or the signal
  bool coreDumped = false;
  int64_t cpuUs = 0;
};

Result<Ended> WaitPid(pid_t pid, bool noHang) noexcept;
/// False: no such process.
Result<bool> Kill(pid_t pid, int signal) noexcept;
/// Close-on-exec, the caller's.
Result<int> OpenPidFd(pid_t pid) noexcept;
Result<bool> SignalByPidFd(int pidFd, int signal) noexcept;
/// Fills `revents`; blocks the thread for up to `timeoutMs` (-1: for ever), signals notwithstanding.
Status WaitReadable(std::vector<pollfd> &fds, int timeoutMs) noexcept;

struct LimitOf {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};
/// Takes the target's ids as the calling thread's real ids for the moment of the call: prlimit(2) wants them equal, or
/// CAP_SYS_RESOURCE. Aborts when they cannot be taken back. Needs CAP_SETUID and CAP_SETGID. Single-threaded processes only.
Status SetLimitOf(const LimitOf &target, int resource, uint64_t soft, uint64_t hard) noexcept;

/// Where the kernel looks for what ps(1) shows. Found once, while /proc can be read.
struct TitleArea {
  char *start = nullptr;
  size_t length = 0;
};
TitleArea FindTitleArea() noexcept;
/// Overwrites argv (cut to its room) and the calling thread's name.
void SetTitle(const TitleArea &area, const std::string &title, bool withName) noexcept;

} // namespace sallyport
