// What runs on this machine, from /proc: who is whose child, and what is left over.
import { readdirSync, readFileSync, statSync } from "node:fs";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Of setsid(2): a zygote and all that it forks share one. */
  readonly session: number;
  readonly uid: number;
  /** With the pid it names a process for ever: ticks since boot. */
  readonly started: string;
  readonly title: string;
}

/** State, parent and what follows them in /proc/PID/stat (proc_pid_stat(5)); null when it is gone. */
function statOf(pid: string): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold anything, so the fields begin behind the last bracket.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

function read(pid: string): Process | null {
  try {
    const fields = statOf(pid);
    if (fields === null || fields[0] === "Z") return null;
    return {
      pid: Number(pid),
      parent: Number(fields[1]),
      session: Number(fields[3]),
      started: fields[19] ?? "",
      uid: statSync(`/proc/${pid}`).uid,
      title: readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim(),
    };
  } catch {
    return null; // It ended meanwhile.
  }
}

/** All but zombies. */
export const processes = (): Process[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(read)
    .filter((found) => found !== null);

/** The process and all below it. */
export function family(pid: number): Process[] {
  const all = processes();
  const found = all.filter((process) => process.pid === pid);
  // Grows while it is walked: children are pushed behind their parents.
  for (const { pid: parent } of found)
    found.push(...all.filter((process) => process.parent === parent));
  return found;
}

/** SIGKILL; one that has ended since it was seen is dead already. */
export function killSeen({ pid }: Process): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export const isAlive = ({ pid, started }: Process): boolean =>
  read(String(pid))?.started === started;

/** A field of /proc/PID/status. */
export function statusOf(pid: number, field: string): string {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return new RegExp(`^${field}:\\s*(.*)$`, "m").exec(text)?.[1] ?? "";
}

/** Descriptors that it has open; 0 when it is gone. */
export function openFds(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0; // It ended meanwhile.
  }
}
/** Children that have ended and that nobody has reaped, of any of these. */
export const zombiesOf = (parents: ReadonlySet<number>): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      const stat = statOf(pid);
      return stat?.[0] === "Z" && parents.has(Number(stat[1])) ? Number(pid) : 0;
    })
    .filter((pid) => pid > 0);

/** TCP sockets of this machine with that local port that listen or are established (kernel's states 0A and 01). */
export const openSockets = (port: number): number =>
  readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = "", , state = ""]) =>
        local.endsWith(`:${port.toString(16).toUpperCase().padStart(4, "0")}`) &&
        ["0A", "01"].includes(state),
    ).length;
