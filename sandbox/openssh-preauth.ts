// What OpenSSH 10.5's preauth filter lets through on x86-64 (sandbox-seccomp-filter.c, read back from the running filter): the list that
// the session policy is measured against. Facts only; the argument for each difference is below.
import type { Policy } from "./rule.ts";
import type { SyscallName } from "./syscalls-x86-64.ts";

// prettier-ignore
export const opensshRefusedByErrno: readonly SyscallName[] = [
  "lstat", "fstat", "open", "openat", "newfstatat", "stat", "shmget", "shmat", "shmdt", "statx",
];

// prettier-ignore
export const opensshAllowed: readonly SyscallName[] = [
  "brk", "clock_gettime", "close", "exit", "exit_group", "futex", "geteuid", "getpgid", "getpid", "getrandom", "gettid",
  "gettimeofday", "getuid", "madvise", "mmap", "mprotect", "mremap", "munmap", "nanosleep", "clock_nanosleep", "ppoll",
  "poll", "pselect6", "read", "rt_sigprocmask", "select", "shutdown", "time", "write", "writev", "getsockopt",
  "getsockname", "getpeername", "uname", "setsockopt",
];

/** Why each call that we allow and OpenSSH does not gives an attacker nothing. A test fails when one is without its reason. */
export const additions: Readonly<Partial<Record<SyscallName, string>>> = {
  epoll_wait:
    "waits on descriptors that the process already has; poll, which OpenSSH allows, does the same",
  epoll_pwait: "as epoll_wait",
  epoll_ctl: "changes which of its own descriptors are waited for; nothing is opened",
  recvmsg:
    "reads a message from a socket that it already has. A descriptor can come with it only from the broker (before) or the worker (after " +
    "authentication), and not at all while RLIMIT_NOFILE is 0, which it is from the hand-over to authentication",
  sched_yield: "gives up the processor",
};

/** Beyond names: where our rule for a call that both allow is wider or narrower. */
export const argumentDifferences: Readonly<Partial<Record<SyscallName, string>>> = {
  mmap: "MAP_NORESERVE as well: V8 reserves address space with it; it reserves less than a mapping without it",
  madvise: "without NORMAL and WIPEONFORK, which nothing here asks for",
};

export interface Difference {
  readonly removed: readonly SyscallName[];
  readonly added: readonly SyscallName[];
  /** Refused with an errno by us, where OpenSSH kills. */
  readonly refusedInsteadOfKilled: readonly SyscallName[];
}

/** Computed from the two lists, so that docs/sandbox.md cannot drift from the policy. */
export function difference(policy: Policy): Difference {
  const allowed = new Set(
    policy.rules.filter((rule) => rule.errno === undefined).map((rule) => rule.syscall),
  );
  const named = new Set(policy.rules.map((rule) => rule.syscall));
  return {
    removed: opensshAllowed.filter((name) => !allowed.has(name)),
    added: [...allowed].filter((name) => !opensshAllowed.includes(name)),
    refusedInsteadOfKilled: [...named].filter(
      (name) => !allowed.has(name) && !opensshRefusedByErrno.includes(name),
    ),
  };
}
