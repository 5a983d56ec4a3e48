// The listener looks at each broker from outside, before it gives it a connection.
import { keptCapabilities } from "./confine-broker.ts";
import { inheritedFilters } from "./inherited-filters.ts";
import { statusOf } from "./proc-status.ts";
import { limitsCheck } from "./verify.ts";

const hex = (set: bigint): string => set.toString(16).padStart(16, "0");
const none = hex(0n);
const kept = hex(keptCapabilities);

/** What is wrong with it, each as `FIELD is VALUE`; empty when it is confined. `inherited`: filters that it was started with. */
export function unconfinedBroker(
  pid: number,
  isRoot: boolean,
  inherited = inheritedFilters,
): string[] {
  const wanted: readonly (readonly [string, string])[] = [
    ["Threads", "1"],
    ["NoNewPrivs", "1"],
    ["Seccomp", "2"],
    ["Seccomp_filters", String(inherited + 1)],
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
  let unlimited: string | undefined;
  try {
    status = statusOf(`/proc/${pid}/status`);
    unlimited = limitsCheck(`/proc/${pid}`);
  } catch {
    return ["it has ended"];
  }
  return [
    ...wanted
      .filter(([field, value]) => status.get(field) !== value)
      .map(([field]) => `${field} is ${status.get(field) ?? "absent"}`),
    ...(unlimited === undefined ? [] : [`${unlimited} is not 0`]),
  ];
}
