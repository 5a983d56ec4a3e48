// What an escape attempt is, and what it is let loose on: harmless things that were made for it.
export const families = {
  files: "files",
  programs: "programs and processes",
  memory: "executable memory",
  sockets: "sockets",
  processes: "other processes",
  namespaces: "namespaces and mounts",
  identity: "identity and limits",
  abi: "other entries of the kernel",
  kernel: "the kernel's rarer doors",
} as const;
export type Family = keyof typeof families;

/** Descriptors that a careless parent would have left open, by number: high, so that nothing else gets them. */
export const leftOpen = { file: 40, folder: 41, namespace: 42, program: 43, terminal: 44 } as const;

/** What the attempts aim at; each was made by the tool, and is looked at after every one of them. */
export interface Targets {
  readonly folder: string;
  /** A file of root's, mode 0600, with `secretText` in it. */
  readonly secret: string;
  /** Stands for another connection's session process: the privsep user's, dumpable, unconfined. */
  readonly siblingPid: number;
  /** Stands for the broker: root's. */
  readonly brokerPid: number;
  /** Where `secretText` is in both of them. */
  readonly secretAddress: bigint;
  /** Of a listener on 127.0.0.1. */
  readonly port: number;
  /** Abstract address of another listener, with its NUL in front. */
  readonly abstractName: string;
}
export const secretText = "sallyport canary";

export interface Attempt {
  readonly name: string;
  readonly family: Family;
  /** One line for a reader. */
  readonly what: string;
  /**
   * In the confined process. Returns: it got through. Throws Refused: the kernel said no. What needs more than the kernel's word (a file
   * that was read) is looked at here, and is an Error when it is not as expected.
   */
  readonly run: (targets: Targets, receivedFds: readonly number[]) => void;
  /** Before confinement. */
  readonly prepare?: (targets: Targets) => void;
  /** An errno that the kernel answers only behind the check that is to be got past: as good as done. */
  readonly reaches?: readonly number[];
  /** With the word to begin, when confinement is over, a descriptor is sent. */
  readonly isSentDescriptor?: true;
  /** When it succeeds the process is gone: the status of the program that it became, or a core. */
  readonly succeedsBy?: "exec" | "core";
}
/** Exit status of a program that an attempt got to run. */
export const execStatus = 77;

/** Errnos that attempts know by name. */
export const errno = {
  ENOENT: 2,
  ENOEXEC: 8,
  EBADF: 9,
  EFAULT: 14,
  EINVAL: 22,
  EMFILE: 24,
} as const;
