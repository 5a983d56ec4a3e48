// The listener looks at its signer from outside, thread by thread, before a broker gets a channel to it.
import { readdirSync } from "node:fs";
import { inheritedFilters } from "./inherited-filters.ts";
import { statusOf } from "./proc-status.ts";
import { limitsCheck } from "./verify.ts";

export interface SignerExpectations {
  readonly uid: number;
  readonly gid: number;
  /** False when the server does not run as root. */
  readonly changeIdentity: boolean;
}
const noCapability = "0000000000000000";
/** Its policy, and the lock against new threads. */
const ownFilters = 2;

/**
 * What is wrong with a thread, each as `NAME (TID): what was seen`; empty when all are confined. Throws when the process is gone.
 * `inherited`: filters that it was started with.
 */
export function unconfinedSigner(
  pid: number,
  { uid, gid, changeIdentity }: SignerExpectations,
  inherited = inheritedFilters,
): string[] {
  const four = (id: number): string => [id, id, id, id].join("\t");
  const wanted: readonly (readonly [string, string])[] = [
    ["NoNewPrivs", "1"],
    ["Seccomp", "2"],
    ["Seccomp_filters", String(inherited + ownFilters)],
    ["CapEff", noCapability],
    ["CapPrm", noCapability],
    ["CapInh", noCapability],
    ["CapAmb", noCapability],
    ...(changeIdentity
      ? ([
          ["CapBnd", noCapability],
          ["Uid", four(uid)],
          ["Gid", four(gid)],
          ["Groups", ""],
        ] as const)
      : []),
  ];
  const proc = `/proc/${pid}`;
  const unlimited = limitsCheck(proc);
  const threads = readdirSync(`${proc}/task`).flatMap((tid) => {
    const status = statusOf(`${proc}/task/${tid}/status`);
    return wanted
      .filter(([field, value]) => status.get(field) !== value)
      .map(
        ([field]) =>
          `${status.get("Name") ?? "thread"} (${tid}): ${field} is ${status.get(field) ?? "absent"}`,
      );
  });
  return [...threads, ...(unlimited === undefined ? [] : [`${unlimited} is not 0`])];
}
