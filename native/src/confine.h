// Layers of confinement of one call each: capabilities(7), prctl(2), setns(2), chroot(2), landlock(7), seccomp(2). Unless said
// otherwise each acts on the calling thread (and what it starts), and cannot be undone.
#pragma once
#include <cstddef>
#include <cstdint>
#include <sys/types.h>

#include "result.h"

namespace sallyport {

/// Ambient cleared, bounding set cut to `bounding` (CAP_SETPCAP, unless it is so already), permitted = effective =
/// `permitted`, inheritable empty.
Status SetCapabilities(uint64_t permitted, uint64_t bounding) noexcept;
Status SetSecurebits(unsigned long bits) noexcept;
/// Of the process's memory. Undone by exec and by changes of effective ids: after them.
Status SetDumpable(bool on) noexcept;
/// ESRCH when the parent has died already. A parent outside our pid namespace cannot be checked. After changes of identity.
Status SetParentDeathSignal(int signal) noexcept;
Status SetNoNewPrivs() noexcept;
/// PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN, of the process's memory. EINVAL before Linux 6.3.
Status SetMdwe() noexcept;

/// chroot(2) and chdir("/"). Of the process's file system state.
Status ChrootTo(const char *path) noexcept;
/// setns(2); into a mount namespace also chdir("/"). The descriptor stays the caller's. One thread only.
Status JoinNamespace(int fd) noexcept;

/// 0: the kernel has none, or it is switched off.
int LandlockAbi() noexcept;
/// Close-on-exec, the caller's. Bits that the kernel's ABI does not have are EINVAL (or E2BIG for whole fields).
Result<int> LandlockRuleset(uint64_t handledFs, uint64_t handledNet, uint64_t scoped) noexcept;
Status LandlockAllowPath(int ruleset, const char *path, uint64_t access) noexcept;
/// Needs no_new_privs. The descriptor stays the caller's.
Status LandlockRestrict(int ruleset) noexcept;

/// Instructions of 8 bytes (struct sock_filter). On the calling thread only.
Status SetSeccompFilter(const uint64_t *program, size_t instructions) noexcept;
/// On every thread (TSYNC): 0, or the thread that could not take it. Needs no_new_privs or CAP_SYS_ADMIN.
Result<pid_t> SetSeccompFilterOnAll(const uint64_t *program, size_t instructions) noexcept;

} // namespace sallyport
