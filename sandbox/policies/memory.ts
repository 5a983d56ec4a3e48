// Memory and scheduling calls that every one of our confined processes makes: V8's and malloc's. None can make memory executable.
import { equals, within, type Rule } from "../rule.ts";

const PROT_READ_WRITE = 0x3n;
/** PRIVATE 0x02, ANONYMOUS 0x20, FIXED 0x10, FIXED_NOREPLACE 0x100000 (OpenSSH's set) and NORESERVE 0x4000. */
const MAP_FLAGS = 0x02n | 0x20n | 0x10n | 0x10_0000n | 0x4000n;
const FUTEX_MODIFIERS = 0x80n | 0x100n; // PRIVATE_FLAG, CLOCK_REALTIME

/** Wakes are made whenever a lock is let go; the others want two threads that meet. */
const contended = "only where two threads meet in a lock: the signer and the listener under load";
const futexOperation = (operation: bigint, name: string, rare?: string): Rule => ({
  syscall: "futex",
  ...(rare === undefined ? {} : { rare }),
  reason: `the runtime's locks (V8's mutexes, libuv's, malloc's arenas) when two threads meet: ${name}`,
  args: [
    {
      index: 1,
      mask: 0xffff_ffff_ffff_ffffn & ~FUTEX_MODIFIERS,
      value: operation,
      name: `op is ${name}, private or not`,
    },
  ],
});
/** What a day of ordinary connections need not come to. */
const grownHeap =
  "only heaps that have grown and shrunk again: the canary's churn, long connections";
const madviseAdvice = (advice: bigint, name: string, reason: string): Rule => ({
  syscall: "madvise",
  reason,
  rare: grownHeap,
  args: [equals(2, advice, `advice is ${name}`)],
});

export const memory: readonly Rule[] = [
  { syscall: "brk", reason: "glibc malloc grows the main heap" },
  {
    syscall: "mmap",
    reason: "malloc's large blocks and arenas, V8's heap pages; private, without PROT_EXEC",
    args: [
      within(2, PROT_READ_WRITE, "prot is within READ|WRITE"),
      within(3, MAP_FLAGS, "flags are within PRIVATE|ANONYMOUS|FIXED|FIXED_NOREPLACE|NORESERVE"),
    ],
  },
  {
    syscall: "mmap",
    reason: "other flags without PROT_EXEC: malloc and V8 fall back on plain pages",
    rare: "no library of today asks for them; where one does it must not die",
    errno: "EINVAL",
    args: [within(2, PROT_READ_WRITE, "prot is within READ|WRITE")],
  },
  {
    syscall: "mprotect",
    reason: "malloc grows a thread arena; V8 commits and guards heap pages; without PROT_EXEC",
    rare: "only heaps that have grown and shrunk again: the canary's churn, long connections",
    args: [within(2, PROT_READ_WRITE, "prot is within READ|WRITE")],
  },
  { syscall: "munmap", reason: "freed large blocks and heap pages go back" },
  {
    syscall: "mremap",
    reason: "realloc of large blocks (packet and output buffers that grow)",
    rare: "only blocks beyond malloc's mmap threshold",
  },
  madviseAdvice(4n, "MADV_DONTNEED", "V8 discards pages after a garbage collection"),
  madviseAdvice(8n, "MADV_FREE", "V8 discards pages after a garbage collection"),
  madviseAdvice(10n, "MADV_DONTFORK", "V8 marks every new heap page so"),
  madviseAdvice(16n, "MADV_DONTDUMP", "OpenSSL's secure allocations"),
  {
    syscall: "madvise",
    reason: "any other advice: callers go on without it",
    rare: "only a new runtime would",
    errno: "EINVAL",
  },
  futexOperation(0n, "FUTEX_WAIT", contended),
  futexOperation(9n, "FUTEX_WAIT_BITSET", contended),
  futexOperation(1n, "FUTEX_WAKE"),
  futexOperation(10n, "FUTEX_WAKE_BITSET", contended),
  futexOperation(3n, "FUTEX_REQUEUE", contended),
  futexOperation(4n, "FUTEX_CMP_REQUEUE", contended),
  {
    syscall: "sched_yield",
    reason: "V8's spinning locks give way before they sleep",
    rare: "only where two threads meet in a lock",
  },
  { syscall: "rt_sigprocmask", reason: "glibc blocks signals around thread and abort work" },
];

export const time: readonly Rule[] = [
  {
    syscall: "clock_gettime",
    reason: "timers and Date where the vDSO cannot answer",
    rare: "only on machines whose clock source the vDSO cannot read",
  },
  {
    syscall: "gettimeofday",
    reason: "V8's wall clock where the vDSO cannot answer",
    rare: "only on machines whose clock source the vDSO cannot read",
  },
  {
    syscall: "clock_nanosleep",
    reason: "V8's back-off in a contended lock",
    rare: "only where two threads meet in a lock",
  },
];

export const endings: readonly Rule[] = [
  { syscall: "exit_group", reason: "exitNow() at the end of the process" },
  {
    syscall: "exit",
    reason: "a runtime thread that ends at teardown",
    rare: "only at an exit that is not exitNow",
  },
];

/** Calls that no process of ours has, and whose callers have something to fall back on. */
export const unavailable: readonly Rule[] = [
  {
    syscall: "clone3",
    reason: "its flags are behind a pointer: glibc falls back on clone, which kills",
    rare: "nothing of ours starts a thread; glibc's abort path and an addon could",
    errno: "ENOSYS",
  },
  {
    syscall: "io_uring_setup",
    reason: "libuv falls back on plain epoll_ctl",
    rare: "only when a loop is made anew",
    errno: "ENOSYS",
  },
];

/** Calls on files, in processes that have none. */
const noFiles: readonly Rule[] = [
  {
    syscall: "openat",
    reason: "OpenSSL's configuration, ICU's and the C library's time zone: each has a default",
    rare: "all are loaded before the filter: only a new runtime would",
    errno: "EACCES",
  },
  {
    syscall: "fstat",
    reason: "stdio looks at its descriptor before the first write of an abort message",
    rare: "only when it aborts",
    errno: "EACCES",
  },
  {
    syscall: "newfstatat",
    reason: "looked at before an openat that is refused as well",
    rare: "as openat",
    errno: "EACCES",
  },
  {
    syscall: "statx",
    reason: "looked at before an openat that is refused as well",
    rare: "as openat",
    errno: "EACCES",
  },
];

/** Calls that are refused by errno because their callers have something to fall back on. */
export const refusedByErrno: readonly Rule[] = [...unavailable, ...noFiles];
