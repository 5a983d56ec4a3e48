// The listener looks at each broker from outside, before it gives it a connection.
import { keptCapabilities } from "./confine-broker.ts";
import { statusOf } from "./proc-status.ts";

const hex = (set: bigint): string => set.toString(16).padStart(16, "0");
const none = hex(0n);
const kept = hex(keptCapabilities);

/** What is wrong with it, each as `FIELD is VALUE`; empty when it is confined. */
export function unconfinedBroker(pid: number, isRoot: boolean): string[] {
  const wanted: readonly (readonly [string, string])[] = [
    ["Threads", "1"],
    ["NoNewPrivs", "1"],
    ["Seccomp", "2"],
    ...(isRoot
      ? ([
          ["CapPrm", kept],
          ["CapEff", kept],
          ["CapInh", none],
          ["CapAmb", none],
          ["CapBnd", none],
        ] as const)
      : []),
  ];
  let status: ReadonlyMap<string, string>;
  try {
    status = statusOf(`/proc/${pid}/status`);
  } catch {
    return ["it has ended"];
  }
  return wanted
    .filter(([field, value]) => status.get(field) !== value)
    .map(([field]) => `${field} is ${status.get(field) ?? "absent"}`);
}
