// The layers of confinement, one system call or one inseparable sequence each. Policy is decided in sandbox/. Unless said
// otherwise each acts on the calling thread only and is meant for single-threaded (forked) processes; see threads.ts for others.
import { addon } from "./addon.ts";

export interface NamespaceFds {
  net?: number;
  mnt?: number;
  ipc?: number;
  uts?: number;
  cgroup?: number;
}
const raw = addon as unknown as {
  makeNamespaces: () => { fds: NamespaceFds; missing: Record<string, string> };
  joinNamespace: (fd: number) => void;
  chrootTo: (path: string) => void;
  setIds: (uid: number, gid: number, groups: number[]) => void;
  asUser: (uid: number, gid: number, groups: number[], action: () => unknown) => unknown;
  setCapabilities: (permitted: bigint, bounding: bigint) => void;
  setSecurebits: (bits: number) => void;
  setDumpable: (on: boolean) => void;
  setParentDeathSignal: (signal: number) => void;
  landlockAbi: () => number;
  landlockRuleset: (handledFs: bigint, handledNet: bigint, scoped: bigint) => number;
  landlockAllowPath: (rulesetFd: number, path: string, access: bigint) => void;
  landlockRestrict: (rulesetFd: number) => void;
  setMdwe: () => void;
  setRlimit: (resource: number, soft: number, hard: number) => void;
  reportViolations: (fd: number) => void;
};

/**
 * Makes the empty namespaces that session processes join: a helper child unshares, pivots its mount namespace onto an empty
 * read-only tmpfs, and we keep its `/proc/PID/ns/*` descriptors (the caller's, close-on-exec). What the kernel refuses is in
 * `missing` with the errno's name.
 */
export const makeNamespaces = raw.makeNamespaces;
/** `setns(2)`. After a mount namespace: chdir and chroot to its root. */
export const joinNamespace = raw.joinNamespace;
/** `chroot(2)` and `chdir("/")`. */
export const chrootTo = raw.chrootTo;
/** setgroups, setresgid, setresuid on the process, then proves that neither can be undone. Cannot be undone. */
export const setIds = raw.setIds;
/** Runs `action` (synchronous only) with the effective ids and groups of a user, and restores them whatever happens; failing to
 * restore aborts the process. */
export const asUser = raw.asUser as <T>(
  uid: number,
  gid: number,
  groups: number[],
  action: () => T,
) => T;
/** Ambient cleared, bounding set cut to `bounding`, then permitted = effective = `permitted`, inheritable empty. */
export const setCapabilities = raw.setCapabilities;
export const setSecurebits = raw.setSecurebits;
export const setDumpable = raw.setDumpable;
/** Also checks that the parent has not died in between. */
export const setParentDeathSignal = raw.setParentDeathSignal;
/** 0 when the kernel has none. */
export const landlockAbi = raw.landlockAbi;
export const landlockRuleset = raw.landlockRuleset;
export const landlockAllowPath = raw.landlockAllowPath;
/** Closes `rulesetFd`. Needs no_new_privs. */
export const landlockRestrict = raw.landlockRestrict;
/** `PR_SET_MDWE` with REFUSE_EXEC_GAIN. Throws EINVAL before Linux 6.3. */
export const setMdwe = raw.setMdwe;
export const setRlimit = raw.setRlimit;
/**
 * For a filter that traps instead of killing (`verdict.trap`): the refused call is written to `fd`, which stays the caller's, as a record
 * that sandbox/violation.ts reads, and the process exits with `violationStatus` of that file. Before the filter.
 */
export const reportViolations = raw.reportViolations;
