#include "thread-list.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>

namespace sallyport {

Result<std::vector<pid_t>> ListThreads() noexcept {
  const std::unique_ptr<DIR, int (*)(DIR *)> tasks(opendir("/proc/self/task"), closedir);
  if (tasks == nullptr) return FailedAs<std::vector<pid_t>>("opendir");
  std::vector<pid_t> tids;
  errno = 0;
  while (const dirent *entry = readdir(tasks.get())) {
    if (entry->d_name[0] != '.') tids.push_back(atoi(entry->d_name));
  }
  if (errno != 0) return FailedAs<std::vector<pid_t>>("readdir");
  std::sort(tids.begin(), tids.end());
  return {tids};
}

ThreadName NameOfThread(pid_t tid) noexcept {
  ThreadName name{};
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid);
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file.Open()) return name;
  const ssize_t length = Retry([&] { return read(file.Get(), name.data(), name.size() - 1); });
  if (length <= 0) return {};
  name[static_cast<size_t>(length)] = '\0';
  name.data()[strcspn(name.data(), "\n")] = '\0';
  return name;
}

} // namespace sallyport
