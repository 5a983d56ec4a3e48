// The listener is the last process that the kernel should end for want of memory; what it starts is not (sshd's port-linux.c).
import { readFileSync, writeFileSync } from "node:fs";

const path = (pid: number | "self"): string => `/proc/${pid}/oom_score_adj`;
const neverKilled = "-1000";

/** Protects this process where the kernel lets it; the score as it was, for children, or undefined when nothing was changed. */
export function protectFromOutOfMemory(): string | undefined {
  try {
    const before = readFileSync(path("self"), "latin1").trim();
    writeFileSync(path("self"), neverKilled);
    return before;
  } catch {
    return undefined; // CAP_SYS_RESOURCE is not there: a container
  }
}

/** A child inherits the score of the moment of its fork. */
export function restoreOutOfMemory(pid: number, score: string | undefined): void {
  if (score === undefined) return;
  try {
    writeFileSync(path(pid), score);
  } catch {
    // It has ended already.
  }
}
