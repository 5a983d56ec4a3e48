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
import type { AttemptResult, RunnerLine, RunnerOrders } from "./result.ts";
import { SandboxError } from "./sandbox-error.ts";

export const proveHelp = `usage: sallyport sandbox prove [OPTIONS]

  Tries to escape from a session process, as an attacker who has taken it over would, and says which layer stopped each attempt,
  and which would have stopped it next. The process is forked and confined by the server's own code. Each attempt has a process of
  its own and aims at things that were made for it. As root; needs no running server.

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
  if (pattern === undefined) return all;
  const found = all.filter(
    ({ name, family }) => name.includes(pattern) || family.includes(pattern),
  );
  if (found.length === 0)
    throw new SandboxError(`no attempt has ${JSON.stringify(pattern)} in its name; see --list`);
  return found;
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

/** The exit status. */
export async function prove(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      list: { type: "boolean", default: false },
      config: { type: "string", short: "f", default: "none" },
      without: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const { sessionAttempts } = await import("./attempts/session.ts");
  const attempts = selected(sessionAttempts, values.only);
  if (values.list) {
    for (const { name, family, what } of attempts)
      console.log(`${name.padEnd(22)} ${families[family].padEnd(30)} ${what}`);
    return 0;
  }
  const without = layersOf(values.without);
  if (process.getuid?.() !== 0)
    throw new SandboxError("only root can confine a process: run it with sudo");
  const results: AttemptResult[] = [];
  const isTerminal = process.stderr.isTTY;
  const names = attempts.map(({ name }) => name);
  const runners = Math.min(maxRunners, availableParallelism(), names.length);
  await Promise.all(
    Array.from({ length: runners }, (_, i) =>
      runOne(
        {
          config: values.config,
          names: names.filter((_name, at) => at % runners === i),
          isQuick: values.quick,
          without,
        },
        (result) => {
          results.push(result);
          if (isTerminal)
            process.stderr.write(`\r\u001b[K${results.length}/${names.length} ${result.name}`);
        },
      ),
    ),
  );
  if (isTerminal) process.stderr.write("\r\u001b[K");
  results.sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
  const isGood = results.every(({ isStopped }) => isStopped);
  if (values.json) console.log(JSON.stringify({ ...summary(results), without, results }, null, 1));
  else console.log(render(results, { isQuick: values.quick, isColoured: process.stdout.isTTY && process.env["NO_COLOR"] === undefined })); // prettier-ignore
  return isGood ? 0 : 1;
}
