// Memory and scheduling calls that every one of our confined processes makes: V8's and malloc's. None can make memory executable.
import { equals, within, type Rule } from "../rule.ts";

const PROT_READ_WRITE = 0x3n;
/** PRIVATE 0x02, ANONYMOUS 0x20, FIXED 0x10, FIXED_NOREPLACE 0x100000 (OpenSSH's set) and NORESERVE 0x4000. */
const MAP_FLAGS = 0x02n | 0x20n | 0x10n | 0x10_0000n | 0x4000n;
const FUTEX_MODIFIERS = 0x80n | 0x100n; // PRIVATE_FLAG, CLOCK_REALTIME

const futexOperation = (operation: bigint, name: string): Rule => ({
  syscall: "futex",
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
const madviseAdvice = (advice: bigint, name: string, reason: string): Rule => ({
  syscall: "madvise",
  reason,
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
    errno: "EINVAL",
    args: [within(2, PROT_READ_WRITE, "prot is within READ|WRITE")],
  },
  {
    syscall: "mprotect",
    reason: "malloc grows a thread arena; V8 commits and guards heap pages; without PROT_EXEC",
    args: [within(2, PROT_READ_WRITE, "prot is within READ|WRITE")],
  },
  { syscall: "munmap", reason: "freed large blocks and heap pages go back" },
  { syscall: "mremap", reason: "realloc of large blocks (packet and output buffers that grow)" },
  madviseAdvice(4n, "MADV_DONTNEED", "V8 discards pages after a garbage collection"),
  madviseAdvice(8n, "MADV_FREE", "V8 discards pages after a garbage collection"),
  madviseAdvice(10n, "MADV_DONTFORK", "V8 marks every new heap page so"),
  madviseAdvice(16n, "MADV_DONTDUMP", "OpenSSL's secure allocations"),
  {
    syscall: "madvise",
    reason: "any other advice: callers go on without it",
    errno: "EINVAL",
  },
  futexOperation(0n, "FUTEX_WAIT"),
  futexOperation(9n, "FUTEX_WAIT_BITSET"),
  futexOperation(1n, "FUTEX_WAKE"),
  futexOperation(10n, "FUTEX_WAKE_BITSET"),
  futexOperation(3n, "FUTEX_REQUEUE"),
  futexOperation(4n, "FUTEX_CMP_REQUEUE"),
  { syscall: "sched_yield", reason: "V8's spinning locks give way before they sleep" },
  { syscall: "rt_sigprocmask", reason: "glibc blocks signals around thread and abort work" },
];

export const time: readonly Rule[] = [
  { syscall: "clock_gettime", reason: "timers and Date where the vDSO cannot answer" },
  { syscall: "gettimeofday", reason: "V8's wall clock where the vDSO cannot answer" },
  { syscall: "clock_nanosleep", reason: "V8's back-off in a contended lock" },
];

export const endings: readonly Rule[] = [
  { syscall: "exit_group", reason: "exitNow() at the end of the process" },
  { syscall: "exit", reason: "a runtime thread that ends at teardown" },
];

/** Calls that no process of ours has, and whose callers have something to fall back on. */
export const unavailable: readonly Rule[] = [
  {
    syscall: "clone3",
    reason: "its flags are behind a pointer: glibc falls back on clone, which kills",
    errno: "ENOSYS",
  },
  { syscall: "io_uring_setup", reason: "libuv falls back on plain epoll_ctl", errno: "ENOSYS" },
];

/** Calls on files, in processes that have none. */
const noFiles: readonly Rule[] = [
  {
    syscall: "openat",
    reason: "OpenSSL's configuration, ICU's and the C library's time zone: each has a default",
    errno: "EACCES",
  },
  {
    syscall: "fstat",
    reason: "stdio looks at its descriptor before the first write of an abort message",
    errno: "EACCES",
  },
  {
    syscall: "newfstatat",
    reason: "looked at before an openat that is refused as well",
    errno: "EACCES",
  },
  {
    syscall: "statx",
    reason: "looked at before an openat that is refused as well",
    errno: "EACCES",
  },
];

/** Calls that are refused by errno because their callers have something to fall back on. */
export const refusedByErrno: readonly Rule[] = [...unavailable, ...noFiles];
