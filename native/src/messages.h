// Unix sockets that keep messages whole and carry descriptors (SOCK_SEQPACKET, SCM_RIGHTS): unix(7), cmsg(3).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <sys/socket.h>
#include <utility>

#include "result.h"

namespace sallyport {

inline constexpr size_t kMaxMessageFds = 8;

struct FdList {
  std::array<int, kMaxMessageFds> fds{};
  size_t count = 0;
};
struct Message {
  bool wouldBlock = false;
  size_t length = 0;
  /// Close-on-exec, the caller's.
  FdList fds;
  bool truncated = false;
};

/// Both non-blocking and close-on-exec, the caller's.
Result<std::pair<int, int>> SeqpacketPair() noexcept;
/// False: would block. The descriptors stay the caller's.
Result<bool> SendMessage(int socket, const uint8_t *data, size_t length, const FdList &fds) noexcept;
/// A close or a reset by the peer gives length 0, after all that it had sent. What does not fit is dropped by the kernel: `truncated`.
Result<Message> ReceiveMessage(int socket, uint8_t *data, size_t length) noexcept;
/// SO_PEERCRED.
Result<ucred> PeerCredentials(int socket) noexcept;
/// Non-blocking, close-on-exec, connected: the caller's.
Result<int> ConnectDatagram(const char *path) noexcept;

} // namespace sallyport
