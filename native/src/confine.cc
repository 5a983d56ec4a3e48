#include "confine.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/nsfs.h>

#include "fork.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

namespace sallyport {

Status SetCapabilities(uint64_t permitted, uint64_t bounding) noexcept {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return Failed("prctl");
  for (unsigned long capability = 0; capability < 64; capability += 1) {
    const int has = prctl(PR_CAPBSET_READ, capability);
    if (has < 0) break; // beyond the kernel's last
    if (has == 0 || (bounding >> capability & 1) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, capability) < 0) return Failed("prctl");
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<uint32_t>(permitted), high = static_cast<uint32_t>(permitted >> 32);
  const __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
  if (syscall(SYS_capset, &header, data) < 0) return Failed("capset");
  return Done();
}

Status SetSecurebits(unsigned long bits) noexcept {
  if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0) return Failed("prctl");
  return Done();
}

Status SetDumpable(bool on) noexcept {
  if (prctl(PR_SET_DUMPABLE, on ? 1 : 0, 0, 0, 0) < 0) return Failed("prctl");
  return Done();
}

Status SetParentDeathSignal(int signal) noexcept {
  if (prctl(PR_SET_PDEATHSIG, signal) < 0) return Failed("prctl");
  if (ExpectedParent() != 0 && getppid() != ExpectedParent()) return Failed("getppid", ESRCH);
  return Done();
}

Status SetNoNewPrivs() noexcept {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return Failed("prctl");
  return Done();
}

Status SetMdwe() noexcept {
  if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) < 0) return Failed("prctl");
  return Done();
}

Status ChrootTo(const char *path) noexcept {
  if (chroot(path) < 0) return Failed("chroot");
  if (chdir("/") < 0) return Failed("chdir");
  return Done();
}

Status JoinNamespace(int fd) noexcept {
  const int type = ioctl(fd, NS_GET_NSTYPE);
  if (type < 0) return Failed("NS_GET_NSTYPE");
  if (setns(fd, type) < 0) return Failed("setns");
  if (type == CLONE_NEWNS && chdir("/") < 0) return Failed("chdir");
  return Done();
}

static Result<pid_t> Seccomp(unsigned flags, const uint64_t *program, size_t instructions) noexcept {
  static_assert(sizeof(sock_filter) == sizeof(uint64_t) && alignof(sock_filter) <= alignof(uint64_t));
  if (instructions == 0 || instructions > BPF_MAXINSNS) return {{}, EINVAL, "seccomp"};
  const struct {
    unsigned short length;
    const uint64_t *program;
  } filter{static_cast<unsigned short>(instructions), program}; // struct sock_fprog, whose pointer is not const
  const long answer = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  if (answer < 0) return FailedAs<pid_t>("seccomp");
  return {static_cast<pid_t>(answer)};
}

Status SetSeccompFilter(const uint64_t *program, size_t instructions) noexcept {
  const auto set = Seccomp(0, program, instructions);
  return {{}, set.error, set.call};
}

Result<pid_t> SetSeccompFilterOnAll(const uint64_t *program, size_t instructions) noexcept {
  return Seccomp(SECCOMP_FILTER_FLAG_TSYNC, program, instructions);
}

} // namespace sallyport
