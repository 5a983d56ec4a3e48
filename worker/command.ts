// What is run for a request: the user's shell as a login shell, or with a command; a forced command in the place of either.
import type { ServerOptions } from "../config/options.ts";
import type { Identity } from "../ipc/worker.ts";
import type { RcFile } from "./rc-files.ts";
import { loginsAreClosed, nologinFile } from "./user-files.ts";

export interface Command {
  readonly file: string;
  readonly argv: readonly (string | Uint8Array)[];
  /** For SSH_ORIGINAL_COMMAND. */
  readonly originalCommand?: Uint8Array;
  /** As sshd's log has it after "Starting session: ". */
  readonly description: string;
  readonly isLoginShell: boolean;
  /** What runs before it. */
  readonly rc: RcFile;
  /** Signals are refused for what the user did not choose (session.c). */
  readonly takesSignals: boolean;
}

const kinds = ["shell", "exec", "subsystem"] as const;

/** Undefined: no such subsystem. While logins are closed what runs instead says why, and is logged as what was asked for (do_nologin of session.c). */
export function commandFor(
  kind: number,
  command: Uint8Array,
  identity: Identity,
  options: ServerOptions,
): Command | undefined {
  const asked = openCommandFor(kind, command, identity, options);
  if (asked === undefined || !loginsAreClosed(identity.uid)) return asked;
  const argv = ["sh", "-c", `cat ${nologinFile} >&2; exit 254`];
  return { ...asked, file: "/bin/sh", argv, rc: "none", takesSignals: false };
}

function openCommandFor(
  kind: number,
  command: Uint8Array,
  identity: Identity,
  options: ServerOptions,
): Command | undefined {
  const shell = Buffer.from(identity.shell).toString();
  const base = shell.slice(shell.lastIndexOf("/") + 1);
  const withShell = (line: Uint8Array): Pick<Command, "file" | "argv" | "isLoginShell"> => ({
    file: shell,
    argv: [base, "-c", line],
    isLoginShell: false,
  });
  const name = Buffer.from(command).toString();
  const subsystem =
    kinds[kind] === "subsystem"
      ? options.subsystem.find((known) => known.name === name)
      : undefined;
  if (kinds[kind] === "subsystem" && subsystem === undefined) return undefined;
  const asked = subsystem === undefined ? command : Buffer.from(subsystem.command);
  const isShell = kinds[kind] === "shell";
  const rc = subsystem === undefined && options.forceCommand === "" ? "user" : "system";
  const forced =
    options.forceCommand !== ""
      ? Buffer.from(options.forceCommand)
      : identity.hasForcedCommand
        ? identity.forcedCommand
        : undefined;
  if (forced !== undefined) {
    const origin = options.forceCommand !== "" ? "config" : "key-option";
    return {
      ...withShell(forced),
      ...(isShell ? {} : { originalCommand: asked }),
      description: `forced-command (${origin}) '${Buffer.from(forced).toString()}'`.slice(0, 400),
      rc,
      takesSignals: false,
    };
  }
  if (isShell)
    return {
      file: shell,
      argv: [`-${base}`],
      description: "shell",
      isLoginShell: true,
      rc,
      takesSignals: true,
    };
  return {
    ...withShell(asked),
    description: subsystem === undefined ? "command" : `subsystem '${name}'`,
    rc,
    takesSignals: subsystem === undefined,
  };
}
