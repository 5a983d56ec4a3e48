// What the kernel says about each thread of this process: proc_pid_status(5).
#pragma once
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

#include "result.h"

namespace sallyport {

/// By the name that the runtime gave the thread (Node 24 on; older ones name all threads alike: Other).
enum class ThreadKind { Main, Pool, V8, Signal, Worker, Other };
const char *KindName(ThreadKind kind) noexcept;

struct ThreadStatus {
  pid_t tid = 0;
  std::string name;
  ThreadKind kind = ThreadKind::Other;
  bool noNewPrivs = false;
  int seccomp = 0;
  int seccompFilters = 0;
  uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;
};

/// Every thread, by tid. A thread that ends meanwhile is left out. Needs /proc.
Result<std::vector<ThreadStatus>> ReadThreads() noexcept;

} // namespace sallyport
