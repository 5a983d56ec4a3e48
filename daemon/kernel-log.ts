// What the kernel tells of filters that stopped a call. Opened at the start, while that is allowed; read as it comes, the last few kept.
import { openAuditLog, openKernelMessages, readFd } from "../native/descriptors.ts";
import type { Poller } from "../native/poller.ts";
import { parseAuditRecord, type Violation } from "../sandbox/violation.ts";

/** More than an attacker needs to end processes with; a record is asked for within a second. */
const maxKept = 64;
const keptMs = 10_000;
/** Larger than a message of either source. */
const bufferBytes = 16 * 1024;
/** In one go, and then not for a while: who fills the kernel's log must not keep the listener from its connections. */
const maxBatch = 64;
const restMs = 100;
/** struct nlmsghdr. */
const headerBytes = 16;

interface Source {
  readonly name: string;
  open(): number;
  /** The record without what its source puts in front; "" for what is not of the kernel. */
  text(message: Uint8Array): string;
}
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const sources: readonly Source[] = [
  { name: "audit", open: openAuditLog, text: (message) => latin1(message.subarray(headerBytes)) },
  {
    name: "/dev/kmsg",
    open: openKernelMessages,
    // "priority,sequence,time,flags;text": priority is below 8 for the kernel, and what a user wrote there is not.
    text: (message) =>
      /^[0-7],[^;]*;audit: type=1326 (audit\([^\n]*)/.exec(latin1(message))?.[1] ?? "",
  },
];

interface Kept {
  readonly pid: number;
  readonly violation: Violation;
  readonly atMs: number;
}

/** Finds by pid, in the first pid namespace: in a container with pids of its own it finds nothing. */
export class KernelLog {
  readonly #kept: Kept[] = [];
  readonly #why: string[] = [];
  readonly #opened: string[] = [];
  /** Something has come that may be waited for. */
  onRecord: (() => void) | undefined;

  constructor(poller: Poller) {
    const buffer = new Uint8Array(bufferBytes);
    for (const source of sources) {
      try {
        const fd = source.open();
        poller.set(fd, true, false, () => {
          if (this.#read(fd, source, buffer)) return;
          poller.set(fd, false, false);
          setTimeout(() => {
            poller.set(fd, true, false);
          }, restMs);
        });
        this.#opened.push(source.name);
      } catch (error) {
        this.#why.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** "": at least one of its sources is there; else why neither is. */
  get fault(): string {
    return this.#opened.length > 0 ? "" : this.#why.join("; ");
  }

  /** The last call that a filter stopped in that process, lately. */
  find(pid: number): Violation | undefined {
    const sinceMs = performance.now() - keptMs;
    return this.#kept.findLast((one) => one.pid === pid && one.atMs > sinceMs)?.violation;
  }

  /** False: there is more. */
  #read(fd: number, source: Source, buffer: Uint8Array): boolean {
    for (let i = 0; i < maxBatch; i += 1) {
      let count: number;
      try {
        count = readFd(fd, buffer, 0, buffer.length);
      } catch {
        continue; // some were lost (EPIPE, ENOBUFS); what comes next is whole
      }
      if (count <= 0) return true;
      const record = parseAuditRecord(source.text(buffer.subarray(0, count)));
      if (record === undefined) continue;
      this.#kept.push({ ...record, atMs: performance.now() });
      if (this.#kept.length > maxKept) this.#kept.shift();
      this.onRecord?.();
    }
    return false;
  }
}
