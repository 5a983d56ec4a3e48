// The listener is the last process that the kernel should end for want of memory; what it starts is not (sshd's port-linux.c).
import { readFileSync, writeFileSync } from "node:fs";

const path = (pid: number | "self"): string => `/proc/${pid}/oom_score_adj`;
const neverKilled = "-1000";

/** The score as it was, once this process is protected. */
let before: string | undefined;

/** Protects this process where the kernel lets it (CAP_SYS_RESOURCE, which containers lack). */
export function protectFromOutOfMemory(): void {
  try {
    const score = readFileSync(path("self"), "latin1").trim();
    writeFileSync(path("self"), neverKilled);
    before = score;
  } catch {
    // Not ours to decide here.
  }
}

/** A child inherits the protection at its fork: this takes it away. */
export function exposeToOutOfMemory(pid: number): void {
  if (before === undefined) return;
  try {
    writeFileSync(path(pid), before);
  } catch {
    // It has ended already.
  }
}
