#include "thread-status.h"

#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <string_view>

#include "thread-list.h"

namespace sallyport {
namespace {

ThreadKind KindOf(pid_t tid, std::string_view name) noexcept {
  if (tid == getpid()) return ThreadKind::Main;
  if (name == "libuv-worker") return ThreadKind::Pool;
  if (name == "V8Worker" || name == "DelayedTaskSche") return ThreadKind::V8;
  if (name == "SignalInspector") return ThreadKind::Signal;
  if (name == "WorkerThread") return ThreadKind::Worker;
  return ThreadKind::Other;
}

/// The rest of the line that begins with `label`, or empty.
std::string_view Line(std::string_view text, std::string_view label) noexcept {
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    const std::string_view line = text.substr(at, end == std::string_view::npos ? end : end - at);
    if (line.starts_with(label)) {
      const size_t value = line.find_first_not_of("\t ", label.size());
      return value == std::string_view::npos ? "" : line.substr(value);
    }
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return "";
}

template <typename T> T Number(std::string_view text, std::string_view label, int base) noexcept {
  const std::string_view digits = Line(text, label);
  T number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  return number;
}

} // namespace

const char *KindName(ThreadKind kind) noexcept {
  switch (kind) {
  case ThreadKind::Main: return "main";
  case ThreadKind::Pool: return "pool";
  case ThreadKind::V8: return "v8";
  case ThreadKind::Signal: return "signal";
  case ThreadKind::Worker: return "worker";
  case ThreadKind::Other: return "other";
  }
  return "other";
}

Result<std::vector<ThreadStatus>> ReadThreads() noexcept {
  const auto tids = ListThreads();
  if (!tids.ok()) return {{}, tids.error, tids.call};
  std::vector<ThreadStatus> threads;
  for (const pid_t tid : tids.value) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
    if (!file.Open()) {
      if (errno == ENOENT || errno == ESRCH) continue;
      return FailedAs<std::vector<ThreadStatus>>("open");
    }
    char buffer[8192]; // a status is 1500 bytes; what we want comes before the long lists of processors and nodes
    const ssize_t length = Retry([&] { return read(file.Get(), buffer, sizeof buffer); });
    if (length < 0) {
      if (errno == ESRCH) continue;
      return FailedAs<std::vector<ThreadStatus>>("read");
    }
    const std::string_view text(buffer, static_cast<size_t>(length));
    ThreadStatus thread;
    thread.tid = tid;
    thread.name = Line(text, "Name:");
    thread.kind = KindOf(tid, thread.name);
    thread.noNewPrivs = Number<int>(text, "NoNewPrivs:", 10) == 1;
    thread.seccomp = Number<int>(text, "Seccomp:", 10);
    thread.seccompFilters = Number<int>(text, "Seccomp_filters:", 10);
    thread.effective = Number<uint64_t>(text, "CapEff:", 16);
    thread.permitted = Number<uint64_t>(text, "CapPrm:", 16);
    thread.inheritable = Number<uint64_t>(text, "CapInh:", 16);
    thread.bounding = Number<uint64_t>(text, "CapBnd:", 16);
    thread.ambient = Number<uint64_t>(text, "CapAmb:", 16);
    threads.push_back(thread);
  }
  return {threads};
}

} // namespace sallyport
