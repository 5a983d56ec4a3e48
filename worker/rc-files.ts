// What runs before a user's program (sshd(8), SSHRC): the user's ~/.ssh/rc, or else the machine's.
import { existsSync } from "node:fs";
import type { ServerOptions } from "../config/options.ts";
import type { Identity } from "../ipc/worker.ts";

const systemRc = "/etc/ssh/sshrc";
/** Whose file may run: the user's only where neither the configuration nor a subsystem has taken the place of the user's choice. */
export type RcFile = "user" | "system" | "none";

export interface RcProgram {
  readonly file: string;
  readonly argv: readonly string[];
}

/** Undefined: there is no such file, or it is not permitted. Looked for as the user. */
export function rcProgram(
  rc: RcFile,
  identity: Identity,
  options: ServerOptions,
): RcProgram | undefined {
  if (rc === "none") return undefined;
  const userRc = `${Buffer.from(identity.home).toString()}/.ssh/rc`;
  const isPermitted = rc === "user" && identity.permitUserRc && options.permitUserRc;
  if (isPermitted && existsSync(userRc)) {
    const shell = Buffer.from(identity.shell).toString();
    return { file: shell, argv: [shell, "-c", `/bin/sh ${userRc}`] };
  }
  return existsSync(systemRc) ? { file: "/bin/sh", argv: ["sh", systemRc] } : undefined;
}
