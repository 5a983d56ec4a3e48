// The zygote's fork: the one place where a process goes on in JavaScript without an exec. fork(2), madvise(2), unshare(2).
#pragma once
#include <cstdint>
#include <sys/types.h>

#include "result.h"

namespace sallyport {

/// `--single-threaded` leaves threads that may be missing in the child; any other makes EBUSY here.
Status CheckThreadsForFork() noexcept;

/// Undoes V8's MADV_DONTFORK on every mapping of this process: without its heap the child dies at once. Needs /proc.
Status MakeHeapForkable() noexcept;

/// The child's pid, or 0 in the child, whose signals are all unblocked and at their defaults (SIGPIPE ignored).
/// With `newPidNamespace` the child is pid 1 of its own, when the kernel allows it. The caller has called the two above.
Result<pid_t> Fork(bool newPidNamespace) noexcept;

/// How often this process or its ancestors came out of Fork: what must not be shared by siblings compares it.
uint32_t ForkGeneration() noexcept;
/// The pid that getppid() gives while the parent lives: 0 where the parent is in another pid namespace.
pid_t ExpectedParent() noexcept;

} // namespace sallyport
