// How our processes are started: the pinned runtime, its flags, and nothing of the environment that could change what it does.
import { fileURLToPath } from "node:url";
import { closeFd } from "../native/descriptors.ts";
import { spawnProgram } from "../native/process.ts";
import { seqpacketPair } from "../native/sockets.ts";
import { exposeToOutOfMemory } from "./out-of-memory.ts";

/** The flags that the sandbox was proven with (docs/decisions/0001, 0002); bin/sallyportd has the same list. */
export const runtimeFlags = [
  "--jitless",
  "--single-threaded",
  "--v8-pool-size=0",
  "--disable-sigusr1",
  "--disallow-code-generation-from-strings",
] as const;
/** The release that sandbox/ was proven with: package.json pins the same one. */
export const provenRuntime = "v24.21.0";

/** Our programs, in dist/daemon/. */
export type ProgramName = "main" | "spawner/start" | ControlledProgram;
/** Those that have a socket to the listener. */
export type ControlledProgram = "zygote/start" | "signer/main";
const files: Readonly<Record<ProgramName, string>> = {
  main: "main.js",
  "spawner/start": "spawner/start.cjs",
  "zygote/start": "zygote/start.cjs",
  "signer/main": "signer/main.js",
};
/** What of the environment a process of ours may see; a worker makes its user's environment anew. */
const keptVariables = ["PATH", "TZ", "LANG", "LC_ALL", "NOTIFY_SOCKET", "SSH_AUTH_SOCK"] as const;

export interface ProgramOptions {
  /** V8's and Node's flags beyond those that every process has. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  /** The child's descriptors from 0 up; ours stay open. */
  readonly fds: readonly number[];
  readonly detached?: boolean;
  readonly cwd?: string;
}

/** Starts one of our programs; returns its pid. The caller waits for it. Throws what the kernel said. */
export function spawnOurs(program: ProgramName, options: ProgramOptions): number {
  const file = fileURLToPath(new URL(files[program], import.meta.url));
  const env = keptVariables.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const pid = spawnProgram({
    file: process.execPath,
    argv: [
      process.execPath,
      ...runtimeFlags,
      ...(options.flags ?? []),
      file,
      ...(options.args ?? []),
    ],
    env,
    fds: [...options.fds],
    ...(options.detached === true ? { setsid: true } : {}),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  exposeToOutOfMemory(pid);
  return pid;
}

export interface ControlledOptions {
  readonly nullFd: number;
  readonly stderrFd: number;
  readonly flags?: readonly string[];
  /** The child's descriptors from 4 up; 3 is its control socket. */
  readonly moreFds?: readonly number[];
}

/** `spawnControlled`, or a spawner's (daemon/spawner/client.ts), which has flags and descriptors of its own. */
export type StartControlled = typeof spawnControlled;

/** Starts the signer or a zygote with a socket to us. The caller owns `controlFd` and waits for `pid`. */
export function spawnControlled(
  program: ControlledProgram,
  { nullFd, stderrFd, flags = [], moreFds = [] }: ControlledOptions,
): { pid: number; controlFd: number } {
  const [ours, theirs] = seqpacketPair();
  try {
    const pid = spawnOurs(program, {
      flags,
      fds: [nullFd, nullFd, stderrFd, theirs, ...moreFds],
      cwd: "/",
      detached: true, // Ctrl-C in the terminal of -D is for the listener alone
    });
    return { pid, controlFd: ours };
  } catch (error) {
    closeFd(ours);
    throw error;
  } finally {
    closeFd(theirs);
  }
}

/** Why this runtime must not be used; undefined when it is the proven one, run as it was proven. */
export function runtimeFault(): string | undefined {
  if (process.version !== provenRuntime)
    return `Node ${process.version} is not the proven runtime ${provenRuntime}`;
  const given = new Set(process.execArgv);
  const missing = runtimeFlags.filter((flag) => !given.has(flag));
  return missing.length === 0 ? undefined : `the runtime lacks ${missing.join(" ")}`;
}
