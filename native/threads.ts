// Locking the threads of a JavaScript runtime, and per-thread operations on all of them. Works in any Node process.
// docs/architecture.md "Locking threads" says what is promised.
import { addon } from "./addon.ts";

export type ThreadKind = "main" | "pool" | "v8" | "signal" | "worker" | "other";
export interface ThreadStatus {
  tid: number;
  /** `comm` of the thread. */
  name: string;
  kind: ThreadKind;
  noNewPrivs: boolean;
  /** 0 none, 2 filter. */
  seccomp: number;
  seccompFilters: number;
  /** Effective, permitted, inheritable, bounding, ambient, as in status(5). */
  capabilities: {
    effective: bigint;
    permitted: bigint;
    inheritable: bigint;
    bounding: bigint;
    ambient: bigint;
  };
}
/** The fixed set of operations that can be run on every thread. */
export type ThreadOperation =
  | { operation: "noNewPrivs" }
  | { operation: "seccomp"; program: Uint8Array }
  | { operation: "capabilities"; permitted: bigint; bounding: bigint }
  | { operation: "securebits"; bits: number }
  | { operation: "landlock"; rulesetFd: number };

const raw = addon as unknown as {
  lockRuntimeThreads: () => void;
  runtimeThreadsHandshake: (operation: ThreadOperation) => void;
  setNoNewPrivs: () => void;
  installSeccompFilter: (program: Uint8Array) => void;
  threadReport: () => ThreadStatus[];
};

/**
 * Makes every thread that the runtime may ever want exist now (libuv's whole pool), and no thread after: a filter answers EAGAIN to
 * `clone` of a thread. What would start more is off (SIGUSR1 is ignored where it would start the inspector; `new Worker` throws
 * EAGAIN). Child processes can still be started, and inherit the filter. Where the process lacks CAP_SYS_ADMIN, no_new_privs
 * is set for it. Throws an Error with code `ERR_USER_THREADS` when a `worker_threads` worker lives, `ERR_THREADS_NOT_LOCKED`
 * naming the thread when one cannot be accounted for: the inspector's (`InspectorIo`), an addon's, a worker with a name of its
 * own. Threads are told apart by the names that Node 24 gives them. Idempotent. Cannot be undone.
 */
export function lockRuntimeThreads(): ThreadStatus[] {
  raw.lockRuntimeThreads();
  return raw.threadReport();
}
/**
 * Runs `operation` on every thread and waits for each. First every thread is stopped (by glibc's own signal 33, which a thread cannot
 * block by ordinary means), so that one which does not answer within 5 s (ETIMEDOUT, naming it) leaves all as they were. An
 * operation that fails on one throws its errno, naming the thread; only when the text says that threads differ now, some have been
 * changed, and the process must end. `rulesetFd` stays the caller's. A filter must allow `rt_sigreturn`.
 */
export const runtimeThreadsHandshake = raw.runtimeThreadsHandshake;
/** `PR_SET_NO_NEW_PRIVS` on all threads, or an error. */
export const setNoNewPrivs = raw.setNoNewPrivs;
/** `SECCOMP_SET_MODE_FILTER` with TSYNC: on all threads, or an error naming the one that diverged. `program` is an array of
 * `struct sock_filter` (8 bytes each, native order). Needs no_new_privs first. */
export const installSeccompFilter = raw.installSeccompFilter;
/** `/proc/self/task/<tid>/status` read back, thread by thread. */
export const threadReport = raw.threadReport;
