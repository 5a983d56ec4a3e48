#include "process.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace sallyport {

Result<Ended> WaitPid(pid_t pid, bool noHang) noexcept {
  int status = 0;
  rusage used{};
  const pid_t got = Retry([&] { return wait4(pid, &status, noHang ? WNOHANG : 0, &used); });
  if (got < 0) return FailedAs<Ended>("wait4");
  Result<Ended> ended;
  if (got == 0) return ended;
  ended.value.pid = got;
  ended.value.exited = WIFEXITED(status);
  ended.value.status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  ended.value.coreDumped = WIFSIGNALED(status) && WCOREDUMP(status);
  ended.value.cpuUs = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec +
                      used.ru_stime.tv_usec;
  return ended;
}

Result<bool> Kill(pid_t pid, int signal) noexcept {
  if (kill(pid, signal) == 0) return {true};
  if (errno == ESRCH) return {false};
  return FailedAs<bool>("kill");
}

Result<int> OpenPidFd(pid_t pid) noexcept {
  const long fd = syscall(SYS_pidfd_open, pid, 0U);
  if (fd < 0) return FailedAs<int>("pidfd_open");
  return {static_cast<int>(fd)};
}

Result<bool> SignalByPidFd(int pidFd, int signal) noexcept {
  if (syscall(SYS_pidfd_send_signal, pidFd, signal, nullptr, 0U) == 0) return {true};
  if (errno == ESRCH) return {false};
  return FailedAs<bool>("pidfd_send_signal");
}

static int64_t NowMs() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

Status WaitReadable(std::vector<pollfd> &fds, int timeoutMs) noexcept {
  const int64_t end = NowMs() + timeoutMs;
  int left = timeoutMs;
  while (poll(fds.data(), fds.size(), left) < 0) {
    if (errno != EINTR) return Failed("poll");
    if (timeoutMs < 0) continue;
    const int64_t rest = end - NowMs();
    left = rest > 0 ? static_cast<int>(rest) : 0;
  }
  return Done();
}

Status SetLimitOf(const LimitOf &target, int resource, uint64_t soft, uint64_t hard) noexcept {
  constexpr uid_t kSame = static_cast<uid_t>(-1);
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  // Raw calls: glibc's wrappers would signal other threads. Effective ids stay, so the capabilities do too.
  if (syscall(SYS_setresgid, target.gid, kSame, kSame) < 0) return Failed("setresgid");
  Status limited = Done();
  if (syscall(SYS_setresuid, target.uid, kSame, kSame) < 0) {
    limited = Failed("setresuid");
  } else {
    const rlimit64 limit{soft, hard};
    const auto which = static_cast<__rlimit_resource>(resource);
    if (prlimit64(target.pid, which, &limit, nullptr) < 0) limited = Failed("prlimit");
  }
  // Going on under somebody else's real ids would be worse than dying.
  if (syscall(SYS_setresuid, uid, kSame, kSame) < 0 || syscall(SYS_setresgid, gid, kSame, kSame) < 0 ||
      getuid() != uid || getgid() != gid)
    abort();
  return limited;
}

TitleArea FindTitleArea() noexcept {
  const UniqueFd stat(open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  if (!stat.Open()) return {};
  char text[2048];
  const ssize_t length = Retry([&] { return read(stat.Get(), text, sizeof text - 1); });
  if (length <= 0) return {};
  text[length] = '\0';
  // The name in brackets may hold anything; fields are counted from its end. proc_pid_stat(5): 48 is arg_start, 49 arg_end.
  const char *at = strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 48; field += 1) at = strchr(at + 1, ' ');
  if (at == nullptr) return {};
  char *next = nullptr;
  const uintptr_t start = strtoull(at, &next, 10);
  const uintptr_t end = strtoull(next, nullptr, 10);
  if (start == 0 || end <= start + 1) return {};
  // Our own initial stack, by the kernel's word: no object of C++ owns it.
  return {reinterpret_cast<char *>(start), end - start}; // NOLINT(performance-no-int-to-ptr)
}

void SetTitle(const TitleArea &area, const std::string &title, bool withName) noexcept {
  if (area.start != nullptr) {
    // The last byte stays NUL: else the kernel takes the environment for a part of the title.
    const size_t length = title.size() < area.length - 1 ? title.size() : area.length - 1;
    memcpy(area.start, title.data(), length);
    memset(area.start + length, 0, area.length - length);
  }
  if (withName) prctl(PR_SET_NAME, title.substr(0, 15).c_str());
}

} // namespace sallyport
