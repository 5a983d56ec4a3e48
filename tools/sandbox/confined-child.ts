// The process in which one attempt is made: confined as a session process is, by the same code in the same order, looked at by its parent, then
// let loose. It ends by what it tried, or says how that went.
import { readFd, setNonBlocking, writeFd } from "../../native/descriptors.ts";
import { Poller } from "../../native/poller.ts";
import { exitNow } from "../../native/process.ts";
import { receiveMessage } from "../../native/sockets.ts";
import type { SessionConfinement } from "../../sandbox/confine-session.ts";
import type { LayerName } from "../../sandbox/layers.ts";
import { keepOnly, occupyStandardDescriptors } from "../../session/own-descriptors.ts";
import type { Attempt, Targets } from "./attempt.ts";
import { provedRoles, type ProvedRole } from "./proved-roles.ts";
import { Refused, call, lastCall } from "./raw-calls.ts";

/** What the child says; bigints as text. */
export type ChildReport =
  | { readonly kind: "confined"; readonly missing: readonly string[] }
  | { readonly kind: "through" }
  | {
      readonly kind: "refused";
      readonly errno: number;
      readonly call: string;
      readonly nr: number;
      readonly args: readonly string[];
      readonly isForeign: boolean;
    }
  | { readonly kind: "error"; readonly text: string };

/** Longest report, bytes: a message socket's packet. */
export const maxReportBytes = 4096;

function say(fd: number, report: ChildReport): void {
  const bytes = Buffer.from(JSON.stringify(report)).subarray(0, maxReportBytes);
  writeFd(fd, bytes, 0, bytes.length);
}

function attemptNow(attempt: Attempt, targets: Targets, fds: readonly number[]): ChildReport {
  try {
    attempt.run(targets, fds);
    return { kind: "through" };
  } catch (error) {
    if (!(error instanceof Refused))
      return { kind: "error", text: error instanceof Error ? error.message : String(error) };
    const { errno, call: name } = error;
    if (attempt.reaches?.includes(errno) === true) return { kind: "through" };
    const { nr, args, isForeign } = lastCall() ?? { nr: 0, args: [], isForeign: false };
    return { kind: "refused", errno, call: name, nr, args: args.map(String), isForeign };
  }
}

/** Blocks until the parent lets it go, in two messages: a byte, then one that may carry descriptors. */
function awaitLeave(fd: number): readonly number[] {
  readFd(fd, new Uint8Array(1), 0, 1);
  for (;;) {
    const message = receiveMessage(fd, new Uint8Array(8));
    if (message !== null) return message.fds;
    call("sched_yield"); // it is on its way, and no filter of ours lets us poll
  }
}

const CLONE_NEWNS = 0x20000;
/** What an attempt mounts or takes away when nothing stops it must not be missed by the next one. */
function leaveSharedMounts(): void {
  try {
    call("unshare", CLONE_NEWNS);
  } catch (error) {
    // Who may not do this may not mount either.
    if (!(error instanceof Refused)) throw error;
  }
}

export interface ChildOptions {
  readonly role: ProvedRole;
  readonly attempt: Attempt;
  readonly targets: Targets;
  readonly confinement: SessionConfinement;
  readonly without: ReadonlySet<LayerName>;
  /** The socket to the parent: the one descriptor that a session process keeps. */
  readonly fd: number;
}

/** In the process that was forked for it. Does not return. */
export function runChild({
  role,
  attempt,
  targets,
  confinement,
  without,
  fd,
}: ChildOptions): never {
  try {
    leaveSharedMounts();
    attempt.prepare?.(targets);
    if (role === "session" && !without.has("descriptors")) {
      keepOnly([fd], confinement.namespaces);
      occupyStandardDescriptors();
      new Poller(); // a session process has one, and its descriptors
    }
    setNonBlocking(fd, false);
    // What cannot be had is reported: the parent, which looks for itself, decides, as a broker does.
    const missing = provedRoles[role].confine({ ...confinement, required: new Set() }, without, targets.siblingPid); // prettier-ignore
    say(fd, { kind: "confined", missing });
    say(fd, attemptNow(attempt, targets, awaitLeave(fd)));
  } catch (error) {
    say(fd, { kind: "error", text: error instanceof Error ? error.message : String(error) });
  }
  exitNow(0);
}
