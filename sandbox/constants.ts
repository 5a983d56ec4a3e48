// Numbers of the kernel's interface that policies speak of.

/** RLIMIT_* (asm-generic/resource.h). */
export const resource = {
  cpu: 0,
  fsize: 1,
  data: 2,
  core: 4,
  nproc: 6,
  nofile: 7,
  memlock: 8,
} as const;

/**
 * NOROOT on and locked; NO_SETUID_FIXUP and KEEP_CAPS locked *off*, so that leaving uid 0 clears the capabilities by the kernel's own
 * rule; NO_CAP_AMBIENT_RAISE on and locked (linux/securebits.h).
 */
export const lockedSecurebits = 0x01 | 0x02 | 0x08 | 0x20 | 0x40 | 0x80;

/** CAP_* (linux/capability.h): bit numbers of those that some process of ours keeps. */
export const capability = {
  chown: 0,
  dacOverride: 1,
  dacReadSearch: 2,
  kill: 5,
  setgid: 6,
  setuid: 7,
  setpcap: 8,
  netBindService: 10,
  netAdmin: 12,
  sysChroot: 18,
  sysPtrace: 19,
  sysAdmin: 21,
  sysResource: 24,
  auditWrite: 29,
} as const;
export type CapabilityName = keyof typeof capability;
export const capabilitySet = (...names: readonly CapabilityName[]): bigint =>
  names.reduce((set, name) => set | (1n << BigInt(capability[name])), 0n);
