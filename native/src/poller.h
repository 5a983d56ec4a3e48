// An epoll instance of our own: epoll(7). Only epoll_ctl and epoll_wait are called after it is made.
#pragma once
#include <array>
#include <cstdint>

#include "result.h"

namespace sallyport {

class Poller {
public:
  static constexpr int kBatch = 64;
  static constexpr int kReadable = 1, kWritable = 2, kHungUp = 4;
  struct Event {
    int32_t fd;
    int32_t bits;
  };

  Status Make() noexcept;
  /// `events` of kReadable and kWritable, level-triggered; hang-up and error always come.
  Status Set(int fd, int events, bool isNew) noexcept;
  Status Remove(int fd) noexcept;
  /// What is ready now, without waiting.
  Result<int> Collect(std::array<Event, kBatch> &events) noexcept;
  int Fd() const noexcept { return epoll_.Get(); }
  int Watched() const noexcept { return watched_; }
  void Close() noexcept { epoll_.Reset(-1); }

private:
  UniqueFd epoll_;
  int watched_ = 0;
};

} // namespace sallyport
