// The empty namespaces that session processes join: namespaces(7), pivot_root(2).
#pragma once
#include <array>

#include "result.h"

namespace sallyport {

struct Namespace {
  const char *name; ///< as in /proc/PID/ns
  int flag;
  int fd = -1;   ///< close-on-exec, the caller's; -1 when `error` says why not
  int error = 0; ///< what the kernel answered
};
inline constexpr size_t kNamespaces = 5;

/// A child makes them and ends; the descriptors keep them. Its mount namespace holds one empty read-only tmpfs. Needs /proc and
/// CAP_SYS_ADMIN; what is refused is said in `error`, one by one. Leaves this process as it was.
Result<std::array<Namespace, kNamespaces>> MakeNamespaces() noexcept;

} // namespace sallyport
