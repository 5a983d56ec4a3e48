// How the end of a forked or started process is classed, and what the log says of it.
import { constants } from "node:os";

/** done: nothing to say. failed: it gave up with an error. killed: from outside. crashed: a fault of its own. violation: by its filter. */
export type EndClass = "done" | "failed" | "killed" | "crashed" | "violation";

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);
/** An administrator's way of ending one connection; SIGKILL among them is told, for it may be the kernel out of memory. */
const fromOutside: ReadonlySet<string> = new Set([
  "SIGHUP",
  "SIGINT",
  "SIGTERM",
  "SIGKILL",
  "SIGQUIT",
]);

export interface ProcessEnd {
  /** Exit status, or the signal's number when `bySignal`. */
  readonly status: number;
  readonly bySignal: boolean;
}

export function classifyEnd(end: ProcessEnd): EndClass {
  if (!end.bySignal) return end.status === 0 ? "done" : "failed";
  const name = signalNames.get(end.status) ?? "";
  if (name === "SIGSYS") return "violation";
  return fromOutside.has(name) ? "killed" : "crashed";
}

/** "exit status 1", "signal SIGKILL". */
export function describeEnd(end: ProcessEnd): string {
  return end.bySignal
    ? `signal ${signalNames.get(end.status) ?? end.status}`
    : `exit status ${end.status}`;
}
