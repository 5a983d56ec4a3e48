// Whether a server is as it was: its processes, their descriptors, and what a broker holds of memory.
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Finding } from "../../lab/judge.ts";
import { family, isAlive, openFds, zombiesOf, type Process } from "../../lab/processes.ts";

/** A broker's own memory: it holds one message, one user and one configuration. docs/limits.md has its parts, docs/fuzzing.md this sum. */
export const maxBrokerBytes = 64 * 1024 * 1024;
const pageBytes = 4096;
const settleMs = 30_000;
const lookEveryMs = 50;

/** Anonymous memory that is resident, bytes (proc_pid_statm(5)): what its process wrote, and of its zygote's what is not copied yet. 0: gone. */
export function anonymousBytes(pid: number): number {
  try {
    const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, "latin1").split(" ").map(Number); // prettier-ignore
    return (resident - shared) * pageBytes;
  } catch {
    return 0;
  }
}
/** Where a process is that does nothing: for a finding. */
export function whereabouts(pid: number): string {
  const read = (name: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, "latin1").trim();
    } catch {
      return "gone";
    }
  };
  const [, state = "gone"] = /^State:\s*(.*)$/m.exec(read("status")) ?? [];
  return `process ${pid} (${state}) in system call ${read("syscall").split(" ")[0] ?? ""}`;
}

interface Census {
  readonly processes: readonly Process[];
  readonly zombies: number;
  /** Of the listener. */
  readonly fds: number;
}
const census = (pid: number): Census => {
  const processes = family(pid);
  return { processes, zombies: zombiesOf(new Set(processes.map((each) => each.pid))).length, fds: openFds(pid) }; // prettier-ignore
};
const count = ({ processes, zombies, fds }: Census): string => `${processes.length} processes, ${zombies} zombies, ${fds} descriptors of the listener`; // prettier-ignore

/** What a server has while nobody is connected. */
export class Baseline {
  readonly #pid: number;
  readonly #before: Census;

  private constructor(pid: number, before: Census) {
    this.#pid = pid;
    this.#before = before;
  }
  /** Of a listener that was just started: once it has at least so many processes, and changes no more. RangeError when it never has. */
  static async of(pid: number, fewest: number): Promise<Baseline> {
    const deadline = performance.now() + settleMs;
    let before = census(pid);
    for (let same = 0; same < 10;) {
      await pause(lookEveryMs);
      const now = census(pid);
      const isWhole = now.processes.length >= fewest && now.zombies === 0;
      if (!isWhole && performance.now() > deadline) throw new RangeError(`the server has ${count(now)} after its start; ${fewest} processes are due`); // prettier-ignore
      same = isWhole && count(now) === count(before) ? same + 1 : 0;
      before = now;
    }
    return new Baseline(pid, before);
  }

  /** Null as soon as it has no more than it had; a finding when that does not come about. */
  async returned(): Promise<Finding | null> {
    const deadline = performance.now() + settleMs;
    for (;;) {
      const now = census(this.#pid);
      const isBack = now.processes.length <= this.#before.processes.length && now.zombies === 0 && now.fds <= this.#before.fds; // prettier-ignore
      if (isBack) return null;
      if (performance.now() > deadline) {
        const titles = now.processes.map(({ pid, title }) => `${pid} ${title}`).join(", ");
        return { oracle: "left-behind", text: `${count(now)}; ${count(this.#before)} at the start: ${titles}` }; // prettier-ignore
      }
      await pause(lookEveryMs);
    }
  }
  /** All of it, now. */
  family(): Process[] {
    return family(this.#pid);
  }
}

/** Null as soon as none of them lives. */
export async function gone(processes: readonly Process[]): Promise<Finding | null> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const alive = processes.filter(isAlive);
    if (alive.length === 0) return null;
    if (performance.now() > deadline) return { oracle: "left-behind", text: `after its end: ${alive.map(({ pid, title }) => `${pid} ${title}`).join(", ")}` }; // prettier-ignore
    await pause(lookEveryMs);
  }
}
