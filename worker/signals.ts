// Signal names of RFC 4254 section 6.10 and their numbers on Linux.

const numbers = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  ABRT: 6,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
} as const;

/** Those that sshd delivers (session.c, name2sig). */
const deliverable = new Set(["HUP", "INT", "KILL", "QUIT", "TERM", "USR1", "USR2"]);

/** Undefined: not one that is delivered. */
export const signalNumber = (name: string): number | undefined =>
  deliverable.has(name) ? numbers[name as keyof typeof numbers] : undefined; // the set holds names of the table

/** For exit-signal; others have sshd's made-up name. */
export const signalName = (signal: number): string =>
  Object.entries(numbers).find(([, number]) => number === signal)?.[0] ?? "SIG@openssh.com";
