// The server's processes, from outside (/proc): what is left behind when no connection is there, and how much a session process has grown.
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Finding } from "../../lab/judge.ts";
import { family, openFds, statusOf, zombiesOf, type Process } from "../../lab/processes.ts";

/** From the end of the last connection to quiet: pairs that were used are reaped and replaced by then, on whatever machine. */
const settleMs = 30_000;
const lookEveryMs = 25;
/**
 * What a session process may take beyond a warm one: its buffers at their bounds (docs/limits.md: 384 KiB in, 2 MiB out, 512 KiB kept during a
 * key exchange), twice while they grow, and what V8 has not collected yet. 5 MiB is what has been seen.
 */
export const mostGrowthKiB = 24 * 1024;

const roleOf = ({ title }: Process): string => /^sallyportd: (\S+)/.exec(title)?.[1] ?? title;
const isWarm = ({ title }: Process): boolean => title.includes("[warm]");
function peakKiB(pid: number): number {
  try {
    return Number.parseInt(statusOf(pid, "VmHWM"), 10) || 0; // a zombie has none
  } catch {
    return 0; // it has ended
  }
}
function childOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ")[0]) || undefined; // prettier-ignore
  } catch {
    return undefined;
  }
}

export class Watch {
  readonly #listener: number;
  readonly #warmPairs: number;
  /** Of processes that stay, when nobody was connected. */
  #descriptors: ReadonlyMap<string, number> | undefined;
  #warmKiB = 0;
  mostGrowthKiB = 0;

  constructor(listener: number, warmPairs: number) {
    this.#listener = listener;
    this.#warmPairs = warmPairs;
  }

  /** Of the session process below that broker, while it is alive. */
  growth(broker: number): Finding | null {
    const session = childOf(broker);
    if (session === undefined || this.#warmKiB === 0) return null;
    const grown = peakKiB(session) - this.#warmKiB;
    if (grown > this.mostGrowthKiB) this.mostGrowthKiB = grown;
    return grown <= mostGrowthKiB ? null : { oracle: "memory", text: `a session process has grown by ${grown} KiB, bound ${mostGrowthKiB} KiB` }; // prettier-ignore
  }

  /** When no connection is there: only what stays is there, with as many descriptors as at first. Waits for it. */
  async quiet(): Promise<Finding | null> {
    const deadline = performance.now() + settleMs;
    for (;;) {
      const left = this.#left();
      if (left.length === 0) return null;
      if (performance.now() > deadline) return { oracle: "left-behind", text: left.join("; ") };
      await pause(lookEveryMs);
    }
  }
  #left(): string[] {
    const all = family(this.#listener);
    const left = zombiesOf(new Set(all.map(({ pid }) => pid))).map((pid) => `zombie ${pid}`);
    const descriptors = new Map<string, number>();
    for (const facts of all) {
      const role = roleOf(facts);
      const isStaying = ["listener", "spawner", "signer", "zygote"].includes(role) || facts.pid === this.#listener; // prettier-ignore
      if (!isStaying && !isWarm(facts)) left.push(`${facts.pid} ${facts.title}`);
      if (isStaying) descriptors.set(role, openFds(facts.pid));
    }
    const warm = all.filter((facts) => isWarm(facts));
    if (all.length === 0) left.push("there is no listener any more");
    // Each has descriptors in listener, zygote and signer.
    for (const role of ["broker", "session", "login"]) {
      const count = warm.filter((facts) => roleOf(facts) === role).length;
      if (count !== this.#warmPairs) left.push(`${count} warm processes ${role}, and not ${this.#warmPairs}`); // prettier-ignore
    }
    if (left.length > 0) return left;
    const session = warm.find((facts) => roleOf(facts) === "session");
    this.#warmKiB ||= session === undefined ? 0 : peakKiB(session.pid);
    this.#descriptors ??= descriptors;
    for (const [role, count] of descriptors) {
      const before = this.#descriptors.get(role) ?? count;
      if (count > before) left.push(`${role} has ${count} descriptors, and had ${before}`);
    }
    return left;
  }
}
