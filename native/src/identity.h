// Whose process this is: credentials(7), setresuid(2), setgroups(2).
#pragma once
#include <sys/types.h>
#include <vector>

#include <linux/capability.h>

#include "result.h"

namespace sallyport {

/// Groups, gid and uid of the process (glibc's wrappers: all its threads), then proves that neither can be undone. EPERM from
/// "verify" when it can. Clears the parent-death signal. Cannot be undone. Needs CAP_SETUID and CAP_SETGID.
Status SetIds(uid_t uid, gid_t gid, const std::vector<gid_t> &groups) noexcept;

/// The effective ids and groups of the calling thread become a user's while this lives. For a uid other than 0 no capability is
/// effective meanwhile, whatever the securebits say. The destructor restores them and the parent-death signal, or aborts.
class EffectiveUser {
public:
  EffectiveUser() noexcept = default;
  EffectiveUser(const EffectiveUser &) = delete;
  EffectiveUser &operator=(const EffectiveUser &) = delete;
  ~EffectiveUser() { Restore(); }
  Status Become(uid_t uid, gid_t gid, const std::vector<gid_t> &groups) noexcept;

private:
  void Restore() noexcept;
  bool active_ = false;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::vector<gid_t> groups_;
  __user_cap_data_struct capabilities_[2]{};
  int deathSignal_ = 0;
};

} // namespace sallyport
