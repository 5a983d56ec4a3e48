#include "tcp.h"

#include <arpa/inet.h>
#include <cstdio>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

union AnyAddress {
  sockaddr generic;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

bool Format(const AnyAddress &from, Address &to) noexcept {
  if (from.generic.sa_family == AF_INET) {
    to.port = ntohs(from.v4.sin_port);
    return inet_ntop(AF_INET, &from.v4.sin_addr, to.text.data(), INET_ADDRSTRLEN) != nullptr;
  }
  if (from.generic.sa_family != AF_INET6) return false;
  to.port = ntohs(from.v6.sin6_port);
  const in6_addr &address = from.v6.sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address))
    return inet_ntop(AF_INET, &address.s6_addr[12], to.text.data(), INET_ADDRSTRLEN) != nullptr;
  if (inet_ntop(AF_INET6, &address, to.text.data(), INET6_ADDRSTRLEN) == nullptr) return false;
  // The zone by number: its name would take a socket and an ioctl, which the filter of a confined listener need not allow.
  if (IN6_IS_ADDR_LINKLOCAL(&address)) {
    const size_t used = strlen(to.text.data());
    snprintf(to.text.data() + used, to.text.size() - used, "%%%u", from.v6.sin6_scope_id);
  }
  return true;
}

} // namespace

Result<Listening> ListenTcp(const char *address, uint16_t port, int backlog) noexcept {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo *found = nullptr;
  // Only parses, zone included: AI_NUMERICHOST never asks a name server.
  if (getaddrinfo(address, "0", &hints, &found) != 0) return {{}, EINVAL, "getaddrinfo"};
  const std::unique_ptr<addrinfo, void (*)(addrinfo *)> info(found, freeaddrinfo);
  AnyAddress where{};
  memcpy(&where, info->ai_addr, info->ai_addrlen <= sizeof where ? info->ai_addrlen : sizeof where);
  const bool isV6 = where.generic.sa_family == AF_INET6;
  (isV6 ? where.v6.sin6_port : where.v4.sin_port) = htons(port);
  UniqueFd fd(socket(where.generic.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.Open()) return FailedAs<Listening>("socket");
  Status set = SetSocketOption(fd.Get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (set.ok() && isV6) set = SetSocketOption(fd.Get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (!set.ok()) return FailedAs<Listening>(set);
  socklen_t size = isV6 ? sizeof where.v6 : sizeof where.v4;
  if (bind(fd.Get(), &where.generic, size) < 0) return FailedAs<Listening>("bind");
  if (listen(fd.Get(), backlog) < 0) return FailedAs<Listening>("listen");
  if (getsockname(fd.Get(), &where.generic, &size) < 0) return FailedAs<Listening>("getsockname");
  const uint16_t bound = ntohs(isV6 ? where.v6.sin6_port : where.v4.sin_port);
  return {{fd.Release(), bound}};
}

Result<Connection> Accept(int listener) noexcept {
  Result<Connection> taken;
  AnyAddress remote{};
  socklen_t size = sizeof remote;
  UniqueFd fd(Retry([&] {
    size = sizeof remote;
    return accept4(listener, &remote.generic, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  }));
  if (!fd.Open()) {
    switch (errno) {
    // accept(2): errors already pending on the new socket are passed on, and are as good as EAGAIN.
    case EAGAIN: case ECONNABORTED: case ENETDOWN: case EPROTO: case ENOPROTOOPT: case EHOSTDOWN:
    case ENONET: case EHOSTUNREACH: case EOPNOTSUPP: case ENETUNREACH: case EPERM:
      taken.value.none = true;
      return taken;
    }
    return FailedAs<Connection>("accept4");
  }
  AnyAddress local{};
  size = sizeof local;
  if (getsockname(fd.Get(), &local.generic, &size) < 0) return FailedAs<Connection>("getsockname");
  if (!Format(remote, taken.value.ends.remote) || !Format(local, taken.value.ends.local))
    return {{}, EAFNOSUPPORT, "accept4"};
  taken.value.fd = fd.Release();
  return taken;
}

Result<Ends> SocketAddresses(int socket) noexcept {
  Result<Ends> ends;
  AnyAddress address{};
  socklen_t size = sizeof address;
  if (getpeername(socket, &address.generic, &size) < 0) return FailedAs<Ends>("getpeername");
  if (!Format(address, ends.value.remote)) return {{}, EAFNOSUPPORT, "getpeername"};
  size = sizeof address;
  if (getsockname(socket, &address.generic, &size) < 0) return FailedAs<Ends>("getsockname");
  if (!Format(address, ends.value.local)) return {{}, EAFNOSUPPORT, "getsockname"};
  return ends;
}

Status SetSocketOption(int socket, int level, int option, int value) noexcept {
  if (setsockopt(socket, level, option, &value, sizeof value) < 0) return Failed("setsockopt");
  return Done();
}

Status SetTypeOfService(int socket, int value) noexcept {
  int family = 0;
  socklen_t size = sizeof family;
  if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0) return Failed("getsockopt");
  if (family == AF_INET) return SetSocketOption(socket, IPPROTO_IP, IP_TOS, value);
  return SetSocketOption(socket, IPPROTO_IPV6, IPV6_TCLASS, value);
}

} // namespace sallyport
