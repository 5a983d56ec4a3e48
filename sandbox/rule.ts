// A seccomp policy as data. A call that no rule names kills the process; a rule says who makes the call, and when.
import type { SyscallName } from "./syscalls-x86-64.ts";

/** One test of one argument: `(argument & mask) === value`, on all 64 bits. Tests of a rule are ANDed. */
export interface ArgumentTest {
  readonly index: 0 | 1 | 2 | 3 | 4 | 5;
  readonly mask: bigint;
  readonly value: bigint;
  /** The kernel's own words: "prot is within PROT_READ|PROT_WRITE". */
  readonly name: string;
}

export interface Rule {
  readonly syscall: SyscallName;
  /** Who makes this call, and when. "Needed by node" is not a reason. */
  readonly reason: string;
  /** Why a day of ordinary connections need not make this call, and when it is made. Without it a test sees that it is made. */
  readonly rare?: string;
  readonly args?: readonly ArgumentTest[];
  /** Refused with this errno instead of allowed; the reason says what falls back on it. */
  readonly errno?: Errno;
}

/** Rules of one call are tried in the order given; when none fits the process is killed. */
export interface Policy {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export const errnos = {
  EPERM: 1,
  EACCES: 13,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSYS: 38,
  EAFNOSUPPORT: 97,
} as const;
export type Errno = keyof typeof errnos;

export const allBits = 0xffff_ffff_ffff_ffffn;
/** The argument equals a constant. */
export const equals = (
  index: ArgumentTest["index"],
  value: bigint,
  name: string,
): ArgumentTest => ({
  index,
  mask: allBits,
  value,
  name,
});
/** The argument, of which the kernel reads 32 bits (an int, a uid, a pid), equals a constant. */
export const equals32 = (
  index: ArgumentTest["index"],
  value: bigint,
  name: string,
): ArgumentTest => ({ index, mask: 0xffff_ffffn, value, name });
/** The argument has no bit outside `bits`. */
export const within = (index: ArgumentTest["index"], bits: bigint, name: string): ArgumentTest => ({
  index,
  mask: allBits & ~bits,
  value: 0n,
  name,
});
