#include "identity.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fork.h"

namespace sallyport {
namespace {

constexpr uid_t kSame = static_cast<uid_t>(-1);

Result<std::vector<gid_t>> CurrentGroups() noexcept {
  const int count = getgroups(0, nullptr);
  if (count < 0) return FailedAs<std::vector<gid_t>>("getgroups");
  std::vector<gid_t> groups(static_cast<size_t>(count));
  if (getgroups(count, groups.data()) != count) return FailedAs<std::vector<gid_t>>("getgroups");
  return {groups};
}

bool SameSet(std::vector<gid_t> a, std::vector<gid_t> b) noexcept {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

} // namespace

Status SetIds(uid_t uid, gid_t gid, const std::vector<gid_t> &groups) noexcept {
  if (setgroups(groups.size(), groups.data()) < 0) return Failed("setgroups");
  if (setresgid(gid, gid, gid) < 0) return Failed("setresgid");
  if (setresuid(uid, uid, uid) < 0) return Failed("setresuid");
  uid_t real = 0, effective = 0, saved = 0;
  if (getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid || saved != uid)
    return Failed("verify", EPERM);
  if (getresgid(&real, &effective, &saved) < 0 || real != gid || effective != gid || saved != gid)
    return Failed("verify", EPERM);
  const auto now = CurrentGroups();
  if (!now.ok() || !SameSet(now.value, groups)) return Failed("verify", EPERM);
  // Root can always come back; for others every way back must be shut. Raw calls: a success must not reach the other threads.
  if (uid == 0) return Done();
  if (syscall(SYS_setresuid, 0, kSame, kSame) == 0 || syscall(SYS_setresuid, kSame, 0, kSame) == 0)
    return Failed("verify", EPERM);
  if (gid != 0 && (syscall(SYS_setresgid, 0, kSame, kSame) == 0 || syscall(SYS_setresgid, kSame, 0, kSame) == 0))
    return Failed("verify", EPERM);
  return Done();
}

Status EffectiveUser::Become(uid_t uid, gid_t gid, const std::vector<gid_t> &groups) noexcept {
  auto before = CurrentGroups();
  if (!before.ok()) return FailedAs<Nothing>(Status{{}, before.error, before.call});
  groups_ = std::move(before.value);
  uid_ = geteuid();
  gid_ = getegid();
  // The kernel forgets it when effective ids change.
  if (prctl(PR_GET_PDEATHSIG, &deathSignal_) < 0) return Failed("prctl");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  if (syscall(SYS_capget, &header, capabilities_) < 0) return Failed("capget");
  if (syscall(SYS_setgroups, groups.size(), groups.data()) < 0) return Failed("setgroups");
  active_ = true; // from here on there is something to restore
  if (syscall(SYS_setresgid, kSame, gid, kSame) < 0) return Failed("setresgid");
  if (syscall(SYS_setresuid, kSame, uid, kSame) < 0) return Failed("setresuid");
  if (geteuid() != uid || getegid() != gid) return Failed("verify", EPERM);
  if (uid == 0) return Done();
  // With SECBIT_NO_SETUID_FIXUP they would stay effective, and CAP_DAC_OVERRIDE reads what the user cannot.
  __user_cap_data_struct none[2] = {{0, capabilities_[0].permitted, capabilities_[0].inheritable},
                                    {0, capabilities_[1].permitted, capabilities_[1].inheritable}};
  if (syscall(SYS_capset, &header, none) < 0) return Failed("capset");
  return Done();
}

void EffectiveUser::Restore() noexcept {
  if (!active_) return;
  active_ = false;
  // Capabilities first: the saved uid gives the uid back, but setgroups wants CAP_SETGID. Changing the effective uid touches
  // the effective set, so it is set again at the end.
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  if (syscall(SYS_capset, &header, capabilities_) < 0 || syscall(SYS_setresuid, kSame, uid_, kSame) < 0 ||
      syscall(SYS_setresgid, kSame, gid_, kSame) < 0 ||
      syscall(SYS_setgroups, groups_.size(), groups_.data()) < 0 || syscall(SYS_capset, &header, capabilities_) < 0 ||
      geteuid() != uid_ || getegid() != gid_)
    abort();
  if (deathSignal_ == 0) return;
  if (prctl(PR_SET_PDEATHSIG, deathSignal_) < 0) abort();
  // It may have died while nothing would have told us.
  if (ExpectedParent() != 0 && getppid() != ExpectedParent()) raise(deathSignal_);
}

} // namespace sallyport
