#include "messages.h"

#include <cstring>
#include <sys/un.h>

namespace sallyport {

Result<std::pair<int, int>> SeqpacketPair() noexcept {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
    return FailedAs<std::pair<int, int>>("socketpair");
  return {{ends[0], ends[1]}};
}

Result<bool> SendMessage(int socket, const uint8_t *data, size_t length, const FdList &fds) noexcept {
  // A message of no bytes would read as a close at the other end.
  if (length == 0 || fds.count > kMaxMessageFds) return {{}, EINVAL, "sendmsg"};
  if (fds.count == 0) {
    // write(2), because the session process's filter has no sendmsg(2). Nothing but the flags differs: our sockets are non-blocking, and
    // SIGPIPE is ignored by Node and by what is forked from it.
    const ssize_t written = Retry([&] { return write(socket, data, length); });
    if (written >= 0) return {true};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {false};
    if (errno == ECONNRESET) errno = EPIPE; // it closed with messages unread: nobody is there
    return FailedAs<bool>("write");
  }
  iovec part{const_cast<uint8_t *>(data), length}; // sendmsg(2) only reads it
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxMessageFds)] = {};
  const size_t bytes = sizeof(int) * fds.count;
  header.msg_control = control;
  header.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr *rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(bytes);
  memcpy(CMSG_DATA(rights), fds.fds.data(), bytes);
  const ssize_t sent = Retry([&] { return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT); });
  if (sent >= 0) return {true};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {false};
  if (errno == ECONNRESET) errno = EPIPE; // it closed with messages unread: nobody is there
  return FailedAs<bool>("sendmsg");
}

/// Takes the descriptors out of what the kernel delivered; closes what is beyond our array (cannot happen, by its size).
static void TakeFds(msghdr &header, FdList &list) noexcept {
  for (cmsghdr *part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i += 1) {
      int fd = -1;
      memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      if (list.count < list.fds.size()) {
        list.fds[list.count] = fd;
        list.count += 1;
      } else {
        close(fd);
      }
    }
  }
}

Result<Message> ReceiveMessage(int socket, uint8_t *data, size_t length) noexcept {
  iovec part{data, length};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxMessageFds)];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const auto receive = [&] { return recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT); };
  ssize_t got = Retry(receive);
  // It closed with our messages unread. The kernel says so once, and before what it had sent until then: its last words are still there.
  if (got < 0 && errno == ECONNRESET) got = Retry(receive);
  Result<Message> message;
  if (got < 0) {
    if (errno == ECONNRESET) return message;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return FailedAs<Message>("recvmsg");
    message.value.wouldBlock = true;
    return message;
  }
  message.value.length = static_cast<size_t>(got);
  message.value.truncated = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  TakeFds(header, message.value.fds);
  return message;
}

Result<ucred> PeerCredentials(int socket) noexcept {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0) return FailedAs<ucred>("getsockopt");
  return {who};
}

Result<int> ConnectDatagram(const char *path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return {{}, ENAMETOOLONG, "connect"};
  memcpy(address.sun_path, path, strlen(path));
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.Open()) return FailedAs<int>("socket");
  const auto *generic = reinterpret_cast<const sockaddr *>(&address);
  if (Retry([&] { return connect(fd.Get(), generic, sizeof address); }) < 0) return FailedAs<int>("connect");
  return {fd.Release()};
}

} // namespace sallyport
