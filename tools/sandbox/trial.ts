// One attempt, once: a process is forked, confined without the layers named, looked at, let loose, and its end judged.
import { closeFd, openFd } from "../../native/descriptors.ts";
import { forkProcess, waitReadable } from "../../native/process.ts";
import { receiveMessage, sendMessage, seqpacketPair } from "../../native/sockets.ts";
import { SessionProcess } from "../../broker/session-process.ts";
import type { SessionConfinement } from "../../sandbox/confine-session.ts";
import type { LayerName } from "../../sandbox/layers.ts";
import { execStatus, type Attempt } from "./attempt.ts";
import { provedRoles, type ProvedRole } from "./proved-roles.ts";
import { maxReportBytes, runChild, type ChildReport } from "./confined-child.ts";
import type { Field } from "./field.ts";

const SIGKILL = 9;
/** For confinement, and then for the attempt: a busy machine, and one that hangs. */
const patienceMs = 10_000;

/** How an attempt ended. */
export type Outcome =
  | { readonly how: "through"; readonly detail: string }
  | {
      readonly how: "refused";
      readonly errno: number;
      readonly call: string;
      readonly nr: number;
      readonly args: readonly string[];
      readonly isForeign: boolean;
    }
  | { readonly how: "killed"; readonly signal: number }
  /** Neither: the tool or the machine failed. Never taken for a success of the sandbox. */
  | { readonly how: "error"; readonly text: string };

function awaitReport(fd: number): ChildReport | undefined {
  if (waitReadable(Int32Array.of(fd), patienceMs).length === 0)
    return { kind: "error", text: `nothing was heard for ${patienceMs / 1000} seconds` };
  const bytes = new Uint8Array(maxReportBytes);
  const message = receiveMessage(fd, bytes);
  if (message === null || message.length === 0) return undefined;
  const text = Buffer.from(bytes.subarray(0, message.length)).toString("utf8");
  return JSON.parse(text) as ChildReport; // our own child wrote it: nothing here guards against it
}

function letGo(fd: number, attempt: Attempt, secret: string): void {
  const sent = attempt.isSentDescriptor === true ? [openFd(secret, 0, 0)] : [];
  sendMessage(fd, Uint8Array.of(1), 0, 1, []);
  sendMessage(fd, Uint8Array.of(2), 0, 1, sent);
  for (const one of sent) closeFd(one);
}

/**
 * Throws when the process cannot be confined as is required; what it was let loose on is as before when this returns, but for the namespaces
 * of `privsep`, which stay the caller's.
 */
export function trial(
  role: ProvedRole,
  attempt: Attempt,
  field: Field,
  privsep: SessionConfinement,
  without: ReadonlySet<LayerName>,
): Outcome {
  field.rewind();
  const [ours, theirs] = seqpacketPair();
  const { targets } = field;
  const pid = forkProcess(role === "session" && !without.has("pidns"));
  if (pid === 0) {
    closeFd(ours);
    runChild({ role, attempt, targets, confinement: privsep, without, fd: theirs });
  }
  closeFd(theirs);
  const ids = without.has("identity") ? { uid: 0, gid: 0 } : {};
  const child = new SessionProcess(pid, { ...privsep, ...ids });
  try {
    const confined = awaitReport(ours);
    if (confined?.kind !== "confined")
      throw new Error(`Cannot confine: ${confined?.kind === "error" ? confined.text : "it died"}`);
    if (without.size === 0) {
      const fatal = role === "session" ? child.verify(confined.missing).fatal : provedRoles[role].verify(pid, privsep); // prettier-ignore
      if (fatal.length > 0) throw new Error(`Cannot confine: ${fatal.join("; ")}`);
    }
    if (role === "session" && !without.has("rlimits")) child.forbidDescriptors();
    letGo(ours, attempt, targets.secret);
    const outcome = judge(attempt, awaitReport(ours), child);
    const touched = field.touched();
    if (touched === undefined) return outcome;
    field.restore();
    // Whatever it said itself.
    return { how: "through", detail: touched };
  } finally {
    child.end();
    closeFd(ours);
  }
}

function judge(attempt: Attempt, report: ChildReport | undefined, child: SessionProcess): Outcome {
  if (report?.kind === "through") return { how: "through", detail: "the kernel did it" };
  if (report?.kind === "refused") return { how: "refused", ...report };
  if (report?.kind === "error") return { how: "error", text: report.text };
  // Its socket is closed: it has become a program, or has died.
  const ended = awaitEnd(child);
  if (ended.coreDumped && attempt.succeedsBy === "core")
    return { how: "through", detail: "a core was written" };
  if (ended.signal !== undefined && ended.signal !== SIGKILL)
    return { how: "killed", signal: ended.signal };
  if (ended.status === execStatus && attempt.succeedsBy === "exec")
    return { how: "through", detail: "the program ran" };
  return { how: "error", text: `it ended with status ${ended.status ?? 0} and said nothing` };
}

function awaitEnd(child: SessionProcess): ReturnType<SessionProcess["end"]> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    const ended = child.poll();
    if (ended !== undefined) return ended;
    if (performance.now() > endMs) return child.end();
    waitReadable(new Int32Array(), 1);
  }
}
