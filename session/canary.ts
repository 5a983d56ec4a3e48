// The drift canary: a process set up as a session process is, whose filter says which call it stops. It goes through all that a session process
// does (soak.ts) and tells the end of it. The zygote runs one before a new runtime, policy or kernel serves anybody.
import type { ServerOptions } from "../config/options.ts";
import { writeFd } from "../native/descriptors.ts";
import { Poller } from "../native/poller.ts";
import { exitNow, setTitle } from "../native/process.ts";
import { confineSessionProcess, type SessionConfinement } from "../sandbox/confine-session.ts";
import { keepOnly, occupyStandardDescriptors } from "./own-descriptors.ts";
import { prepareSoak } from "./soak.ts";

export interface CanaryInheritance {
  /** A pipe: a violation's record, or the text of what else went wrong. Nothing: all went well. */
  readonly reportFd: number;
  readonly options: ServerOptions;
  readonly confinement: SessionConfinement;
}

const abnormalStatus = 1;

/** In the process that the zygote has just forked: one thread, no Poller yet. Returns at once; the event loop goes on, and ends with exitNow(). */
export function runCanary({ reportFd, options, confinement }: CanaryInheritance): void {
  const fail = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const bytes = Buffer.from(text).subarray(0, 2000);
    writeFd(reportFd, bytes, 0, bytes.length);
    exitNow(abnormalStatus);
  };
  process.on("uncaughtException", fail);
  setTitle("sallyportd: canary");
  keepOnly([reportFd], confinement.namespaces);
  occupyStandardDescriptors();
  const poller = new Poller();
  // The last descriptors that are opened here, as in a session process.
  const soak = prepareSoak(poller, options);
  confineSessionProcess({ ...confinement, required: new Set() }, reportFd);
  soak(() => exitNow(0));
}
