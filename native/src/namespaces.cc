#include "namespaces.h"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "descriptors.h"

namespace sallyport {
namespace {

using Errors = std::array<int, kNamespaces>;
constexpr size_t kMount = 1; // its place in the list below

std::array<Namespace, kNamespaces> Wanted() noexcept {
  return {{{"net", CLONE_NEWNET},
           {"mnt", CLONE_NEWNS},
           {"ipc", CLONE_NEWIPC},
           {"uts", CLONE_NEWUTS},
           {"cgroup", CLONE_NEWCGROUP}}};
}

/// In the child, in its own mount namespace: an empty tmpfs becomes the root and everything else goes. 0, or an errno.
int EmptyTheRoot() noexcept {
  constexpr unsigned long kHarmless = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  // Without this, what we mount would appear outside.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return errno;
  // Any directory that exists will do as the place, and /proc does: it was needed to get here.
  if (mount("none", "/proc", "tmpfs", kHarmless, "size=4k,nr_inodes=2,mode=0555") < 0) return errno;
  if (chdir("/proc") < 0) return errno;
  // With both arguments "." the old root lies under the new one, with no directory needed for it: pivot_root(2).
  if (syscall(SYS_pivot_root, ".", ".") < 0) return errno;
  if (umount2(".", MNT_DETACH) < 0) return errno;
  if (chdir("/") < 0) return errno;
  if (mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY | kHarmless, "size=4k,nr_inodes=2,mode=0555") < 0) return errno;
  return 0;
}

/// The child of a possibly threaded process: system calls only. Ends with it, having said the errors and waited to be seen.
[[noreturn]] void Child(int report, int wait) noexcept {
  Errors errors{};
  const auto wanted = Wanted();
  for (size_t i = 0; i < kNamespaces; i += 1) {
    if (unshare(wanted[i].flag) < 0) errors[i] = errno;
  }
  if (errors[kMount] == 0) errors[kMount] = EmptyTheRoot();
  if (Retry([&] { return write(report, &errors, sizeof errors); }) != sizeof errors) _exit(1);
  char byte = 0;
  Retry([&] { return read(wait, &byte, 1); });
  _exit(0);
}

} // namespace

Result<std::array<Namespace, kNamespaces>> MakeNamespaces() noexcept {
  using Answer = std::array<Namespace, kNamespaces>;
  const auto reports = Pipe();
  if (!reports.ok()) return {{}, reports.error, reports.call};
  const UniqueFd reader(reports.value.first);
  UniqueFd writer(reports.value.second);
  const auto waits = Pipe();
  if (!waits.ok()) return {{}, waits.error, waits.call};
  UniqueFd waitEnd(waits.value.first);
  UniqueFd holdEnd(waits.value.second);
  // Not fork(): its handlers would run libuv's and V8's code in a child that has neither.
  const auto pid = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0UL));
  if (pid < 0) return FailedAs<Answer>("clone");
  if (pid == 0) {
    holdEnd.Reset(-1); // else it waits for itself
    Child(writer.Get(), waitEnd.Get());
  }
  writer.Reset(-1);
  waitEnd.Reset(-1);
  Errors errors{};
  const bool heard = Retry([&] { return read(reader.Get(), &errors, sizeof errors); }) == sizeof errors;
  Answer answer = Wanted();
  for (size_t i = 0; heard && i < kNamespaces; i += 1) {
    answer[i].error = errors[i];
    if (errors[i] != 0) continue;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, answer[i].name);
    answer[i].fd = open(path, O_RDONLY | O_CLOEXEC);
    if (answer[i].fd < 0) answer[i].error = errno;
  }
  holdEnd.Reset(-1);
  Retry([&] { return waitpid(pid, nullptr, 0); });
  if (!heard) return {{}, EPIPE, "read"};
  return {answer};
}

} // namespace sallyport
