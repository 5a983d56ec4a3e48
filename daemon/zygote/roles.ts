// Hands a forked process to its own main: the one file where the folders meet.
import { runBroker } from "../../broker/main.ts";
import type { Config } from "../../config/load.ts";
import type { Identity } from "../../ipc/worker.ts";
import { closeFd } from "../../native/descriptors.ts";
import { runSession } from "../../session/main.ts";
import { rehearse as rehearseConnections } from "../../session/rehearsal.ts";
import { runLogin } from "../../worker/main.ts";
import { setOpenFilesLimit, type OpenFilesLimit } from "../open-files.ts";
import type { HostKeyFacts } from "./host-keys.ts";
import type { Privsep } from "./prepare.ts";

export interface BrokerRole {
  readonly listenerFd: number;
  readonly signerFd: number;
  readonly privsep: Privsep;
  readonly config: Config;
  readonly hostKeys: readonly HostKeyFacts[];
  readonly delaySecret: Uint8Array;
}
export interface LoginRole {
  readonly privsep: Privsep;
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

/** Whole connections in memory, so that children share what they compile. Throws when one did not run to its end. */
export function rehearse(config: Config): void {
  rehearseConnections(config.global);
}
