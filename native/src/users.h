// The passwd, group and shadow databases through NSS: getpwnam_r(3), getgrouplist(3), getspnam_r(3). Synchronous; modules that
// are loaded by the first call stay loaded.
#pragma once
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "result.h"

namespace sallyport {

struct User {
  std::string name, home, shell, gecos, password;
  uid_t uid = 0;
  gid_t gid = 0;
};
struct Group {
  std::string name;
  gid_t gid = 0;
};
struct Shadow {
  std::string hash;
  long lastChange = -1, maxDays = -1, inactiveDays = -1, expires = -1;
};

/// Empty: there is none. An error is the service's.
Result<std::optional<User>> UserByName(const char *name) noexcept;
Result<std::optional<User>> UserById(uid_t uid) noexcept;
/// All groups of a user, `gid` first.
Result<std::vector<gid_t>> GroupsOf(const char *name, gid_t gid) noexcept;
Result<std::optional<Group>> GroupById(gid_t gid) noexcept;
Result<std::optional<Group>> GroupByName(const char *name) noexcept;
/// Empty without an entry, and without leave to read them.
Result<std::optional<Shadow>> ShadowOf(const char *name) noexcept;

} // namespace sallyport
