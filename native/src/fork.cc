#include "fork.h"

#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "thread-list.h"

namespace sallyport {
namespace {

// Facts about the process itself, which is why they are not in an object: a fork changes them for every thread and environment.
uint32_t generation = 0;
pid_t expectedParent = getppid();

/// Calls `take(line)` for every line of a file, through a buffer on the stack: no malloc; small, since each page costs a fault after a fork.
template <typename Take> Status EachLine(const char *path, Take take) noexcept {
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file.Open()) return Failed("open");
  char buffer[4096 + 512]; // a line of maps is shorter than a path of 4096 bytes and this
  size_t held = 0;
  for (;;) {
    const ssize_t got = Retry([&] { return read(file.Get(), buffer + held, sizeof buffer - held); });
    if (got < 0) return Failed("read");
    if (got == 0) return Done();
    held += static_cast<size_t>(got);
    size_t used = 0;
    for (;;) {
      const void *end = memchr(buffer + used, '\n', held - used);
      if (end == nullptr) break;
      const size_t length = static_cast<size_t>(static_cast<const char *>(end) - buffer) - used;
      take(std::string_view(buffer + used, length));
      used += length + 1;
    }
    if (used == 0 && held == sizeof buffer) return Failed("read", E2BIG);
    memmove(buffer, buffer + used, held - used);
    held -= used;
  }
}

struct Range {
  uintptr_t start = 0;
  uintptr_t end = 0;
};

Range ParseRange(std::string_view line) noexcept {
  Range range;
  const char *end = line.data() + line.size();
  const auto first = std::from_chars(line.data(), end, range.start, 16);
  if (first.ptr == end || *first.ptr != '-') return {};
  std::from_chars(first.ptr + 1, end, range.end, 16);
  return range;
}

/// The sixth field: proc_pid_maps(5). Empty for an anonymous mapping.
std::string_view NameOf(std::string_view line) noexcept {
  for (int field = 0; field < 5; field += 1) {
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return "";
    line.remove_prefix(space + 1);
  }
  const size_t start = line.find_first_not_of(' ');
  return start == std::string_view::npos ? "" : line.substr(start);
}

void DoFork(const Range &range) noexcept {
  if (range.end <= range.start) return;
  // EINVAL (a mapping of the kernel's) leaves the rest of a joined range undone, so ranges are joined only between ordinary ones.
  madvise(reinterpret_cast<void *>(range.start), range.end - range.start, MADV_DOFORK); // NOLINT
}

void ResetSignals() noexcept {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; signal += 1) {
    if (signal != SIGKILL && signal != SIGSTOP) sigaction(signal, &plain, nullptr);
  }
  plain.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &plain, nullptr); // a peer that goes is EPIPE, not death
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

} // namespace

uint32_t ForkGeneration() noexcept { return generation; }
pid_t ExpectedParent() noexcept { return expectedParent; }

Status CheckThreadsForFork() noexcept {
  const auto threads = ListThreads();
  if (!threads.ok()) return FailedAs<Nothing>(Status{{}, threads.error, threads.call});
  const pid_t self = getpid();
  for (const pid_t tid : threads.value) {
    const ThreadName name = NameOfThread(tid);
    const std::string_view text(name.data());
    // Idle under --single-threaded, and never waited for there.
    if (tid == self || text == "DelayedTaskSche" || text == "V8Worker") continue;
    if (text.empty()) continue; // it has ended meanwhile
    return Failed("fork", EBUSY);
  }
  return Done();
}

Status MakeHeapForkable() noexcept {
  Range joined;
  const Status read = EachLine("/proc/self/maps", [&](std::string_view line) {
    const std::string_view name = NameOf(line);
    // The vDSO's pages are always inherited; a ring must not be shared with the child.
    if (name.starts_with("[v") || name.starts_with("anon_inode:")) return;
    const Range range = ParseRange(line);
    if (range.start == joined.end) {
      joined.end = range.end;
      return;
    }
    DoFork(joined);
    joined = range;
  });
  DoFork(joined);
  return read;
}

Result<pid_t> Fork(bool newPidNamespace) noexcept {
  const pid_t parent = getpid();
  UniqueFd ownNamespace;
  if (newPidNamespace) {
    ownNamespace.Reset(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
    if (!ownNamespace.Open()) return FailedAs<pid_t>("open");
    // Refused (no CAP_SYS_ADMIN, a container): the child is in our namespace, and its verification says so.
    if (unshare(CLONE_NEWPID) < 0) ownNamespace.Reset(-1);
  }
  const pid_t pid = fork();
  const int error = errno;
  if (pid == 0) {
    ResetSignals();
    generation += 1;
    expectedParent = ownNamespace.Open() ? 0 : parent;
    return {0};
  }
  // Later children belong in our own namespace again; were it to fail, the next fork would say ENOMEM.
  if (ownNamespace.Open() && setns(ownNamespace.Get(), CLONE_NEWPID) < 0 && pid > 0)
    return {pid, 0, "setns"};
  if (pid < 0) return {{}, error, "fork"};
  return {pid};
}

} // namespace sallyport
