// Reading, writing and closing descriptors without libuv's streams: no type guessing, no threads, no queues.
import { addon } from "./addon.ts";

const raw = addon as unknown as {
  read: (fd: number, buffer: Uint8Array, offset: number, length: number) => number;
  write: (fd: number, buffer: Uint8Array, offset: number, length: number) => number;
  closeFd: (fd: number) => void;
  dupFd: (fd: number) => number;
  setNonBlocking: (fd: number, on: boolean) => void;
  setCloseOnExec: (fd: number, on: boolean) => void;
  pipe: () => [number, number];
  openFd: (path: string, flags: number, mode: number) => number;
  memfd: (name: string, content: Uint8Array) => number;
  closeAllExcept: (keep: number[]) => void;
  growPipe: (fd: number, bytes: number) => boolean;
  openFds: () => number[];
  isatty: (fd: number) => boolean;
  openAuditLog: () => number;
  openKernelMessages: () => number;
};

/** Would block: the descriptor had nothing to read, or no room to write. */
export const WOULD_BLOCK = -1;

/**
 * `read(2)` into `buffer[offset, offset + length)`. Returns bytes read, 0 at the end of file, or WOULD_BLOCK. A pty
 * master whose slave side is gone (EIO) reads as the end. Throws the errno otherwise (ECONNRESET and so on). EINTR is retried. So it is not for
 * regular files, where EIO is a bad disk: asking which it is would take a system call that filters forbid.
 */
export const readFd = raw.read;
/** `write(2)`: bytes written (may be short) or WOULD_BLOCK. SIGPIPE never comes: EPIPE is thrown. */
export const writeFd = raw.write;
/** Closes; EBADF throws (two owners are a bug). */
export const closeFd = raw.closeFd;
/** `F_DUPFD_CLOEXEC`; the caller owns the result. */
export const dupFd = raw.dupFd;
export const setNonBlocking = raw.setNonBlocking;
export const setCloseOnExec = raw.setCloseOnExec;
/** `pipe2(O_CLOEXEC)`: [read end, write end], blocking. */
export const pipeFds = raw.pipe;
/** `F_SETPIPE_SZ`. False: the kernel refuses, since the user holds enough pipe pages already (pipe(7)); the pipe is as before. */
export const growPipe = raw.growPipe;
/** `open(2)` with O_CLOEXEC added. */
export const openFd = raw.openFd;
/** A sealed, read-only memory file holding `content`, offset 0. */
export const memfd = raw.memfd;
/** Closes every descriptor of this process that is not in `keep` (`close_range`). */
export const closeAllExcept = raw.closeAllExcept;
/** The open descriptors by `/proc/self/fd`, without the one used to list them, sorted. */
export const openFds = raw.openFds;
export const isatty = raw.isatty;
/**
 * The kernel's audit records about filters from now on: one a read behind 16 bytes of header. Non-blocking, the caller's. Needs CAP_AUDIT_READ
 * (EPERM); EPROTONOSUPPORT where the kernel has no audit.
 */
export const openAuditLog = raw.openAuditLog;
/** `/dev/kmsg` from its end: one message a read, EPIPE when some were lost. Non-blocking, the caller's. */
export const openKernelMessages = raw.openKernelMessages;
