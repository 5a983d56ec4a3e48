// Landlock's access rights by ABI (linux/landlock.h, landlock(7)): a ruleset that handles every right the kernel knows and then
// grants none denies all of them.
import { existsSync } from "node:fs";
import {
  landlockAbi,
  landlockAllowPath,
  landlockRestrict,
  landlockRuleset,
} from "../native/confine.ts";

/** LANDLOCK_ACCESS_FS_*: 13 rights in ABI 1, REFER in 2, TRUNCATE in 3, IOCTL_DEV in 5. */
const fsRights = (abi: number): bigint => {
  const count = abi >= 5 ? 16n : abi >= 3 ? 15n : abi >= 2 ? 14n : 13n;
  return (1n << count) - 1n;
};
/** BIND_TCP and CONNECT_TCP, from ABI 4. */
const netRights = (abi: number): bigint => (abi >= 4 ? 3n : 0n);
/** LANDLOCK_SCOPE_SIGNAL. */
const scopeSignal = 2n;
/** ABSTRACT_UNIX_SOCKET and SIGNAL, from ABI 6. */
const scopes = (abi: number): bigint => (abi >= 6 ? 3n : 0n);

/** LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LANDLOCK_ACCESS_NET_BIND_TCP. */
const scopeAbstract = 1n;
const bindTcp = 1n;

/** LANDLOCK_ACCESS_FS_READ_FILE | READ_DIR. */
export const readAccess = 4n | 8n;
/** LANDLOCK_ACCESS_FS_REMOVE_FILE. */
const removeAccess = 1n << 5n;
/** LANDLOCK_ACCESS_FS_WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE, as far as the kernel has them. */
const writeAccess = (abi: number): bigint =>
  (2n | (1n << 5n) | (1n << 8n) | (1n << 14n)) & fsRights(abi);

/** What Landlock of that ABI has no word for, of what its layer means; none when there is none at all. */
export function landlockLacks(abi: number): string[] {
  if (abi === 0) return [];
  return [
    ...(abi < 4 ? ["TCP (Linux 6.7)"] : []),
    ...(abi < 5 ? ["ioctl of devices (Linux 6.10)"] : []),
    ...(abi < 6 ? ["signals and abstract sockets (Linux 6.12)"] : []),
  ];
}

/** What is allowed in spite of the ruleset; paths that do not exist are left out. */
export interface LandlockGrants {
  readonly readable?: readonly string[];
  /** Regular files here, and in all folders below, can be made, written and removed; a file can be written. */
  readonly writable?: readonly string[];
  /** Files here, and in all folders below, can be removed. */
  readonly removable?: readonly string[];
  /** Leaves bind(2) of TCP ports alone. */
  readonly bindsTcp?: boolean;
  /** Leaves abstract sockets unscoped. */
  readonly abstractSockets?: boolean;
  /** Leaves signals unscoped: the broker must end its session process, which is older than its own ruleset. */
  readonly signals?: boolean;
}

/** Restricts the calling thread. Needs no_new_privs. Throws where the kernel has no Landlock. */
export function restrictByLandlock(grants: LandlockGrants = {}): void {
  landlockRestrict(landlockRulesetOf(grants));
}

/** A ruleset, for more threads than one; the caller's. Throws where the kernel has no Landlock. */
export function landlockRulesetOf(grants: LandlockGrants): number {
  const abi = landlockAbi();
  if (abi === 0) throw new Error("Cannot restrict by Landlock: the kernel has none");
  const ruleset = landlockRuleset(
    fsRights(abi),
    netRights(abi) & (grants.bindsTcp === true ? ~bindTcp : ~0n),
    scopes(abi) &
      (grants.signals === true ? ~scopeSignal : ~0n) &
      (grants.abstractSockets === true ? ~scopeAbstract : ~0n),
  );
  for (const path of grants.readable ?? []) landlockAllowPath(ruleset, path, readAccess);
  for (const path of grants.writable ?? [])
    if (existsSync(path)) landlockAllowPath(ruleset, path, readAccess | writeAccess(abi));
  for (const path of grants.removable ?? [])
    if (existsSync(path)) landlockAllowPath(ruleset, path, readAccess | removeAccess);
  return ruleset;
}
