// The broker's hold on its session process: forked, looked at from outside, limited, ended and reaped.
import { closeFd } from "../native/descriptors.ts";
import { populate, type PagesOfPair } from "../native/prefault.ts";
import { forkProcess, killPid, prlimit, waitPid, type Ended } from "../native/process.ts";
import type { SessionConfinement } from "../sandbox/confine-session.ts";
import { resource } from "../sandbox/constants.ts";
import { verifySessionProcess, type Verification } from "../sandbox/verify.ts";

const SIGKILL = 9;
/** Descriptors 0 to this, beside those of channels: the runtime's, the sockets to broker and worker, the connection. */
const ownDescriptors = 64;
/** Input, output, error output or a pty for each session, and one that is closing. */
const descriptorsPerSession = 4;
const hardLimit = 1024;

export class SessionProcess {
  readonly pid: number;
  readonly #privsep: SessionConfinement;
  #ended: Ended | undefined;

  constructor(pid: number, privsep: SessionConfinement) {
    this.pid = pid;
    this.#privsep = privsep;
  }

  /** Everything that /proc shows of it, against what is required. */
  verify(claimedMissing: readonly string[]): Verification {
    return verifySessionProcess(this.pid, this.#privsep, claimedMissing);
  }

  #limitDescriptors(soft: number): void {
    prlimit(this.pid, this.#privsep.uid, this.#privsep.gid, resource.nofile, soft, hardLimit);
  }
  /** No descriptor can arrive by SCM_RIGHTS any more: the kernel finds no number for it. */
  forbidDescriptors(): void {
    this.#limitDescriptors(0);
  }
  /** After authentication: as many as its sessions need. */
  permitDescriptors(maxSessions: number): void {
    this.#limitDescriptors(
      Math.min(hardLimit, ownDescriptors + descriptorsPerSession * maxSessions),
    );
  }

  /** Ended by itself already, as far as the kernel says now. */
  poll(): Ended | undefined {
    this.#ended ??= waitPid(this.pid, true) ?? undefined;
    return this.#ended;
  }
  /** Kills it if it lives, and reaps it. How it ended, before our signal if it was so. */
  end(): Ended {
    const ended = this.poll();
    if (ended !== undefined) return ended;
    killPid(this.pid, SIGKILL);
    this.#ended = waitPid(this.pid, false) ?? { pid: this.pid, coreDumped: false, cpuUs: 0 };
    return this.#ended;
  }
}

/** In the parent: the child's handle. In the child: null; nothing is closed there yet. */
export function forkSessionProcess(
  privsep: SessionConfinement,
  pages: PagesOfPair,
): SessionProcess | null {
  const pid = forkProcess(true);
  if (pid === 0) {
    populate(pages.session);
    return null;
  }
  for (const fd of Object.values(privsep.namespaces) as (number | undefined)[])
    if (fd !== undefined) closeFd(fd);
  // Not before: the fork would have made every page shared again.
  populate(pages.broker);
  return new SessionProcess(pid, privsep);
}
