#include "thread-lock.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "confine.h"

namespace sallyport {
namespace {

constexpr uint32_t kNumber = offsetof(seccomp_data, nr), kArch = offsetof(seccomp_data, arch);
constexpr uint32_t kFlags = offsetof(seccomp_data, args); // clone's first argument; the low half on little-endian
constexpr uint32_t kEagain = SECCOMP_RET_ERRNO | EAGAIN, kEnosys = SECCOMP_RET_ERRNO | ENOSYS;
#if defined(__x86_64__)
constexpr uint32_t kNative = AUDIT_ARCH_X86_64;
constexpr uint32_t kNumberMask = ~0x40000000U; // x32's calls have the same numbers with this bit
#elif defined(__aarch64__)
constexpr uint32_t kNative = AUDIT_ARCH_AARCH64;
constexpr uint32_t kNumberMask = ~0U;
#endif

constexpr sock_filter Load(uint32_t offset) { return {BPF_LD | BPF_W | BPF_ABS, 0, 0, offset}; }
constexpr sock_filter Return(uint32_t value) { return {BPF_RET | BPF_K, 0, 0, value}; }
constexpr sock_filter Equal(uint32_t value, uint8_t yes, uint8_t no) { return {BPF_JMP | BPF_JEQ | BPF_K, yes, no, value}; }

// Another architecture's calls are not the runtime's; whoever could make them is the policy filter's business.
constexpr std::array kNoThreads = std::to_array<sock_filter>({
    Load(kArch),
    Equal(kNative, 0, 7),
    Load(kNumber),
    {BPF_ALU | BPF_AND | BPF_K, 0, 0, kNumberMask},
    Equal(SYS_clone3, 5, 0), // its flags are in memory, where no filter sees them: glibc falls back on clone
    Equal(SYS_clone, 0, 3),
    Load(kFlags),
    {BPF_JMP | BPF_JSET | BPF_K, 0, 1, CLONE_THREAD},
    Return(kEagain), // what pthread_create(3) says when there can be no more threads
    Return(SECCOMP_RET_ALLOW),
    Return(kEnosys),
});

} // namespace

Result<pid_t> ForbidNewThreads() noexcept {
  // Of the process, and of what it forks, like the filter itself.
  static std::atomic<bool> forbidden{false};
  if (forbidden.load()) return {};
  std::array<uint64_t, kNoThreads.size()> program;
  static_assert(sizeof program == sizeof kNoThreads);
  memcpy(program.data(), kNoThreads.data(), sizeof program);
  const auto set = SetSeccompFilterOnAll(program.data(), program.size());
  if (set.ok() && set.value == 0) forbidden.store(true);
  return set;
}

Status IgnoreInspectorSignal() noexcept {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  if (sigaction(SIGUSR1, &ignore, nullptr) < 0) return Failed("sigaction");
  return Done();
}

size_t PoolSize() noexcept {
  const char *text = getenv("UV_THREADPOOL_SIZE");
  if (text == nullptr) return 4;
  const int size = atoi(text);
  if (size == 0) return 1;
  return size < 0 || size > 1024 ? 1024 : static_cast<size_t>(size); // unsigned in libuv
}

} // namespace sallyport
