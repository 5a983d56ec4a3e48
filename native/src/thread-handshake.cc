#include "thread-handshake.h"

#include <array>
#include <atomic>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

#include "confine.h"
#include "fork.h"

namespace sallyport {
namespace {

constexpr int kSignal = 33; // glibc's SIGSETXID, which its headers keep to themselves
constexpr size_t kMaxThreads = 2048; // libuv's pool has at most 1024
constexpr long kPollNs = 50'000;

enum Phase : uint32_t { kGather, kFirstOnly, kEverybody, kLetGo };

struct Slot {
  std::atomic<pid_t> tid; ///< set once the thread has stopped
  std::atomic<bool> done;
  int error;
  const char *call;
};

/// What the handler shares with the caller. Static, because a signal that comes late must never find it freed.
struct Shared {
  std::atomic<bool> busy;
  std::atomic<int> epoch; ///< odd while a handshake runs; a signal of another epoch is ignored
  std::atomic<uint32_t> phase;
  std::atomic<uint32_t> stopped;
  const ThreadOperation *operation;
  std::array<Slot, kMaxThreads> slots;
};
Shared shared{};

/// As rt_sigaction(2) has it: glibc's sigaction() refuses this signal.
struct KernelAction {
  void (*handler)(int, siginfo_t *, void *);
  unsigned long flags;
  void (*restorer)();
  uint64_t mask;
};
KernelAction previous{};

#if defined(__x86_64__)
constexpr unsigned long kRestorerFlag = 0x04000000;
[[gnu::naked]] void ReturnFromHandler() { __asm__("movl $15, %eax\n\tsyscall"); } // rt_sigreturn
#else
constexpr unsigned long kRestorerFlag = 0;
void (*const ReturnFromHandler)() = nullptr; // the vDSO's
#endif

long Futex(std::atomic<uint32_t> &word, int operation, uint32_t value) noexcept {
  static_assert(sizeof word == sizeof(uint32_t));
  return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

Status Perform(const ThreadOperation &operation) noexcept {
  switch (operation.kind) {
  case ThreadOperation::Kind::NoNewPrivs: return SetNoNewPrivs();
  case ThreadOperation::Kind::Seccomp: return SetSeccompFilter(operation.program, operation.instructions);
  case ThreadOperation::Kind::Capabilities: return SetCapabilities(operation.permitted, operation.bounding);
  case ThreadOperation::Kind::Securebits: return SetSecurebits(operation.bits);
  case ThreadOperation::Kind::Landlock: return LandlockRestrict(operation.ruleset);
  }
  return Failed("handshake", EINVAL);
}

/// On the thread that was reached: system calls and atomics only.
void Handler(int signal, siginfo_t *info, void *context) {
  const int savedErrno = errno;
  const int epoch = shared.epoch.load();
  const bool ours = info->si_code == SI_QUEUE && info->si_pid == getpid();
  if (!ours) {
    // glibc's own use of the signal.
    if (previous.handler != nullptr) previous.handler(signal, info, context);
  } else if (epoch % 2 == 1 && info->si_value.sival_int == epoch) {
    const uint32_t index = shared.stopped.fetch_add(1);
    if (index < kMaxThreads) {
      Slot &slot = shared.slots[index];
      slot.tid.store(static_cast<pid_t>(syscall(SYS_gettid)));
      uint32_t phase = shared.phase.load();
      while (phase == kGather || (phase == kFirstOnly && index != 0)) {
        Futex(shared.phase, FUTEX_WAIT, phase);
        phase = shared.phase.load();
      }
      if (phase != kLetGo) {
        const Status status = Perform(*shared.operation);
        slot.error = status.error;
        slot.call = status.call;
      }
      slot.done.store(true); // no system call from here on but rt_sigreturn: the thread may have a filter now
    }
  }
  errno = savedErrno;
}

int64_t NowNs() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void Pause() noexcept {
  const timespec moment{0, kPollNs};
  nanosleep(&moment, nullptr);
}

void EnterPhase(Phase phase) noexcept {
  shared.phase.store(phase);
  Futex(shared.phase, FUTEX_WAKE, INT_MAX);
}

bool HasStopped(pid_t tid, uint32_t stopped) noexcept {
  for (uint32_t i = 0; i < stopped; i += 1) {
    if (shared.slots[i].tid.load() == tid) return true;
  }
  return false;
}

/// Calls `each(tid)` for every thread but the caller's, without malloc. Needs the directory /proc/self/task.
template <typename Each> Status EachOtherThread(int directory, pid_t self, Each each) noexcept {
  if (lseek(directory, 0, SEEK_SET) < 0) return Failed("lseek");
  alignas(dirent64) char entries[8192];
  for (;;) {
    const long got = syscall(SYS_getdents64, directory, entries, sizeof entries);
    if (got < 0) return Failed("getdents64");
    if (got == 0) return Done();
    for (long at = 0; at < got;) {
      const auto *entry = reinterpret_cast<const dirent64 *>(entries + at);
      at += entry->d_reclen;
      const pid_t tid = atoi(entry->d_name); // "." and ".." are 0
      if (tid != 0 && tid != self) each(tid);
    }
  }
}

class Handshake {
public:
  Handshake(const ThreadOperation &operation, int timeoutMs) noexcept
      : operation_(operation), timeoutNs_(timeoutMs * 1'000'000LL), deadline_(NowNs() + timeoutNs_) {}

  HandshakeOutcome Run() noexcept {
    const UniqueFd directory(open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.Open()) return {errno, "open", self_, true};
    shared.operation = &operation_;
    shared.stopped.store(0);
    shared.phase.store(kGather);
    for (Slot &slot : shared.slots) {
      slot.tid.store(0);
      slot.done.store(false);
      slot.error = 0;
    }
    epoch_ = shared.epoch.fetch_add(1) + 1;
    KernelAction action{Handler, SA_SIGINFO | SA_RESTART | kRestorerFlag, ReturnFromHandler, ~0ULL};
    KernelAction before{};
    if (syscall(SYS_rt_sigaction, kSignal, nullptr, &before, sizeof action.mask) < 0)
      return {errno, "rt_sigaction", self_, true};
    const bool installed = before.handler == Handler;
    if (!installed) previous = before;
    if (!installed && syscall(SYS_rt_sigaction, kSignal, &action, nullptr, sizeof action.mask) < 0)
      return {errno, "rt_sigaction", self_, true};
    const HandshakeOutcome outcome = InPhases(directory.Get());
    EnterPhase(kLetGo);
    shared.epoch.fetch_add(1);
    // A signal that is still to come would kill us by its default action; glibc's handler ignores one that it did not send.
    if (previous.handler != nullptr) syscall(SYS_rt_sigaction, kSignal, &previous, nullptr, sizeof action.mask);
    return outcome;
  }

private:
  HandshakeOutcome InPhases(int directory) noexcept {
    const HandshakeOutcome gathered = Gather(directory);
    if (gathered.error != 0) return gathered;
    // Who has stopped only waits for the processor: none of them is given up for the time that gathering took.
    deadline_ = NowNs() + timeoutNs_;
    const uint32_t others = shared.stopped.load();
    if (others > 0) {
      EnterPhase(kFirstOnly);
      HandshakeOutcome first = AwaitDone(0);
      if (first.error != 0) {
        first.unchanged = first.error != ETIMEDOUT;
        return first;
      }
      EnterPhase(kEverybody);
      for (uint32_t i = 1; i < others; i += 1) {
        const HandshakeOutcome other = AwaitDone(i);
        if (other.error != 0) return other;
      }
    }
    const Status own = Perform(operation_);
    return {own.error, own.call, self_, others == 0};
  }

  /// Until the kernel lists nobody who had not stopped before the list was begun.
  HandshakeOutcome Gather(int directory) noexcept {
    size_t signalled = 0;
    for (;;) {
      const uint32_t stopped = shared.stopped.load();
      pid_t missing = 0;
      Status sent = Done();
      const Status listed = EachOtherThread(directory, self_, [&](pid_t tid) {
        if (HasStopped(tid, stopped)) return;
        missing = tid;
        for (size_t i = 0; i < signalled; i += 1) {
          if (signalled_[i] == tid) return;
        }
        if (signalled == kMaxThreads) sent = Failed("handshake", E2BIG);
        else if (Signal(tid)) signalled_[signalled++] = tid;
      });
      if (!listed.ok()) return {listed.error, listed.call, self_, true};
      if (!sent.ok()) return {sent.error, sent.call, missing, true};
      if (missing == 0) return {};
      if (NowNs() > deadline_) return {ETIMEDOUT, "handshake", missing, true};
      Pause();
    }
  }

  /// False: not now (its queue is full), or never (it has ended): the next list tells.
  bool Signal(pid_t tid) const noexcept {
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = epoch_;
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, kSignal, &info) == 0;
  }

  HandshakeOutcome AwaitDone(uint32_t index) const noexcept {
    Slot &slot = shared.slots[index];
    while (!slot.done.load()) {
      if (NowNs() > deadline_) return {ETIMEDOUT, "handshake", slot.tid.load(), false};
      Pause();
    }
    return {slot.error, slot.call, slot.tid.load(), false};
  }

  const ThreadOperation &operation_;
  const int64_t timeoutNs_;
  int64_t deadline_;
  const pid_t self_ = static_cast<pid_t>(syscall(SYS_gettid));
  int epoch_ = 0;
  std::array<pid_t, kMaxThreads> signalled_{};
};

} // namespace

HandshakeOutcome RunOnEveryThread(const ThreadOperation &operation, int timeoutMs) noexcept {
  // unshare(2): changes nothing, and succeeds only where there is one thread. A confined process has no /proc to ask.
  bool alone = unshare(CLONE_THREAD) == 0;
  // Container runtimes refuse that call altogether. Then a forked child without /proc is taken at its word: fork leaves one thread.
  if (!alone && errno != EINVAL) alone = ForkGeneration() > 0 && access("/proc/self/task", F_OK) < 0;
  if (alone) {
    const Status own = Perform(operation);
    return {own.error, own.call, getpid(), true};
  }
  if (shared.busy.exchange(true)) return {EBUSY, "handshake", 0, true};
  const HandshakeOutcome outcome = Handshake(operation, timeoutMs).Run();
  shared.busy.store(false);
  return outcome;
}

} // namespace sallyport
