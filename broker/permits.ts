// THE table: what the session process may ask in which phase, how often, and what it may lead to. It is the security argument, so it
// is data, and complete by type: a new request does not compile until somebody has ruled on it in every phase.
import { maxAuthRequests } from "../ipc/limits.ts";
import type { RequestName } from "../ipc/monitor.ts";

export const phases = [
  "confining",
  "handover",
  "kex",
  "lookup",
  "authenticating",
  "refused",
  "postauth",
  "ended",
] as const;
export type Phase = (typeof phases)[number];

/** never; once; at most n; open: as long as the phase lasts. Counts start anew when a phase is entered. */
export type Permit = "never" | "once" | "open" | { readonly atMost: number };

const never = {
  confined: "never",
  adopted: "never",
  sign: "never",
  lookupUser: "never",
  authNone: "never",
  authUnsupported: "never",
  publickeyQuery: "never",
  publickeySign: "never",
  proveHostKey: "never",
  log: "never",
  ended: "never",
} as const satisfies Readonly<Record<RequestName, Permit>>;

/** Log lines before authentication; a flood would fill the administrator's disk. */
const preauthLines = { atMost: 64 } as const;
/** The session process stops an honest client there; MaxAuthTries bounds those that fail, and ends the phase. */
const attempts = { atMost: maxAuthRequests } as const;

export const permits: Readonly<Record<Phase, Readonly<Record<RequestName, Permit>>>> = {
  confining: {
    ...never,
    confined: "once", // its layers are in place; the broker looks for itself
  },
  handover: {
    ...never,
    adopted: "once", // the connection has arrived; from now on no descriptor may
  },
  kex: {
    ...never,
    sign: "once", // one exchange hash before authentication: a second is a signing oracle. It is the session id
    log: preauthLines,
    ended: "once",
  },
  lookup: {
    ...never,
    lookupUser: "once", // RFC 4252 section 5 allows a change of user; we refuse it, as sshd does
    log: preauthLines,
    ended: "once",
  },
  authenticating: {
    ...never,
    authNone: attempts,
    authUnsupported: attempts,
    publickeyQuery: attempts,
    publickeySign: attempts,
    log: preauthLines,
    ended: "once",
  },
  refused: {
    ...never, // too many failures: nothing is decided any more
    log: preauthLines,
    ended: "once",
  },
  postauth: {
    ...never,
    sign: "open", // key re-exchange, for as long as the connection lives
    proveHostKey: { atMost: 16 }, // and each key once: broker/monitor.ts
    log: { atMost: 10_000 }, // session and subsystem starts and ends
    ended: "once",
  },
  ended: never,
};

/** Phases that a granted request may lead to, by the phase it is made in; handlers can go nowhere else. */
export const leadsTo: Readonly<
  Record<Phase, Readonly<Partial<Record<RequestName, readonly Phase[]>>>>
> = {
  confining: { confined: ["handover"] },
  handover: { adopted: ["kex"] },
  kex: { sign: ["lookup"], ended: ["ended"] },
  lookup: { lookupUser: ["authenticating"], ended: ["ended"] },
  authenticating: {
    authNone: ["refused"],
    authUnsupported: ["refused"],
    publickeyQuery: ["refused"],
    publickeySign: ["postauth", "refused"],
    ended: ["ended"],
  },
  refused: { ended: ["ended"] },
  postauth: { ended: ["ended"] }, // a later exchange hash leads nowhere: session id and user are settled
  ended: {},
};
