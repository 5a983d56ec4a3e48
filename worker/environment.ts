// The environment of a user's program, as sshd sets it (session.c, do_setup_env): later settings replace earlier ones.
import type { ServerOptions } from "../config/options.ts";
import type { Identity } from "../ipc/worker.ts";

/** Debian's sshd: compiled in, for users and for root. */
const userPath = "/usr/local/bin:/usr/bin:/bin:/usr/games";
const rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** NAME to value; bytes stay bytes. */
export type Environment = Map<string, Uint8Array>;

export interface ProgramFacts {
  /** What the client sent and AcceptEnv took. */
  readonly accepted: ReadonlyMap<string, Uint8Array>;
  readonly term?: Uint8Array;
  /** `/dev/pts/N` */
  readonly tty?: string;
  /** What the client asked for, where something else is run in its place. */
  readonly originalCommand?: Uint8Array;
}

const entry = (text: Uint8Array): [string, Uint8Array] | undefined => {
  const bytes = Buffer.from(text);
  const at = bytes.indexOf(0x3d);
  return at <= 0 ? undefined : [bytes.toString("latin1", 0, at), bytes.subarray(at + 1)];
};

export function programEnvironment(
  identity: Identity,
  options: ServerOptions,
  facts: ProgramFacts,
  userFile: readonly Uint8Array[],
): Environment {
  const environment: Environment = new Map(facts.accepted);
  const set = (name: string, value: Uint8Array | string): void => {
    environment.set(name, typeof value === "string" ? Buffer.from(value) : value);
  };
  const add = (lines: readonly Uint8Array[]): void => {
    for (const line of lines) {
      const pair = entry(line);
      if (pair !== undefined) set(...pair);
    }
  };
  set("USER", identity.user);
  set("LOGNAME", identity.user);
  set("HOME", identity.home);
  set("PATH", identity.uid === 0 ? rootPath : userPath);
  set("MAIL", `/var/mail/${identity.user}`);
  set("SHELL", identity.shell);
  if (process.env["TZ"] !== undefined) set("TZ", process.env["TZ"]);
  if (facts.term !== undefined) set("TERM", facts.term);
  // The broker has kept only what PermitUserEnvironment takes.
  add(identity.environment);
  add(userFile);
  // The first SetEnv of a name wins, and it wins over everything above.
  add(options.setEnv.map((line) => Buffer.from(line)).reverse());
  const { remoteAddress, remotePort, localAddress, localPort } = identity;
  set("SSH_CLIENT", `${remoteAddress} ${remotePort} ${localPort}`);
  set("SSH_CONNECTION", `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`);
  if (facts.tty !== undefined) set("SSH_TTY", facts.tty);
  if (facts.originalCommand !== undefined) set("SSH_ORIGINAL_COMMAND", facts.originalCommand);
  return environment;
}

/** `NAME=value` strings for exec. */
export const environmentStrings = (environment: Environment): Uint8Array[] =>
  [...environment].map(([name, value]) =>
    Buffer.concat([Buffer.from(`${name}=`, "latin1"), value]),
  );
