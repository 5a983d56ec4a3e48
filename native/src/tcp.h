// Listening and accepted TCP sockets: tcp(7), ip(7), ipv6(7).
#pragma once
#include <array>
#include <cstdint>

#include <netinet/in.h>

#include "result.h"

namespace sallyport {

struct Address {
  std::array<char, INET6_ADDRSTRLEN + 18> text{}; // room for a zone, "%2"
  uint16_t port = 0;
};
struct Ends {
  Address remote;
  Address local;
};
struct Listening {
  int fd = -1;
  uint16_t port = 0;
};
struct Connection {
  bool none = false;
  int fd = -1;
  Ends ends;
};

/// A numeric address. Non-blocking, close-on-exec: the caller's.
Result<Listening> ListenTcp(const char *address, uint16_t port, int backlog) noexcept;
/// `none`: nobody waits, or who waited has gone. The descriptor is the caller's.
Result<Connection> Accept(int listener) noexcept;
/// ENOTSOCK, ENOTCONN and EAFNOSUPPORT say that this is no connected inet socket.
Result<Ends> SocketAddresses(int socket) noexcept;
Status SetSocketOption(int socket, int level, int option, int value) noexcept;
/// IP_TOS or IPV6_TCLASS by the socket's family.
Status SetTypeOfService(int socket, int value) noexcept;

} // namespace sallyport
