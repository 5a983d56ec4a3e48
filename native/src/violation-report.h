// What a filter with SECCOMP_RET_TRAP is for: the process itself says which call was refused, and ends. sigaction(2), seccomp(2).
#pragma once
#include <cstdint>

#include "result.h"

namespace sallyport {

/// As it is written: native byte order, 64 bytes. sandbox/violation.ts reads it.
struct ViolationRecord {
  char magic[8]; ///< "SIGSYS\0\0"
  uint32_t arch; ///< AUDIT_ARCH_*
  uint32_t number;
  uint64_t arguments[6];
};

/// Exit status of a process that has said it: 128 and SIGSYS, as shells count.
constexpr int kViolationStatus = 128 + 31;

/// From here on a trapped call is written to `fd`, which stays the caller's, and the process exits. Of the process, and of what it forks.
/// Where the filter knows neither write(2) nor exit_group(2) the second trap finds SIGSYS blocked, and the kernel kills. Before the filter.
Status ReportViolations(int fd) noexcept;

} // namespace sallyport
