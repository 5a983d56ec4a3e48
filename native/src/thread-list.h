// The threads of this process as the kernel lists them: proc_pid_task(5).
#pragma once
#include <array>
#include <sys/types.h>
#include <vector>

#include "result.h"

namespace sallyport {

using ThreadName = std::array<char, 17>;

/// Thread ids, sorted. A thread may end or start meanwhile.
Result<std::vector<pid_t>> ListThreads() noexcept;
/// `comm`, or empty when the thread has ended.
ThreadName NameOfThread(pid_t tid) noexcept;

} // namespace sallyport
