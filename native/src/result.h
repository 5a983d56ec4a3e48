// What every plain function returns, and the owner of a descriptor.
#pragma once
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace sallyport {

/// A value, or the errno and the name of the call that failed. `error` 0 means success.
template <typename T> struct [[nodiscard]] Result {
  T value{};
  int error = 0;
  const char *call = "";
  bool ok() const noexcept { return error == 0; }
};
struct Nothing {};
using Status = Result<Nothing>;

inline Status Done() noexcept { return {}; }
/// Takes errno now: call it before anything else can change it.
inline Status Failed(const char *call) noexcept { return {{}, errno, call}; }
inline Status Failed(const char *call, int error) noexcept { return {{}, error, call}; }
template <typename T> Result<T> FailedAs(const char *call) noexcept { return {{}, errno, call}; }
template <typename T> Result<T> FailedAs(const Status &status) noexcept {
  return {{}, status.error, status.call};
}

/// Owns one descriptor; closing errors are dropped because nothing was written through these.
class UniqueFd {
public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd &&other) noexcept : fd_(other.Release()) {}
  UniqueFd &operator=(UniqueFd &&other) noexcept {
    Reset(other.Release());
    return *this;
  }
  UniqueFd(const UniqueFd &) = delete;
  UniqueFd &operator=(const UniqueFd &) = delete;
  ~UniqueFd() { Reset(-1); }
  int Get() const noexcept { return fd_; }
  bool Open() const noexcept { return fd_ >= 0; }
  int Release() noexcept { return std::exchange(fd_, -1); }
  void Reset(int fd) noexcept {
    const int saved = errno;
    if (fd_ >= 0) close(fd_);
    errno = saved;
    fd_ = fd;
  }

private:
  int fd_ = -1;
};

/// Repeats `call` while a signal interrupts it.
template <typename Call> auto Retry(Call call) noexcept {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

} // namespace sallyport
