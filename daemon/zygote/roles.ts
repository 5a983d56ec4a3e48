// Hands a forked process to its own main: the one file where the folders meet.
import { runBroker } from "../../broker/main.ts";
import type { Config } from "../../config/load.ts";
import type { Identity } from "../../ipc/worker.ts";
import { setRlimit } from "../../native/confine.ts";
import { closeFd } from "../../native/descriptors.ts";
import { resource } from "../../sandbox/constants.ts";
import { runSession } from "../../session/main.ts";
import { runLogin } from "../../worker/main.ts";
import type { HostKeyFacts } from "./host-keys.ts";
import type { Prepared, Privsep } from "./prepare.ts";

export interface BrokerRole {
  readonly listenerFd: number;
  readonly signerFd: number;
  readonly privsep: Privsep;
  readonly config: Config;
  readonly hostKeys: readonly HostKeyFacts[];
  readonly delaySecret: Uint8Array;
}
export interface LoginRole extends Prepared {
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
  setRlimit(resource.nofile, ...openFiles);
  runLogin({ identity, sessionFd, config });
}

export function rehearse(_config: Config, _hostKeys: readonly HostKeyFacts[]): void {
  // session/rehearsal.ts
}
