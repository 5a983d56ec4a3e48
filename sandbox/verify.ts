// The broker looks at its session process from outside, in /proc, before a byte of the network reaches it. What the process says of
// itself counts for nothing here.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { inheritedFilters } from "./inherited-filters.ts";
import type { LayerName } from "./layers.ts";
import { statusOf } from "./proc-status.ts";

export interface SessionExpectations {
  readonly uid: number;
  readonly gid: number;
  /** Layers without which the pair is not used. */
  readonly required: ReadonlySet<LayerName>;
}
export interface Verification {
  /** Layers that were looked at; of the others there is only what the process says. */
  readonly checked: readonly LayerName[];
  /** `name: what was seen` for each layer that does not hold. */
  readonly missing: readonly string[];
  /** Those of `missing` that are required: not empty means the pair must end. */
  readonly fatal: readonly string[];
}

const noCapability = "0000000000000000";
/** What a runtime opens for itself: its loop, its wake-ups; the pipes are libuv's for signals. One socket: the broker's. */
const runtimeDescriptor = /^(anon_inode:\[(eventpoll|eventfd)\]|pipe:\[\d+\])$/;

/** One check: nothing when the layer holds, else what was seen instead. */
type Check = () => string | undefined;

function threadChecks(
  proc: string,
  expected: SessionExpectations,
  inherited: number,
): ReadonlyMap<LayerName, Check> {
  const tasks = readdirSync(`${proc}/task`);
  const threads = tasks.map((tid) => statusOf(`${proc}/task/${tid}/status`));
  const each =
    (field: string, want: string): Check =>
    () => {
      if (threads.length !== 1) return `${threads.length} threads`;
      const seen = threads
        .map((status) => status.get(field) ?? "absent")
        .find((value) => value !== want);
      return seen === undefined ? undefined : `${field} is ${seen}`;
    };
  const all =
    (...checks: readonly Check[]): Check =>
    () =>
      checks.map((check) => check()).find((seen) => seen !== undefined);
  const four = (id: number): string => [id, id, id, id].join("\t");
  return new Map<LayerName, Check>([
    [
      "identity",
      all(each("Uid", four(expected.uid)), each("Gid", four(expected.gid)), each("Groups", "")),
    ],
    [
      "capabilities",
      all(
        ...["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((set) => each(set, noCapability)),
      ),
    ],
    ["noNewPrivs", each("NoNewPrivs", "1")],
    ["seccomp", all(each("Seccomp", "2"), each("Seccomp_filters", String(inherited + 1)))],
    [
      "pidns",
      () =>
        (threads[0]?.get("NSpid") ?? "").split("\t").length >= 2
          ? undefined
          : "the broker's pid namespace",
    ],
  ]);
}

/** Compiled once, in the zygote. */
const zeroLimits = [
  "Max processes",
  "Max file size",
  "Max core file size",
  "Max locked memory",
].map((name) => ({ name, isZero: new RegExp(`^${name} +0 +0 `, "m") }));

/** The first limit of `/proc/PID` that is to be 0 and is not. Throws when the process is gone. */
export function limitsCheck(proc: string): string | undefined {
  const limits = readFileSync(`${proc}/limits`, "latin1");
  return zeroLimits.find(({ isZero }) => !isZero.test(limits))?.name;
}

/** Links under /proc/PID want CAP_SYS_PTRACE over an undumpable process; containers may lack it. */
function linkChecks(proc: string): ReadonlyMap<LayerName, Check> {
  const otherNamespace =
    (name: string): Check =>
    () =>
      readlinkSync(`${proc}/ns/${name}`) === readlinkSync(`/proc/self/ns/${name}`)
        ? "the broker's own"
        : undefined;
  return new Map<LayerName, Check>([
    ["netns", otherNamespace("net")],
    ["mntns", otherNamespace("mnt")],
    ["ipcns", otherNamespace("ipc")],
    ["utsns", otherNamespace("uts")],
    ["cgroupns", otherNamespace("cgroup")],
    [
      "root",
      () => {
        const entries = readdirSync(`${proc}/root`);
        return entries.length === 0 ? undefined : `${entries.length} entries in its root`;
      },
    ],
    [
      "descriptors",
      () => {
        const links = readdirSync(`${proc}/fd`).map((fd) => readlinkSync(`${proc}/fd/${fd}`));
        const sockets = links.filter((link) => link.startsWith("socket:")).length;
        const strange = links.find(
          (link) => !link.startsWith("socket:") && !runtimeDescriptor.test(link),
        );
        if (strange !== undefined) return `a descriptor on ${strange}`;
        return sockets === 1 ? undefined : `${sockets} sockets`;
      },
    ],
  ]);
}

/**
 * Looks at every layer of process `pid` that /proc shows. `claimedMissing` is what the process itself reported; it can only add.
 * Landlock, MDWE, securebits and the death signal have no face in /proc: of those the report is all there is. `inherited`: filters that
 * the process was started with, which do not count.
 */
export function verifySessionProcess(
  pid: number,
  expected: SessionExpectations,
  claimedMissing: readonly string[] = [],
  inherited = inheritedFilters,
): Verification {
  const proc = `/proc/${pid}`;
  const checks = new Map<LayerName, Check>([
    ...threadChecks(proc, expected, inherited),
    ["rlimits", () => limitsCheck(proc)],
    ...linkChecks(proc),
  ]);
  const missing = [...claimedMissing];
  for (const [name, check] of checks) {
    let seen: string | undefined;
    try {
      seen = check();
    } catch (cause) {
      seen = `cannot be verified: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
    if (seen !== undefined && !missing.some((line) => line.startsWith(`${name}:`)))
      missing.push(`${name}: ${seen}`);
  }
  return {
    checked: [...checks.keys()],
    missing,
    fatal: missing.filter((line) =>
      expected.required.has(line.slice(0, line.indexOf(":")) as LayerName),
    ),
  };
}
