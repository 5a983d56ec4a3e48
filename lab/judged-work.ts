// How much a broker may do for one message, and how much it may keep of a connection: counted, not timed, so that the same message always
// counts the same. The bounds are those of the lab's scenarios, whose key files are short.

/** What one message made a broker do. */
export interface Work {
  /** In the world around it. */
  readonly lookups: number;
  readonly files: number;
  readonly signatures: number;
  readonly timers: number;
  readonly answers: number;
  readonly lines: number;
  /** Digests, keys and signatures that it computed; 0 where nobody counts. */
  readonly crypto: number;
  /** Branches of its code that were gone through; 0 where nobody counts. */
  readonly branches: number;
}

export const mostWork: Work = {
  lookups: 1,
  /** AuthorizedKeysFile names two. */
  files: 2,
  signatures: 1,
  timers: 1,
  answers: 1,
  /** Eight about lines of a key file (broker/public-key-auth.ts), and what became of the attempt. */
  lines: 10,
  crypto: 8,
  branches: 2000,
};
// Object.entries forgets the literal names.
const bounds = Object.entries(mostWork) as [keyof Work, number][];
/** Of the monitor and what hangs on it: a user's name as it was sent and as it is shown, session id, keys and options of earlier steps. */
export const mostKeptBytes = 4096;
/** One request at a time: one answer that is still to come. */
export const mostPending = 1;

/** The first bound that was passed, or undefined. */
export function excessOf(work: Work): string | undefined {
  for (const [name, most] of bounds)
    if (work[name] > most) return `${work[name]} ${name} for one message, ${most} at most`;
  return undefined;
}
