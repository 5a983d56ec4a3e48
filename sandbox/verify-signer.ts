// The listener looks at its signer from outside, thread by thread, before a broker gets a channel to it.
import { readdirSync } from "node:fs";
import { statusOf } from "./proc-status.ts";

/** What is wrong with a thread, each as `NAME (TID): what was seen`; empty when all are confined. Throws when the process is gone. */
export function unconfinedThreads(pid: number): string[] {
  const wanted: readonly [string, string][] = [
    ["NoNewPrivs", "1"],
    ["Seccomp", "2"],
    ["CapEff", "0000000000000000"],
    ["CapPrm", "0000000000000000"],
  ];
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) => {
    const status = statusOf(`/proc/${pid}/task/${tid}/status`);
    return wanted
      .filter(([field, value]) => status.get(field) !== value)
      .map(
        ([field]) =>
          `${status.get("Name") ?? "thread"} (${tid}): ${field} is ${status.get(field) ?? "absent"}`,
      );
  });
}
