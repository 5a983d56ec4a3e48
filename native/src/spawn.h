// Starting a program: clone(2), execve(2), credentials(7).
#pragma once
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "result.h"

namespace sallyport {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};
struct SpawnPlan {
  std::string file;
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::optional<std::string> cwd;
  std::vector<int> fds; ///< the child's descriptor i duplicates fds[i]; they stay the caller's
  bool newSession = false;
  bool controllingTerminal = false;
  std::optional<Identity> identity;
  std::optional<mode_t> mask;
};

/// The pid, once exec has succeeded; else the errno and the name of the child's step. Any thread; the caller waits for the child.
Result<pid_t> Spawn(const SpawnPlan &plan) noexcept;

} // namespace sallyport
