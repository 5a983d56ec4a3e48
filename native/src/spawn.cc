#include "spawn.h"

#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <memory>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include "descriptors.h"

namespace sallyport {
namespace {

constexpr size_t kStackBytes = 64 * 1024;

struct Failure {
  int error;
  const char *call; ///< a literal: the child is a copy of this process, so the address means the same here
};

/// All that the child needs, made before it: it must not allocate, nor touch V8's heap, which V8 withholds from children.
struct ChildPlan {
  const SpawnPlan *plan;
  std::vector<char *> argv;
  std::vector<char *> env;
  std::vector<int> staged; ///< room for the descriptors on their way
  int report;
};

/// In the child. Raw calls for identity: where memory is shared, glibc's would signal the parent's threads.
bool TakeIdentity(const Identity &identity, Failure &failure) noexcept {
  const auto fail = [&](const char *call, int error) {
    failure = {error, call};
    return false;
  };
  if (syscall(SYS_setgroups, identity.groups.size(), identity.groups.data()) < 0) return fail("setgroups", errno);
  const gid_t gid = identity.gid;
  const uid_t uid = identity.uid;
  if (syscall(SYS_setresgid, gid, gid, gid) < 0) return fail("setresgid", errno);
  if (syscall(SYS_setresuid, uid, uid, uid) < 0) return fail("setresuid", errno);
  uid_t r = 0, e = 0, s = 0;
  if (getresgid(&r, &e, &s) < 0 || r != gid || e != gid || s != gid) return fail("setresgid", EPERM);
  if (getresuid(&r, &e, &s) < 0 || r != uid || e != uid || s != uid) return fail("setresuid", EPERM);
  if (uid != 0 && syscall(SYS_setresuid, 0, 0, 0) == 0) return fail("setresuid", EPERM);
  return true;
}

/// In the child: fds[i] to i, the report's end to just behind them, everything else closed.
bool PlaceDescriptors(ChildPlan &child, Failure &failure) noexcept {
  const int count = static_cast<int>(child.plan->fds.size());
  // First all of them out of the way, so that no dup2 overwrites one that is still wanted.
  const int report = fcntl(child.report, F_DUPFD_CLOEXEC, count + 1);
  if (report < 0) {
    failure = {errno, "fcntl"};
    return false;
  }
  child.report = report;
  for (size_t i = 0; i < child.staged.size(); i += 1) {
    child.staged[i] = fcntl(child.plan->fds[i], F_DUPFD_CLOEXEC, count + 1);
    if (child.staged[i] < 0) {
      failure = {errno, "fcntl"};
      return false;
    }
  }
  for (int i = 0; i < count; i += 1) {
    if (dup2(child.staged[static_cast<size_t>(i)], i) < 0) {
      failure = {errno, "dup2"};
      return false;
    }
  }
  if (dup3(report, count, O_CLOEXEC) < 0) {
    failure = {errno, "dup3"};
    return false;
  }
  child.report = count;
  if (syscall(SYS_close_range, static_cast<unsigned>(count) + 1, UINT_MAX, 0U) < 0) {
    failure = {errno, "close_range"};
    return false;
  }
  return true;
}

void ResetSignalHandlers() noexcept {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  // SIG_IGN would survive the exec: SIGPIPE above all.
  for (int signal = 1; signal < NSIG; signal += 1) {
    if (signal != SIGKILL && signal != SIGSTOP) sigaction(signal, &plain, nullptr);
  }
}

/// In the child, up to exec. Returns only when a step failed.
Failure Run(ChildPlan &child) noexcept {
  const SpawnPlan &plan = *child.plan;
  Failure failure{};
  ResetSignalHandlers();
  if (plan.newSession && setsid() < 0) return {errno, "setsid"};
  if (!PlaceDescriptors(child, failure)) return failure;
  if (plan.controllingTerminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0) return {errno, "TIOCSCTTY"};
  if (plan.identity && !TakeIdentity(*plan.identity, failure)) return failure;
  if (plan.mask) umask(*plan.mask);
  if (plan.cwd && chdir(plan.cwd->c_str()) < 0) return {errno, "chdir"};
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, nullptr) < 0) return {errno, "sigprocmask"};
  execve(plan.file.c_str(), child.argv.data(), child.env.data());
  return {errno, "execve"};
}

int ChildMain(void *argument) noexcept {
  ChildPlan &child = *static_cast<ChildPlan *>(argument);
  const Failure failure = Run(child);
  // A pipe takes so few bytes at once or not at all.
  [[maybe_unused]] const ssize_t put = write(child.report, &failure, sizeof failure);
  _exit(127);
}

std::vector<char *> Pointers(const std::vector<std::string> &texts) {
  std::vector<char *> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string &text : texts) pointers.push_back(const_cast<char *>(text.c_str())); // execve(2) only reads
  pointers.push_back(nullptr);
  return pointers;
}

} // namespace

Result<pid_t> Spawn(const SpawnPlan &plan) noexcept {
  const auto ends = Pipe();
  if (!ends.ok()) return {{}, ends.error, ends.call};
  const UniqueFd reader(ends.value.first);
  UniqueFd writer(ends.value.second);
  ChildPlan child{&plan, Pointers(plan.argv), Pointers(plan.env), std::vector<int>(plan.fds.size()), writer.Get()};
  void *stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return FailedAs<pid_t>("mmap");
#if defined(__SANITIZE_ADDRESS__)
  // An earlier child's frames are still marked, if its stack was here: it never returned from them.
  __asan_unpoison_memory_region(stack, kStackBytes);
#endif
  // Sharing memory until the exec spares copying the page tables of a whole runtime, milliseconds a time. Not where the
  // child takes another identity: nothing of ours should be in a process that its new owner may signal.
  const int flags = SIGCHLD | (plan.identity ? 0 : CLONE_VM | CLONE_VFORK);
  sigset_t all, before;
  sigfillset(&all);
  // A handler of ours must not run in the child, where it would write to our memory or our loop's pipe.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = clone(ChildMain, static_cast<char *>(stack) + kStackBytes, flags, &child);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  writer.Reset(-1);
  Result<pid_t> started{pid, pid < 0 ? error : 0, "clone"};
  if (pid >= 0) {
    Failure failure{};
    const ssize_t got = Retry([&] { return read(reader.Get(), &failure, sizeof failure); });
    if (got == static_cast<ssize_t>(sizeof failure)) {
      Retry([&] { return waitpid(pid, nullptr, 0); });
      started = {{}, failure.error, failure.call};
    }
  }
  munmap(stack, kStackBytes);
  return started;
}

} // namespace sallyport
