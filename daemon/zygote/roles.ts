// Hands a forked process to its own main: the one file where the folders meet.
import { runBroker } from "../../broker/main.ts";
import type { Config } from "../../config/load.ts";
import { closeFd, writeFd } from "../../native/descriptors.ts";
import type { PagesOfPair } from "../../native/prefault.ts";
import { exitNow, setTitle } from "../../native/process.ts";
import { runCanary } from "../../session/canary.ts";
import { runSession } from "../../session/main.ts";
import { rehearse as rehearseConnections } from "../../session/rehearsal.ts";
import { runLogin } from "../../worker/main.ts";
import { setOpenFilesLimit, type OpenFilesLimit } from "../open-files.ts";
import { awaitIdentity } from "./await-identity.ts";
import type { HostKeyFacts } from "./host-keys.ts";
import type { BrokerConfinement } from "../../sandbox/confine-broker.ts";
import type { SessionConfinement } from "../../sandbox/confine-session.ts";
import { rehearseBroker } from "./rehearse-broker.ts";

/** Read by the listener, line by line. */
const stderrFd = 2;

export interface BrokerRole {
  readonly listenerFd: number;
  readonly signerFd: number;
  readonly pages: PagesOfPair;
  readonly privsep: SessionConfinement;
  readonly confinement: BrokerConfinement;
  readonly config: Config;
  readonly hostKeys: readonly HostKeyFacts[];
  readonly delaySecret: Uint8Array;
  readonly isRecorded: boolean;
  readonly namesViolations: boolean;
}
export interface LoginRole {
  readonly privsep: SessionConfinement;
  readonly openFiles: OpenFilesLimit;
  readonly orderFd: number;
  readonly config: Config;
}

/** In a fresh child: becomes a broker, and in the process that the broker forks the session process. */
export function enterBroker(role: BrokerRole): void {
  const { privsep, config, hostKeys } = role;
  runBroker({
    ...role,
    runSession: (monitorFd, violationsFd) => {
      runSession({ monitorFd, violationsFd, config, hostKeys, confinement: privsep });
    },
  });
}

/** In a fresh child: becomes the canary, which is a session process but for what it does. */
export function enterCanary(
  reportFd: number,
  config: Config,
  confinement: SessionConfinement,
): void {
  runCanary({ reportFd, options: config.global, confinement });
}

/** In a fresh child: waits to be told for whom, and becomes that user's login. */
export function enterLogin({ orderFd, config, privsep, openFiles }: LoginRole): void {
  setTitle("sallyportd: login [warm]");
  for (const fd of Object.values(privsep.namespaces) as (number | undefined)[])
    if (fd !== undefined) closeFd(fd);
  setOpenFilesLimit(openFiles);
  const assignment = awaitIdentity(orderFd);
  if (assignment === undefined) exitNow(0);
  runLogin({ ...assignment, config });
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
