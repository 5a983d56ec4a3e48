// What our processes write to stderr where no log line was made for it (an error nobody caught): read here, line by line, into the log.
import { closeFd, pipeFds, readFd, setNonBlocking, WOULD_BLOCK } from "../native/descriptors.ts";
import type { Poller } from "../native/poller.ts";
import type { EventSink } from "./events.ts";

const maxLineBytes = 2048;
/** Lines taken a second; what is more is lost, so that a process gone wild cannot fill the log. */
const maxLinesASecond = 100;

/** Returns the end to write to, the caller's. The other is watched until nobody holds a writing end. */
export function collectOutput(poller: Poller, events: EventSink): number {
  const [readEnd, writeEnd] = pipeFds();
  setNonBlocking(readEnd, true);
  const buffer = Buffer.alloc(maxLineBytes);
  let held = "";
  let second = 0;
  let lines = 0;
  const tell = (line: string): void => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) lines = 0;
    second = now;
    lines += 1;
    if (line !== "" && lines <= maxLinesASecond) events.event("error", "child.stderr", line);
  };
  const read = (): void => {
    const length = readFd(readEnd, buffer, 0, buffer.length);
    if (length === WOULD_BLOCK) return;
    if (length === 0) {
      poller.remove(readEnd);
      closeFd(readEnd);
      return;
    }
    // latin1: the log escapes what is not printable.
    const parts = (held + buffer.toString("latin1", 0, length)).split("\n");
    held = (parts.pop() ?? "").slice(0, maxLineBytes);
    parts.forEach(tell);
  };
  poller.set(readEnd, true, false, read);
  return writeEnd;
}
