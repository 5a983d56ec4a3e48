// Why the table (permits.ts) grants what it grants, a line for each cell that is not `never`: what `sallyport trace` shows beside a request.
import type { RequestName } from "../ipc/monitor.ts";
import type { Phase } from "./permits.ts";

type Reasons = Readonly<Partial<Record<RequestName, string>>>;

const preauthLog = "log lines before authentication, bounded: a flood would fill the disk";
const goodbye = "the connection is over, and why: the last request";
const attempt =
  "an attempt to authenticate: bounded here, and its failures by MaxAuthTries, after which nothing is decided any more";

export const permitReasons: Readonly<Record<Phase, Reasons>> = {
  confining: { confined: "its layers are in place: the broker now looks for itself, in /proc" },
  handover: { adopted: "the connection has arrived: from now on no descriptor may" },
  kex: {
    sign: "one exchange hash before authentication: a second would be a signing oracle. It is the session id",
    log: preauthLog,
    ended: goodbye,
  },
  lookup: {
    lookupUser:
      "one user a connection: RFC 4252 section 5 would allow a change, sshd and we do not",
    log: preauthLog,
    ended: goodbye,
  },
  authenticating: {
    authNone: attempt,
    authUnsupported: attempt,
    publickeyQuery: attempt,
    publickeySign: `${attempt}; the broker composes what must have been signed`,
    log: preauthLog,
    ended: goodbye,
  },
  refused: { log: preauthLog, ended: goodbye },
  postauth: {
    sign: "key re-exchange, for as long as the connection lives",
    proveHostKey: "a proof for one of our host keys, once each, over this session's id",
    log: "session and subsystem starts and ends, bounded in number",
    ended: goodbye,
  },
  ended: {},
};
