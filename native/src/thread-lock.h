// Making the set of threads final: seccomp(2).
#pragma once
#include <string>
#include <vector>

#include "result.h"
#include "thread-status.h"

namespace sallyport {

/// From here on clone(2) with CLONE_THREAD answers EAGAIN and clone3(2) ENOSYS, on every thread; processes may still be started, and
/// inherit this. Once is enough: later calls do nothing. Needs CAP_SYS_ADMIN or no_new_privs (EACCES). `value`: the thread that could not take the filter, or 0.
Result<pid_t> ForbidNewThreads() noexcept;

/// SIGUSR1 would start the inspector, and with it threads. Of the process. Only where the runtime listens for it.
Status IgnoreInspectorSignal() noexcept;

/// The size that libuv's pool has or will have, as libuv reads it from UV_THREADPOOL_SIZE.
size_t PoolSize() noexcept;

} // namespace sallyport
