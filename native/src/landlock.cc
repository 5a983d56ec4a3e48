// Landlock by raw calls: glibc has no wrappers, and the kernel's headers may be older than the kernel. landlock(7).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "confine.h"

namespace sallyport {
namespace {

constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446; // the same on every architecture
constexpr unsigned kVersionFlag = 1;
constexpr int kRulePathBeneath = 1;
/// What a rule on a file that is no directory may say: execute, write, read, truncate (ABI 3), ioctl (ABI 5).
constexpr uint64_t kFileAccess = 1U | 1U << 1 | 1U << 2 | 1U << 14 | 1U << 15;

/// The kernel takes a longer structure than it knows when the rest is zero.
struct RulesetAttributes {
  uint64_t handledFs;
  uint64_t handledNet;
  uint64_t scoped;
};
struct [[gnu::packed]] PathBeneath {
  uint64_t access;
  int32_t parentFd;
};

} // namespace

int LandlockAbi() noexcept {
  const long abi = syscall(kCreateRuleset, nullptr, 0, kVersionFlag);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

Result<int> LandlockRuleset(uint64_t handledFs, uint64_t handledNet, uint64_t scoped) noexcept {
  const RulesetAttributes attributes{handledFs, handledNet, scoped};
  const long fd = syscall(kCreateRuleset, &attributes, sizeof attributes, 0U);
  if (fd < 0) return FailedAs<int>("landlock_create_ruleset");
  return {static_cast<int>(fd)};
}

Status LandlockAllowPath(int ruleset, const char *path, uint64_t access) noexcept {
  const UniqueFd where(open(path, O_PATH | O_CLOEXEC));
  if (!where.Open()) return Failed("open");
  struct stat about {};
  if (fstat(where.Get(), &about) < 0) return Failed("fstat");
  // Rights that only make sense beneath a directory are an error on a file, not ignored.
  const uint64_t fitting = S_ISDIR(about.st_mode) ? access : access & kFileAccess;
  const PathBeneath rule{fitting, where.Get()};
  if (syscall(kAddRule, ruleset, kRulePathBeneath, &rule, 0U) < 0) return Failed("landlock_add_rule");
  return Done();
}

Status LandlockRestrict(int ruleset) noexcept {
  if (syscall(kRestrictSelf, ruleset, 0U) < 0) return Failed("landlock_restrict_self");
  return Done();
}

} // namespace sallyport
