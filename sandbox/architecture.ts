// What policies, which know calls by name, need of an architecture. Each is a file of its own in architectures/; the common lists are never copied.
import type { SyscallName } from "./syscalls-x86-64.ts";

export interface Architecture {
  readonly name: string;
  /** AUDIT_ARCH_*: what `seccomp_data.arch` must be. */
  readonly auditArch: number;
  /** Of the calls that it has. */
  readonly numbers: Readonly<Partial<Record<SyscallName, number>>>;
  /** Calls that it does not have, and the one that the C library makes there instead: rules on arguments do not carry over. */
  readonly otherwise: Readonly<Partial<Record<SyscallName, SyscallName>>>;
  /** From this number on a call is of another table that shares `auditArch` (x32). */
  readonly foreignFrom?: number;
  /** Flags of open(2) whose bits are not the same everywhere. */
  readonly open: Readonly<Record<"directory" | "noFollow" | "largeFile", bigint>>;
}

/**
 * The number of the call that a rule for `name` is about. Throws RangeError when the architecture has neither it nor one instead: a rule is
 * never dropped in silence. `hasArguments`: the rule tests arguments, which a call by another name has in other places.
 */
export function numberOf(
  { name: architecture, numbers, otherwise }: Architecture,
  name: SyscallName,
  hasArguments: boolean,
): number {
  const own = numbers[name];
  if (own !== undefined) return own;
  const instead = otherwise[name];
  const number = instead === undefined || hasArguments ? undefined : numbers[instead];
  if (number === undefined)
    throw new RangeError(
      `Cannot compile a rule for ${name}: ${architecture} has no such call, and none instead`,
    );
  return number;
}
