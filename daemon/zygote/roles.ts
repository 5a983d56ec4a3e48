// Hands a forked process to its own main: the one file where the folders meet.
import { runBroker } from "../../broker/main.ts";
import type { Config } from "../../config/load.ts";
import type { Identity } from "../../ipc/worker.ts";
import { closeFd, writeFd } from "../../native/descriptors.ts";
import type { PageRanges } from "../../native/prefault.ts";
import { runSession } from "../../session/main.ts";
import { rehearse as rehearseConnections } from "../../session/rehearsal.ts";
import { runLogin } from "../../worker/main.ts";
import { setOpenFilesLimit, type OpenFilesLimit } from "../open-files.ts";
import type { HostKeyFacts } from "./host-keys.ts";
import type { SessionConfinement } from "../../sandbox/confine-session.ts";
import { rehearseBroker } from "./rehearse-broker.ts";

/** Read by the listener, line by line. */
const stderrFd = 2;

export interface BrokerRole {
  readonly listenerFd: number;
  readonly signerFd: number;
  readonly sessionPages: PageRanges;
  readonly privsep: SessionConfinement;
  readonly config: Config;
  readonly hostKeys: readonly HostKeyFacts[];
  readonly delaySecret: Uint8Array;
  readonly isRecorded: boolean;
}
export interface LoginRole {
  readonly privsep: SessionConfinement;
  readonly openFiles: OpenFilesLimit;
  readonly identity: Identity;
  readonly sessionFd: number;
  readonly config: Config;
}

/** In a fresh child: becomes a broker, and in the process that the broker forks the session process. */
export function enterBroker(role: BrokerRole): void {
  const { privsep, config, hostKeys } = role;
  runBroker({
    ...role,
    runSession: (monitorFd) => {
      runSession({ monitorFd, config, hostKeys, confinement: privsep });
    },
  });
}

/** In a fresh child: becomes a login. */
export function enterLogin({ identity, sessionFd, config, privsep, openFiles }: LoginRole): void {
  for (const fd of Object.values(privsep.namespaces) as (number | undefined)[])
    if (fd !== undefined) closeFd(fd);
  setOpenFilesLimit(openFiles);
  runLogin({ identity, sessionFd, config });
}

/**
 * Whole connections in memory, so that children share what they compile. It only makes them cheaper: a rehearsal that fails is told, and
 * lived without.
 */
export function rehearse(
  config: Config,
  hostKeys: readonly HostKeyFacts[],
  privsep: SessionConfinement,
): void {
  const parts = [
    () => {
      rehearseConnections(config.global);
    },
    () => {
      rehearseBroker(config, hostKeys, privsep);
    },
  ];
  for (const part of parts) {
    try {
      part();
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const line = new TextEncoder().encode(`rehearsal failed: ${why}\n`);
      writeFd(stderrFd, line, 0, line.length);
    }
  }
}
