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

/// Takes the address space in which V8 would look for its pages, at random, each in three page tables of its own, with mappings that nobody can
/// touch: the kernel then places its pages side by side below the libraries, and a fork has half as many page tables to copy. Adds what it
/// took to `taken`, also when it fails. mmap(2), MAP_NORESERVE: no memory and no page table, but address space (RLIMIT_AS may refuse it).
Status KeepHeapTogether(std::vector<PageRange> &taken) noexcept;

/// Gives it back.
void LetHeapScatter(const std::vector<PageRange> &taken) noexcept;

} // namespace sallyport
