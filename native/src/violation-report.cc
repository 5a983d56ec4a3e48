#include "violation-report.h"

#include <atomic>
#include <csignal>
#include <cstring>
#include <ucontext.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

namespace sallyport {
namespace {

/// Where to: the handler of a signal has nobody to ask.
std::atomic<int> reportFd{-1};

void CopyArguments(const ucontext_t &context, uint64_t (&arguments)[6]) noexcept {
#if defined(__x86_64__)
  constexpr int kRegisters[6] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
  for (int i = 0; i < 6; i += 1) arguments[i] = static_cast<uint64_t>(context.uc_mcontext.gregs[kRegisters[i]]);
#elif defined(__aarch64__)
  for (int i = 0; i < 6; i += 1) arguments[i] = context.uc_mcontext.regs[i];
#endif
}

/// System calls and copies only: the process may be anywhere, also in malloc.
void Handler(int, siginfo_t *info, void *context) {
  if (info->si_code != SYS_SECCOMP) return; // somebody sent it; there is nothing to say
  ViolationRecord record{"SIGSYS", info->si_arch, static_cast<uint32_t>(info->si_syscall), {}};
  CopyArguments(*static_cast<const ucontext_t *>(context), record.arguments);
  [[maybe_unused]] const ssize_t written = write(reportFd.load(), &record, sizeof record);
  _exit(kViolationStatus);
}

} // namespace

Status ReportViolations(int fd) noexcept {
  static_assert(sizeof(ViolationRecord) == 64);
  reportFd.store(fd);
  struct sigaction action {};
  action.sa_sigaction = Handler;
  action.sa_flags = SA_SIGINFO;
  sigfillset(&action.sa_mask);
  if (sigaction(SIGSYS, &action, nullptr) < 0) return Failed("sigaction");
  return Done();
}

} // namespace sallyport
