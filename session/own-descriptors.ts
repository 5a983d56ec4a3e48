// The descriptors of a session process, before it is confined: nothing that it inherited but what it is given.
import type { NamespaceFds } from "../native/confine.ts";
import { closeAllExcept, dupFd, pipeFds, setNonBlocking } from "../native/descriptors.ts";
import { loopFds } from "../native/process.ts";

/** Closes what else was inherited; the namespaces are closed by joining them. */
export function keepOnly(fds: readonly number[], namespaces: NamespaceFds): void {
  const kept = Object.values(namespaces) as (number | undefined)[]; // of NamespaceFds
  closeAllExcept([...fds, ...loopFds(), ...kept.filter((fd) => fd !== undefined)]);
}

/** 0 to 2 lead nowhere: what a dying runtime writes to standard error must not reach a socket that was given the number. */
export function occupyStandardDescriptors(): void {
  const [readEnd, writeEnd] = pipeFds();
  setNonBlocking(readEnd, true);
  setNonBlocking(writeEnd, true);
  dupFd(writeEnd);
}
