// `sallyport sandbox prove`: escape attempts from within a session process, on this kernel, and what stopped each.
import { mkdtempSync, rmSync } from "node:fs";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runtimeFlags } from "../../daemon/runtime.ts";
import { isLayerName, layerNames } from "../../sandbox/layers.ts";
import { families, type Attempt } from "./attempt.ts";
import { render, summary } from "./prove-output.ts";
import type { ProvedRole } from "./proved-roles.ts";
import type { AttemptResult, RunnerLine, RunnerOrders } from "./result.ts";
import { SandboxError } from "./sandbox-error.ts";

export const proveHelp = `usage: sallyport sandbox prove [OPTIONS]

  Tries to escape from a session process, a broker, a signer and a listener, as an attacker who has taken it over would, and says which layer stopped each attempt,
  and which would have stopped it next. The process is forked and confined by the server's own code. Each attempt has a process of
  its own and aims at things that were made for it. As root; needs no running server.

  --role ROLE      from within: session, broker, signer, listener, or all (the default)
  --quick          without the depth: does not try every attempt again with layers off
  --only PATTERN   attempts whose name or family has PATTERN in it
  --list           names them, and ends
  -f FILE          the configuration (PrivsepUser, SandboxRequire); without: the defaults
  --without LAYER,LAYER...   weakens the process on purpose ("all": no layer at all), to see that this can say no
  --json           one object with every result

Exit status: 0 every attempt was stopped; 1 one was not, or could not be made; 2 the call was wrong, or it cannot run here.`;

/** Runners at once: each attempt mostly waits for the kernel to make namespaces. */
const maxRunners = 4;

function selected(all: readonly Attempt[], pattern: string | undefined): readonly Attempt[] {
  return pattern === undefined
    ? all
    : all.filter(({ name, family }) => name.includes(pattern) || family.includes(pattern));
}

function layersOf(text: string | undefined): RunnerOrders["without"] {
  const names = (text ?? "").split(",").filter((name) => name !== "");
  const wrong = names.find((name) => !isLayerName(name) && name !== "all");
  if (wrong !== undefined) throw new SandboxError(`${JSON.stringify(wrong)} is no layer`);
  return names.includes("all") ? layerNames : names.filter(isLayerName);
}

/** One runner, to its end. Throws what it could not do. */
async function runOne(
  orders: Omit<RunnerOrders, "folder">,
  said: (result: AttemptResult) => void,
): Promise<void> {
  const folder = mkdtempSync("/var/tmp/sallyport-prove.");
  try {
    const program = fileURLToPath(new URL("start-runner.cjs", import.meta.url));
    const child = spawn(
      process.execPath,
      [...runtimeFlags, program, JSON.stringify({ ...orders, folder })],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once("exit", resolve);
      child.once("error", reject);
    });
    let failure: string | undefined;
    let left = orders.names.length;
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as RunnerLine; // our own runner's
      if (line.kind === "failed") failure = line.text;
      if (line.kind !== "result") continue;
      left -= 1;
      said(line.result);
    }
    const status = await ended;
    if (failure !== undefined) throw new SandboxError(failure.split("\n")[0] ?? failure);
    if (left > 0) throw new SandboxError(`the runner ended with status ${status ?? "of a signal"}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface RoleOrders {
  readonly role: ProvedRole;
  readonly attempts: readonly Attempt[];
  readonly config: string;
  readonly isQuick: boolean;
  readonly without: RunnerOrders["without"];
}

/** All of one role's, in the order of the list. */
async function proveRole({ attempts, ...orders }: RoleOrders): Promise<AttemptResult[]> {
  const results: AttemptResult[] = [];
  const isTerminal = process.stderr.isTTY;
  const names = attempts.map(({ name }) => name);
  const runners = Math.min(maxRunners, availableParallelism(), names.length);
  const said = (result: AttemptResult): void => {
    results.push(result);
    if (isTerminal)
      process.stderr.write(`\r\u001b[K${orders.role} ${results.length}/${names.length} ${result.name}`); // prettier-ignore
  };
  const parts = Array.from({ length: runners }, (_, i) => names.filter((_name, at) => at % runners === i)); // prettier-ignore
  await Promise.all(parts.map((part) => runOne({ ...orders, names: part }, said)));
  if (isTerminal) process.stderr.write("\r\u001b[K");
  return results.sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
}

/** The exit status. */
export async function prove(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      role: { type: "string", default: "all" },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      list: { type: "boolean", default: false },
      config: { type: "string", short: "f", default: "none" },
      without: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const { isProvedRole, provedRoles } = await import("./proved-roles.ts");
  const known = Object.keys(provedRoles).filter(isProvedRole);
  if (values.role !== "all" && !isProvedRole(values.role))
    throw new SandboxError(`${JSON.stringify(values.role)} is none of all, ${known.join(", ")}`);
  const chosen = known
    .filter((role) => values.role === "all" || role === values.role)
    .map((role) => ({ role, attempts: selected(provedRoles[role].attempts, values.only) }))
    .filter(({ attempts }) => attempts.length > 0);
  if (chosen.length === 0)
    throw new SandboxError(`no attempt has ${JSON.stringify(values.only)} in its name; see --list`);
  if (values.list) {
    for (const { role, attempts } of chosen)
      for (const { name, family, what } of attempts)
        console.log(`${role.padEnd(9)} ${name.padEnd(22)} ${families[family].padEnd(30)} ${what}`);
    return 0;
  }
  const without = layersOf(values.without);
  if (process.getuid?.() !== 0)
    throw new SandboxError("only root can confine a process: run it with sudo");
  const results: AttemptResult[] = [];
  for (const { role, attempts } of chosen) {
    const isQuick = values.quick;
    const own = await proveRole({ role, attempts, config: values.config, isQuick, without });
    results.push(...own);
    if (values.json) continue;
    const isColoured = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
    console.log(`${role} process\n\n${render(own, { isQuick, isColoured })}\n`);
  }
  if (values.json) console.log(JSON.stringify({ ...summary(results), without, results }, null, 1));
  return results.every(({ isStopped }) => isStopped) ? 0 : 1;
}
