#include "users.h"

#include <algorithm>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <string.h> // explicit_bzero

namespace sallyport {
namespace {

/// An entry of `call` with a buffer that grows as it asks. At 16 MiB something is wrong with the service.
template <typename Entry, typename Ours, typename Call, typename Convert>
Result<std::optional<Ours>> Look(const char *what, Call call, Convert convert) noexcept {
  std::vector<char> buffer(4096);
  for (;;) {
    Entry entry{};
    Entry *found = nullptr;
    const int error = call(&entry, buffer.data(), buffer.size(), &found);
    if (error == EINTR) continue;
    if (error == ERANGE && buffer.size() < (1U << 24)) {
      explicit_bzero(buffer.data(), buffer.size());
      buffer.resize(buffer.size() * 4);
      continue;
    }
    Result<std::optional<Ours>> result;
    // getpwnam(3): "not found" has several names, by the service behind it.
    if (found != nullptr) result.value = convert(*found);
    else if (error != 0 && error != ENOENT && error != ESRCH && error != EBADF && error != EPERM && error != EACCES)
      result = {{}, error, what};
    explicit_bzero(buffer.data(), buffer.size()); // hashes
    return result;
  }
}

std::string Text(const char *text) { return text == nullptr ? "" : text; }

User FromPasswd(const passwd &entry) {
  return {Text(entry.pw_name),  Text(entry.pw_dir), Text(entry.pw_shell), Text(entry.pw_gecos),
          Text(entry.pw_passwd), entry.pw_uid,      entry.pw_gid};
}
Group FromGroup(const group &entry) { return {Text(entry.gr_name), entry.gr_gid}; }

} // namespace

Result<std::optional<User>> UserByName(const char *name) noexcept {
  return Look<passwd, User>(
      "getpwnam_r", [&](auto... rest) { return getpwnam_r(name, rest...); }, FromPasswd);
}
Result<std::optional<User>> UserById(uid_t uid) noexcept {
  return Look<passwd, User>(
      "getpwuid_r", [&](auto... rest) { return getpwuid_r(uid, rest...); }, FromPasswd);
}
Result<std::optional<Group>> GroupById(gid_t gid) noexcept {
  return Look<group, Group>(
      "getgrgid_r", [&](auto... rest) { return getgrgid_r(gid, rest...); }, FromGroup);
}
Result<std::optional<Group>> GroupByName(const char *name) noexcept {
  return Look<group, Group>(
      "getgrnam_r", [&](auto... rest) { return getgrnam_r(name, rest...); }, FromGroup);
}

Result<std::vector<gid_t>> GroupsOf(const char *name, gid_t gid) noexcept {
  std::vector<gid_t> groups(64);
  for (;;) {
    int count = static_cast<int>(groups.size());
    if (getgrouplist(name, gid, groups.data(), &count) >= 0) {
      groups.resize(static_cast<size_t>(count));
      const auto primary = std::find(groups.begin(), groups.end(), gid);
      if (primary != groups.end()) std::rotate(groups.begin(), primary, primary + 1);
      return {groups};
    }
    if (groups.size() > 65536) return {{}, E2BIG, "getgrouplist"}; // NGROUPS_MAX
    groups.resize(std::max(static_cast<size_t>(count), groups.size() * 2));
  }
}

Result<std::optional<Shadow>> ShadowOf(const char *name) noexcept {
  return Look<spwd, Shadow>(
      "getspnam_r", [&](auto... rest) { return getspnam_r(name, rest...); },
      [](const spwd &entry) {
        return Shadow{Text(entry.sp_pwdp), entry.sp_lstchg, entry.sp_max, entry.sp_inact, entry.sp_expire};
      });
}

} // namespace sallyport
