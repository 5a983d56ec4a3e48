// OpenSSH's own programs as clients of a test server: Debian 12's 9.2 and, from `install-peers`, 10.0p1.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import type { TestServer } from "./test-server.ts";
import type { TestUser } from "./test-user.ts";

const installed = `${process.env["SALLYPORT_PEERS"] ?? "/var/cache/sallyport-peers"}/openssh-10.0/usr`;
const peers = `${installed}/bin`;
/** A security key in software, of OpenSSH's own tests, and the program in which OpenSSH 10.0 loads it. */
export const securityKey = {
  SSH_SK_PROVIDER: `${installed}/lib/openssh/regress/misc/sk-dummy/sk-dummy.so`,
  SSH_SK_HELPER: `${installed}/lib/openssh/ssh-sk-helper`,
} as const;
export type Version = "9.2" | "10.0";
export type Tool = "ssh" | "sftp" | "scp" | "ssh-keyscan" | "ssh-keygen";
export const tool = (name: Tool, version: Version = "10.0"): string =>
  version === "9.2" ? `/usr/bin/${name}` : `${peers}/${name}`;

export interface Ended {
  /** null: ended by a signal. */
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}
export interface Login {
  readonly version?: Version;
  /** `-o` options before the usual ones, so they win. */
  readonly options?: readonly string[];
  /** Of the private key, instead of the user's. */
  readonly identity?: string;
  /** Who logs in, instead of the user. */
  readonly as?: string;
  /** More of an environment for the client. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Options by which ssh, sftp and scp reach that user on that server, asking nobody anything. */
export function loginOptions(server: TestServer, user: TestUser, login: Login = {}): string[] {
  const usual = [
    `Port=${server.port}`,
    `User=${login.as ?? user.name}`,
    `IdentityFile=${login.identity ?? user.key.path}`,
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
  ];
  return [
    "-F",
    "none",
    ...[...(login.options ?? []), ...usual].flatMap((option) => ["-o", option]),
  ];
}

/** Runs to the end. Programs are killed after two minutes. */
export function run(
  program: string,
  args: readonly string[],
  input?: Uint8Array | string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return finished(start(program, args, env), input);
}

export function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  if (!existsSync(program))
    throw new Error(`Cannot run ${program}: see test/support/install-peers`);
  return spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: 120_000,
    killSignal: "SIGKILL",
    env: { PATH: process.env["PATH"], HOME: userInfo().homedir, TERM: "xterm", ...env },
  });
}

/** Collects what it says until it has ended. `input` ends its stdin; without it stdin ends at once. */
export function finished(child: ChildProcess, input: Uint8Array | string = ""): Promise<Ended> {
  const out: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => errors.push(chunk));
  // A program that ends without reading its input is an outcome, not an error here.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      resolve({ status, stdout: Buffer.concat(out), stderr: Buffer.concat(errors).toString() });
    });
  });
}

/** `ssh … 127.0.0.1 COMMAND`; arguments before the host in `flags`. */
export const sshArguments = (
  server: TestServer,
  user: TestUser,
  command: readonly string[],
  login: Login & { readonly flags?: readonly string[] } = {},
): string[] => [...loginOptions(server, user, login), ...(login.flags ?? []), "127.0.0.1", ...command]; // prettier-ignore

export const ssh = (
  server: TestServer,
  user: TestUser,
  command: readonly string[],
  login: Login & { readonly flags?: readonly string[]; readonly input?: Uint8Array | string } = {},
): Promise<Ended> =>
  run(
    tool("ssh", login.version),
    sshArguments(server, user, command, login),
    login.input,
    login.env,
  );
