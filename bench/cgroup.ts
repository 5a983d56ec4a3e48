// A control group for each server under measurement: its CPU time counts every process it ever had, reparented or reaped or not.
import { setTimeout as pause } from "node:timers/promises";
import { mkdirSync, readFileSync, readlinkSync, rmdirSync, existsSync } from "node:fs";

const v1 = "/sys/fs/cgroup/cpuacct";
const v2 = "/sys/fs/cgroup";

export interface Memory {
  /** Private_Clean + Private_Dirty, KiB. */
  readonly privateKiB: number;
  /** Proportional set size, KiB. */
  readonly proportionalKiB: number;
  readonly processes: number;
}

export class ControlGroup {
  readonly #path: string;
  readonly #isV1 = existsSync(`${v1}/cpuacct.usage`);

  constructor(name: string) {
    this.#path = `${this.#isV1 ? v1 : v2}/sallyport-bench-${name}-${process.pid}`;
    mkdirSync(this.#path);
  }

  /** A shell prefix: the program that follows runs inside. */
  get enter(): string {
    return `echo $$ > ${this.#path}/cgroup.procs`;
  }
  /** Microseconds of CPU, user and system, of everything inside since the beginning. */
  cpuUs(): number {
    if (this.#isV1) return Number(readFileSync(`${this.#path}/cpuacct.usage`, "latin1")) / 1000;
    return Number(
      /^usage_usec (\d+)/m.exec(readFileSync(`${this.#path}/cpu.stat`, "latin1"))?.[1] ?? 0,
    );
  }
  pids(): number[] {
    return readFileSync(`${this.#path}/cgroup.procs`, "latin1")
      .split("\n")
      .filter(Boolean)
      .map(Number);
  }
  /** Of the processes whose program is the server's, users' shells left out. */
  memory(isServer: (exe: string) => boolean): Memory {
    let privateKiB = 0;
    let proportionalKiB = 0;
    let processes = 0;
    for (const pid of this.pids()) {
      try {
        if (!isServer(readlinkSync(`/proc/${pid}/exe`))) continue;
        const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
        const field = (name: string): number =>
          Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(rollup)?.[1] ?? 0);
        privateKiB += field("Private_Clean") + field("Private_Dirty");
        proportionalKiB += field("Pss");
        processes += 1;
      } catch {
        // It ended meanwhile.
      }
    }
    return { privateKiB, proportionalKiB, processes };
  }
  /** Kills what is left inside, waits until nothing is, and removes the group. */
  async end(): Promise<void> {
    for (let pids = this.pids(); pids.length > 0; pids = this.pids()) {
      for (const pid of pids) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It ended meanwhile.
        }
      }
      await pause(50);
    }
    rmdirSync(this.#path);
  }
}
