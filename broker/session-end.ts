// How a session process ended that never said that it would.
import type { ConnectionEnd } from "../ipc/listener.ts";
import { readFd } from "../native/descriptors.ts";
import type { Ended } from "../native/process.ts";
import {
  callArguments,
  callName,
  decodeViolation,
  describeCall,
  SIGSYS,
  violationRecordBytes,
  violationStatus,
  type Violation,
} from "../sandbox/violation.ts";

export interface SessionEnd {
  readonly end: Extract<ConnectionEnd, "crash" | "violation">;
  readonly code: string;
  /** Behind "session process PID of PEER". */
  readonly what: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** What it wrote before it ended, with -d; anything could have written there, so that it is told and not believed. */
export function readViolation(fd: number | undefined): Violation | undefined {
  if (fd === undefined) return undefined;
  const bytes = new Uint8Array(violationRecordBytes);
  return readFd(fd, bytes, 0, bytes.length) === bytes.length ? decodeViolation(bytes) : undefined;
}

export function judgeSessionEnd(ended: Ended, violation: Violation | undefined): SessionEnd {
  const about = { process: "session", child: ended.pid, layer: "seccomp" };
  const stopped = { end: "violation", code: "sandbox.violation" } as const;
  if (violation !== undefined && ended.status === violationStatus) {
    const named = { syscall: callName(violation), arguments: callArguments(violation), source: "process" }; // prettier-ignore
    const what = `was stopped by its filter at the system call ${describeCall(violation)}`;
    return { ...stopped, what, fields: { ...about, ...named } };
  }
  // Which call it was stands in the kernel's log, which the listener reads (daemon/log/violation-events.ts).
  if (ended.signal === SIGSYS)
    return { ...stopped, what: "was stopped by its filter", fields: about };
  const how =
    ended.signal === undefined
      ? `exited with status ${ended.status ?? 0}`
      : `was killed by signal ${ended.signal}`;
  return { end: "crash", code: "monitor.session-died", what: how, fields: {} };
}
