// What is tried from within broker, signer and listener: all that is tried from within a session process, but for what these are there to do.
import type { Attempt } from "../attempt.ts";
import { sessionAttempts } from "./session.ts";

/** Name to why it is no escape. */
type Permitted = Readonly<Record<string, string>>;

/** Throws when one of them is no attempt. */
function allBut(permitted: Permitted): readonly Attempt[] {
  for (const name of Object.keys(permitted))
    if (!sessionAttempts.some((attempt) => attempt.name === name))
      throw new RangeError(`No attempt is called ${name}`);
  return sessionAttempts.filter(({ name }) => !Object.hasOwn(permitted, name));
}

const reads = "it reads files that are root's: keys, databases, configuration";
const reading: Permitted = {
  openat: reads,
  "old-root": reads,
  "inherited-file": reads,
  "inherited-folder": reads,
  "inherited-folder-up": reads,
  "inherited-proc-fd": reads,
  "list-folder": reads,
  stat: reads,
  statx: reads,
  readlink: reads,
};

export const brokerPermits: Permitted = {
  ...reading,
  "kill-sibling": "the sibling stands for its own session process, which it ends",
  setgroups: "it takes a user's groups while it reads that user's keys",
  "received-descriptor": "the connection comes to it as one",
};
export const signerPermits: Permitted = {
  "inherited-file": "it reads from the sockets that it has, and any descriptor is read alike",
  "received-descriptor": "brokers' channels come to it as such",
};
export const listenerPermits: Permitted = {
  ...reading,
  "file-with-high-bits": reads,
  memfd: "the configuration for the next zygote is one",
  "received-descriptor": "sockets of the sessions' processes come to it as such",
  socketpair: "it makes the sockets of each pair",
  inet6: "a new ListenAddress after SIGHUP",
  "tcp-listen": "a new ListenAddress after SIGHUP",
  "unix-path": "syslog and the service manager are local sockets",
  "unix-abstract": "the same; Landlock keeps it from abstract ones from ABI 6 (Linux 6.12) on",
};

export const brokerAttempts = allBut(brokerPermits);
export const signerAttempts = allBut(signerPermits);
export const listenerAttempts = allBut(listenerPermits);
