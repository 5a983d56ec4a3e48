#include "kernel-log.h"

#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

/// Keeps what is not about filters in the kernel: a machine that audits much must not wake us for it. The type is in host order, and the
/// filter loads it in network order.
Status OnlySeccomp(int fd) noexcept {
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_H | BPF_ABS, 0, 0, offsetof(nlmsghdr, nlmsg_type)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, htons(kAuditSeccomp)},
      {BPF_RET | BPF_K, 0, 0, 0xffff},
      {BPF_RET | BPF_K, 0, 0, 0},
  }};
  const sock_fprog filter{program.size(), program.data()};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0) return Failed("setsockopt");
  return Done();
}

} // namespace

Result<int> OpenAuditLog() noexcept {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT));
  if (!fd.Open()) return FailedAs<int>("socket");
  if (const Status filtered = OnlySeccomp(fd.Get()); !filtered.ok()) return {{}, filtered.error, filtered.call};
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1U << (AUDIT_NLGRP_READLOG - 1);
  if (bind(fd.Get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) < 0) return FailedAs<int>("bind");
  return {fd.Release()};
}

Result<int> OpenKernelMessages() noexcept {
  UniqueFd fd(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.Open()) return FailedAs<int>("open");
  if (lseek(fd.Get(), 0, SEEK_END) < 0) return FailedAs<int>("lseek");
  return {fd.Release()};
}

} // namespace sallyport
