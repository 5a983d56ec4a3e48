// Processes: the zygote's fork, exits that do not hang in a forked child, waiting, limits of others.
import { addon } from "./addon.ts";
import { hookExits } from "./fork-exits.ts";

export interface Ended {
  pid: number;
  /** Exit status, when it exited. */
  status?: number;
  /** Signal number, when one killed it. */
  signal?: number;
  coreDumped: boolean;
  /** CPU time of the process and the children it waited for, microseconds. */
  cpuUs: number;
}

const raw = addon as unknown as {
  fork: (newPidNamespace: boolean) => number;
  remakeLoop: () => void;
  turnLoop: () => void;
  loopFds: () => number[];
  exitNow: (status: number) => never;
  waitPid: (pid: number, noHang: boolean) => Ended | null;
  killPid: (pid: number, signal: number) => boolean;
  currentPid: () => number;
  parentPid: () => number;
  openPidFd: (pid: number) => number;
  signalByPidFd: (pidFd: number, signal: number) => boolean;
  waitReadable: (fds: Int32Array, timeoutMs: number) => number[];
  prlimit: (
    pid: number,
    uid: number,
    gid: number,
    resource: number,
    soft: number,
    hard: number,
  ) => void;
  setTitle: (title: string, withName: boolean) => void;
  spawn: (options: SpawnOptions) => number;
  setsid: () => void;
};

/** Once, in the process that will fork: hooks `exitNow` behind process.reallyExit, uncaught errors and the natural end. */
export const prepareFork = hookExits;
/**
 * `fork(2)` of a single-threaded `--jitless --single-threaded` Node: MADV_DOFORK on every mapping, then in the child
 * `remakeLoop`. Returns the child's pid (0 in the child). `newPidNamespace`: the child is pid 1 of its own pid namespace when
 * the kernel lets us (EPERM falls back: the caller sees it in `/proc/PID/status` NSpid). In the child all signals are unblocked
 * and at their defaults, but SIGPIPE, which is ignored; `process.on("SIGTERM")` and its like do nothing there. Throws EBUSY
 * when this process has threads that a child would miss (libuv's pool, workers).
 */
export const forkProcess = raw.fork;
/**
 * `uv_loop_fork()` in this process, so that the event loop calls `epoll_ctl` and not `io_uring_enter`. A forked child has had it;
 * a process that was exec'd (`--single-threaded`, whose other threads are idle) calls it before its filter, while nothing is
 * under way in libuv's pool: for a moment no thread gets new memory from the kernel.
 */
export const remakeLoop = raw.remakeLoop;
/**
 * One turn of the event loop, without waiting: what is due runs now. Only in code that the loop itself has not called (the zygote's main,
 * which it has not reached yet). Finalizers of native objects are what a zygote wants out of the way before it forks.
 */
export const turnLoop = raw.turnLoop;
/** The descriptors of the event loop itself, for `closeAllExcept` and for comparing with `openFds`. */
export const loopFds = raw.loopFds;
/** `_exit(2)`: `process.exit()` joins threads that do not exist in a forked child, and hangs. */
export const exitNow: (status: number) => never = raw.exitNow;
/** `wait4`; null when `noHang` and nothing has ended. `pid` -1 waits for any child. ECHILD throws. */
export const waitPid = raw.waitPid;
/** False when there is no such process. */
export const killPid = raw.killPid;
/** Not cached, unlike `process.pid`. */
export const currentPid = raw.currentPid;
export const parentPid = raw.parentPid;
export const openPidFd = raw.openPidFd;
export const signalByPidFd = raw.signalByPidFd;
/** Blocking `poll(2)` for input, without the event loop (the zygote's loop): the descriptors that are readable, hung up or in error. */
export const waitReadable = raw.waitReadable;
/**
 * `prlimit(2)` on another process. Its rule wants CAP_SYS_RESOURCE (which containers lack) or equal real ids, so the real uid
 * and gid become `uid`/`gid` for the moment of the call and come back. RLIMIT_* numbers; Infinity is RLIM_INFINITY.
 */
export const prlimit = raw.prlimit;
/** What `ps` shows (argv area rewritten). */
export const setTitle = (title: string): void => {
  raw.setTitle(title, true);
};
/** The same without a system call, for filtered processes: the short name (`comm`) stays as the last `setTitle` left it. */
export const retitle = (title: string): void => {
  raw.setTitle(title, false);
};
export const setsid = raw.setsid;

export interface SpawnOptions {
  file: string;
  /** argv[0] included; bytes stay bytes. */
  argv: (string | Uint8Array)[];
  /** `NAME=value`. Nothing else is inherited. */
  env: (string | Uint8Array)[];
  cwd?: string;
  /** Child's descriptor i becomes a duplicate of fds[i]; all others are closed. */
  fds: number[];
  /** A new session; with `controllingTerminal` the child's fd 0 becomes its controlling terminal. */
  setsid?: boolean;
  controllingTerminal?: boolean;
  /** Groups (setgroups), gid and uid, set and verified, in this order, before exec. Absent: unchanged. */
  identity?: { uid: number; gid: number; groups: number[] };
  umask?: number;
}
/**
 * Starts a program (fork + exec in C++, signals reset to default and unblocked, close-on-exec held). Returns its pid once exec has
 * succeeded; throws the errno of the step that failed (`syscall` names it). The caller waits for it.
 */
export const spawnProgram = raw.spawn;
