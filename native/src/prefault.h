// Copying, in one call each, the pages that a forked child is going to write anyway: a copy-on-write fault costs several times the copy,
// and under some hypervisors twenty. Affects the calling process only. madvise(2), proc_pid_pagemap(5).
#pragma once
#include <cstdint>
#include <sys/types.h>
#include <vector>

#include "result.h"

namespace sallyport {

struct PageRange {
  uint64_t start = 0;
  uint64_t end = 0;
};

/// Private writable memory of *this* process that `pid`, a descendant forked from it, has pages of its own for: what it wrote. Wants
/// CAP_SYS_PTRACE where `pid` is not dumpable. Gaps of one page are joined.
Result<std::vector<PageRange>> PagesOfItsOwn(pid_t pid) noexcept;

/// MADV_POPULATE_WRITE on each range. What cannot be (before Linux 5.14, memory that has gone) is left to the faults, silently.
void Populate(const PageRange *ranges, size_t count) noexcept;

/// Takes every free chunk of malloc's main arena out of circulation, for ever, so that children begin to allocate at its top, page by page,
/// and not in holes all over pages that they would have to copy. The memory goes back to the kernel first: it costs address space only.
/// Once, in a process that is about to fork. Returns how many bytes. mallinfo(3), malloc_trim(3).
size_t PackHeap() noexcept;

} // namespace sallyport
