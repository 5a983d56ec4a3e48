// A test server under strace, and what each of its processes asked of the kernel once its filter was in place.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import { syscalls, type SyscallName } from "../../sandbox/syscalls-x86-64.ts";

export type Role = "session" | "broker" | "signer" | "listener";
export interface TracedCall {
  readonly role: Role;
  readonly pid: number;
  readonly name: SyscallName;
  readonly args: readonly bigint[];
}

/** What strace decodes, in spite of `raw`, since names of threads are told by it. */
const prctlOptions: Readonly<Record<string, bigint>> = { PR_SET_NAME: 15n, PR_GET_PDEATHSIG: 2n, PR_SET_PDEATHSIG: 1n }; // prettier-ignore
const program = fileURLToPath(new URL("../../bin/sallyportd", import.meta.url));

/** A program to start instead of sallyportd; the traces go with the test. */
export function tracedProgram(t: Test): { readonly program: string; readonly folder: string } {
  const folder = mkdtempSync("/var/tmp/sallyport-trace.");
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const wrapper = `${folder}/sallyportd`;
  writeFileSync(
    wrapper,
    `#!/bin/sh\nexec strace -D -f -ff -ttt -qq -e signal=none -e raw='!prctl' -o ${folder}/t ${program} "$@"\n`,
  );
  chmodSync(wrapper, 0o755);
  return { program: wrapper, folder };
}

interface Line {
  readonly at: number;
  readonly name: string;
  readonly args: string;
  readonly result: string;
}

function linesOf(file: string): Line[] {
  return readFileSync(file, "latin1")
    .split("\n")
    .flatMap((line) => {
      const found = /^([\d.]+) (\w+)\((.*?)\)? += (\S+)|^([\d.]+) (\w+)\((.*)$/.exec(line);
      if (found === null) return [];
      const [, at, name, args = "", result = "", lateAt, lateName, lateArgs = ""] = found;
      return [
        {
          at: Number(at ?? lateAt),
          name: name ?? lateName ?? "",
          args: name === undefined ? lateArgs : args,
          result,
        },
      ];
    });
}

const titles: readonly (readonly [string, Role])[] = [
  ['"sallyportd: ses', "session"],
  ['"sallyportd: bro', "broker"],
  ['"sallyportd: sig', "signer"],
  ['"sallyportd: /', "listener"],
];
function roleOf(lines: readonly Line[]): Role | undefined {
  const named = lines.filter(({ name, args }) => name === "prctl" && args.startsWith("PR_SET_NAME, ")); // prettier-ignore
  const last = named.at(-1)?.args ?? "";
  return titles.find(([start]) => last.includes(start))?.[1];
}

const number = (text: string): bigint => {
  const plain = text.trim();
  if (plain in prctlOptions) return prctlOptions[plain] ?? 0n;
  return /^(0x[0-9a-f]+|\d+)$/.test(plain) ? BigInt(plain) : 0n;
};
const isName = (name: string): name is SyscallName => Object.hasOwn(syscalls, name);
const callOf = (role: Role, pid: number, { name, args }: Line): TracedCall[] =>
  isName(name) ? [{ role, pid, name, args: args.split(",").map(number) }] : [];

/** Everything after the last filter of each process, its threads included. */
export function confinedCalls(folder: string): TracedCall[] {
  const files = new Map(
    readdirSync(folder)
      .filter((name) => name.startsWith("t."))
      .map((name) => [Number(name.slice(2)), linesOf(`${folder}/${name}`)] as const),
  );
  return [...files].flatMap(([pid, lines]) => {
    const role = roleOf(lines);
    const installed = lines.filter(({ name, result }) => name === "seccomp" && result === "0").at(-1); // prettier-ignore
    if (role === undefined || installed === undefined) return [];
    const threads = lines
      .filter(({ name, at }) => (name === "clone3" || name === "clone") && at < installed.at)
      .map(({ result }) => files.get(Number(result)) ?? [])
      // A thread's trace, not that of a process with a name of its own.
      .filter((thread) => roleOf(thread) === undefined && !thread.some(({ name }) => name === "execve")); // prettier-ignore
    return [lines, ...threads].flatMap((trace) =>
      trace.filter(({ at }) => at > installed.at).flatMap((line) => callOf(role, pid, line)),
    );
  });
}
