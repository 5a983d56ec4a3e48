// From a fork of the zygote, as root, to the user's worker.
import type { Config } from "../config/load.ts";
import type { Identity } from "../ipc/worker.ts";
import { closeFd } from "../native/descriptors.ts";
import { Poller } from "../native/poller.ts";
import { exitNow, setTitle } from "../native/process.ts";
import { groupName, groupsOf } from "../native/users.ts";
import { becomeUser } from "./login.ts";
import { Worker } from "./worker.ts";

export interface LoginInheritance {
  readonly identity: Identity;
  /** The socket to the session process; becomes the worker's. */
  readonly sessionFd: number;
  readonly config: Config;
}

/** In the process that the zygote has just forked. Returns at once; the event loop goes on. */
export function runLogin({ identity, sessionFd, config }: LoginInheritance): void {
  setTitle(`sallyportd: login ${identity.user}`);
  // The very facts that the broker resolved by; what it decided is not asked again, what limits the session is.
  const options = config.resolve({
    user: identity.user,
    groups: () =>
      groupsOf(identity.user, identity.gid)
        .map((gid) => groupName(gid))
        .filter((group) => group !== null),
    host: identity.remoteAddress,
    address: identity.remoteAddress,
    localAddress: identity.localAddress,
    localPort: identity.localPort,
  });
  let notice: string | undefined;
  try {
    notice = becomeUser(identity);
  } catch {
    // Fail closed: the session process sees its socket close.
    closeFd(sessionFd);
    exitNow(1);
  }
  setTitle(`sallyportd: worker ${identity.user}`);
  new Worker({ identity, options, poller: new Poller(), notice }, sessionFd);
}
