// What /proc shows of a process when the recorder looks: its ids, and the layers of confinement that have a face there.
import { readFileSync, readlinkSync } from "node:fs";
import { statusOf } from "../../sandbox/proc-status.ts";
import type { Layer } from "./format.ts";

export interface ProcessFacts {
  readonly uid: number;
  readonly gid: number;
  readonly layers: readonly Layer[];
}

const noCapability = /^0+$/;
const namespaces = { net: "netns", mnt: "mntns", ipc: "ipcns", uts: "utsns", cgroup: "cgroupns" };

/** Undefined when it is gone. */
export function processFacts(pid: number): ProcessFacts | undefined {
  let status: ReadonlyMap<string, string>;
  try {
    status = statusOf(`/proc/${pid}/status`);
  } catch {
    return undefined;
  }
  const of = (field: string): string => status.get(field) ?? "";
  // Real, effective, saved, file system: the effective one counts.
  const effective = (field: string): number => Number(of(field).split("\t")[1] ?? -1);
  const names: string[] = [];
  if (["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].every((set) => noCapability.test(of(set))))
    names.push("capabilities");
  if (of("NoNewPrivs") === "1") names.push("noNewPrivs");
  if (of("Seccomp") === "2") names.push("seccomp");
  if (of("NSpid").split("\t").length > 1) names.push("pidns");
  for (const [file, name] of Object.entries(namespaces)) {
    try {
      if (readlinkSync(`/proc/${pid}/ns/${file}`) !== readlinkSync(`/proc/self/ns/${file}`))
        names.push(name);
    } catch {
      // Not ours to read in some containers: then it is not told.
    }
  }
  const layers = names.map((name) => ({ name, state: "seen" as const }));
  return { uid: effective("Uid"), gid: effective("Gid"), layers };
}

/** The word behind "sallyportd: " in its title: broker, session, login, worker; undefined when it is gone or says something else. */
export function roleOf(pid: number): string | undefined {
  try {
    return /^sallyportd: (\w+)/.exec(readFileSync(`/proc/${pid}/cmdline`, "latin1"))?.[1];
  } catch {
    return undefined;
  }
}
