// What /proc shows of a process, thread by thread. What it does not show is said to be unseen, not assumed.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { statusOf } from "../../sandbox/proc-status.ts";

export interface ThreadFacts {
  readonly tid: number;
  readonly name: string;
  readonly noNewPrivs: boolean;
  /** Mode: 0 none, 2 filter. */
  readonly seccomp: number;
  readonly filters: number;
  readonly capabilities: Readonly<Record<"permitted" | "effective" | "inheritable" | "bounding" | "ambient", string>>; // prettier-ignore
}
export interface ProcessFacts {
  /** Real, effective, saved, file system. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  readonly threads: readonly ThreadFacts[];
  /** Kind to whether it is another than the listener's; "unseen" without CAP_SYS_PTRACE over it. */
  readonly namespaces: Readonly<Record<string, "own" | "the listener's" | "unseen">>;
  /** Entries in its root directory, or "unseen". */
  readonly rootEntries: number | "unseen";
  readonly limits: Readonly<Record<string, string>>;
  /** What each leads to, as the kernel names it; "unseen" as namespaces. */
  readonly descriptors: readonly { readonly fd: number; readonly is: string }[] | "unseen";
}

const numbers = (text = ""): number[] => text.split(/\s+/).filter((word) => word !== "").map(Number); // prettier-ignore

function seen<T>(look: () => T): T | "unseen" {
  try {
    return look();
  } catch {
    return "unseen";
  }
}

function threadFacts(path: string, tid: string): ThreadFacts {
  const status = statusOf(`${path}/${tid}/status`);
  const field = (name: string): string => status.get(name) ?? "";
  return {
    tid: Number(tid),
    name: field("Name"),
    noNewPrivs: field("NoNewPrivs") === "1",
    seccomp: Number(field("Seccomp")),
    filters: Number(field("Seccomp_filters")),
    capabilities: {
      permitted: field("CapPrm"),
      effective: field("CapEff"),
      inheritable: field("CapInh"),
      bounding: field("CapBnd"),
      ambient: field("CapAmb"),
    },
  };
}

/** Soft and hard of each. */
function limitsOf(proc: string): Record<string, string> {
  const lines = readFileSync(`${proc}/limits`, "latin1").split("\n").slice(1);
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, soft, hard] = /^(Max .*?) {2,}(\S+) +(\S+)/.exec(line) ?? [];
      return name === undefined ? [] : [[name, `${soft ?? ""} ${hard ?? ""}`]];
    }),
  );
}

/** undefined when it has ended. */
export function processFacts(pid: number, listenerPid: number): ProcessFacts | undefined {
  const proc = `/proc/${pid}`;
  try {
    const status = statusOf(`${proc}/status`);
    const kinds = readdirSync(`${proc}/ns`).filter((kind) => !kind.endsWith("_for_children"));
    const namespaces = kinds.map((kind) => {
      const own = seen(() => readlinkSync(`${proc}/ns/${kind}`));
      const listeners = seen(() => readlinkSync(`/proc/${listenerPid}/ns/${kind}`));
      if (own === "unseen" || listeners === "unseen") return [kind, "unseen"] as const;
      return [kind, own === listeners ? "the listener's" : "own"] as const;
    });
    return {
      uids: numbers(status.get("Uid")),
      gids: numbers(status.get("Gid")),
      groups: numbers(status.get("Groups")),
      threads: readdirSync(`${proc}/task`).map((tid) => threadFacts(`${proc}/task`, tid)),
      namespaces: Object.fromEntries(namespaces),
      rootEntries: seen(() => readdirSync(`${proc}/root/`).length),
      limits: limitsOf(proc),
      descriptors: seen(
        () =>
        readdirSync(`${proc}/fd`).map((fd) => ({ fd: Number(fd), is: readlinkSync(`${proc}/fd/${fd}`) })), // prettier-ignore
      ),
    };
  } catch {
    return undefined;
  }
}
