// Where the kernel tells which system call a filter has stopped: netlink(7) with AUDIT_NLGRP_READLOG, and /dev/kmsg.
#pragma once
#include "result.h"

namespace sallyport {

/// AUDIT_SECCOMP in linux/audit.h.
constexpr unsigned kAuditSeccomp = 1326;

/// A socket on which every audit record about a filter arrives from now on, and no other kind; non-blocking, close-on-exec, the caller's. Needs
/// CAP_AUDIT_READ; without an auditd too. In a network namespace that is not the first one nothing ever comes.
Result<int> OpenAuditLog() noexcept;

/// The kernel's messages from now on, one a read; non-blocking, close-on-exec, the caller's. Needs CAP_SYSLOG where dmesg_restrict is set. Audit
/// records are among them only while no auditd runs.
Result<int> OpenKernelMessages() noexcept;

} // namespace sallyport
