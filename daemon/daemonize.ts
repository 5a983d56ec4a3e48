// Into the background: this process starts the server in a session of its own, and waits until it listens or has said why it cannot.
import { closeFd, openFd, pipeFds, readFd } from "../native/descriptors.ts";
import { waitPid, waitReadable } from "../native/process.ts";
import { spawnOurs } from "./runtime.ts";

/** Where the server tells that it listens: `statusFd` in the child. */
export const statusFd = 3;
const O_RDWR = 2;
const signalledStatus = 128;
const forever = -1;

/** Returns the exit status for this process. The server's messages up to then are on our stderr, which it shares. */
export function daemonize(args: readonly string[]): number {
  const [readEnd, writeEnd] = pipeFds();
  const nullFd = openFd("/dev/null", O_RDWR, 0);
  const pid = spawnOurs("main", { args, fds: [nullFd, nullFd, 2, writeEnd], detached: true });
  closeFd(writeEnd);
  waitReadable(Int32Array.of(readEnd), forever);
  if (readFd(readEnd, new Uint8Array(1), 0, 1) === 1) return 0;
  const ended = waitPid(pid, false);
  return ended?.status ?? signalledStatus + (ended?.signal ?? 0);
}
