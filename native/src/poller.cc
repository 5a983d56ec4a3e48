#include "poller.h"

#include <sys/epoll.h>

namespace sallyport {

Status Poller::Make() noexcept {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  return epoll_.Open() ? Done() : Failed("epoll_create1");
}

Status Poller::Set(int fd, int events, bool isNew) noexcept {
  epoll_event wanted{};
  if ((events & kReadable) != 0) wanted.events |= EPOLLIN;
  if ((events & kWritable) != 0) wanted.events |= EPOLLOUT;
  wanted.data.fd = fd;
  if (epoll_ctl(epoll_.Get(), isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &wanted) < 0)
    return Failed("epoll_ctl");
  if (isNew) watched_ += 1;
  return Done();
}

Status Poller::Remove(int fd) noexcept {
  // The face counts it as gone whatever the kernel says, and so do we.
  if (watched_ > 0) watched_ -= 1;
  if (epoll_ctl(epoll_.Get(), EPOLL_CTL_DEL, fd, nullptr) < 0) return Failed("epoll_ctl");
  return Done();
}

Result<int> Poller::Collect(std::array<Event, kBatch> &events) noexcept {
  epoll_event ready[kBatch];
  const int count = Retry([&] { return epoll_wait(epoll_.Get(), ready, kBatch, 0); });
  if (count < 0) return FailedAs<int>("epoll_wait");
  for (int i = 0; i < count; i += 1) {
    int bits = 0;
    if ((ready[i].events & EPOLLIN) != 0) bits |= kReadable;
    if ((ready[i].events & EPOLLOUT) != 0) bits |= kWritable;
    if ((ready[i].events & (EPOLLHUP | EPOLLERR)) != 0) bits |= kHungUp;
    events[static_cast<size_t>(i)] = {ready[i].data.fd, bits};
  }
  return {count};
}

} // namespace sallyport
