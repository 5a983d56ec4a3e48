// Makes the attempts, one after the other, on the runtime and with the flags of the server. Started by prove.ts with its orders as the one
// argument; says one JSON object a line for each attempt.
import { getSystemErrorName } from "node:util";
import { constants } from "node:os";
import { loadConfig } from "../../config/load.ts";
import { prepare } from "../../daemon/zygote/prepare.ts";
import { writeFd } from "../../native/descriptors.ts";
import { exitNow, prepareFork, setTitle } from "../../native/process.ts";
import type { Instruction } from "../../sandbox/bpf.ts";
import { evaluate } from "../../sandbox/bpf-evaluator.ts";
import { layerNames, type LayerName } from "../../sandbox/layers.ts";
import { SIGSYS } from "../../sandbox/violation.ts";
import type { Attempt, Family } from "./attempt.ts";
import { provedRoles } from "./proved-roles.ts";
import { Field } from "./field.ts";
import { Refused, call } from "./raw-calls.ts";
import type { AttemptResult, RunnerOrders } from "./result.ts";
import { trial, type Outcome } from "./trial.ts";

const all: ReadonlySet<LayerName> = new Set(layerNames);
const except = (...kept: readonly LayerName[]): ReadonlySet<LayerName> =>
  new Set(layerNames.filter((name) => !kept.includes(name)));
/**
 * What could stand against each family, each tried alone; in the order in which the kernel comes to them, roughly, since of several that
 * answer alike the first is named.
 */
const candidates: Readonly<Record<Family, readonly LayerName[]>> = {
  files: [
    "seccomp",
    "descriptors",
    "rlimits",
    "root",
    "mntns",
    "pidns",
    "capabilities",
    "identity",
    "landlock",
  ],
  programs: [
    "seccomp",
    "descriptors",
    "rlimits",
    "root",
    "mntns",
    "capabilities",
    "identity",
    "landlock",
  ],
  memory: ["seccomp", "descriptors", "rlimits", "ipcns", "mdwe"],
  sockets: ["seccomp", "rlimits", "root", "mntns", "netns", "capabilities", "identity", "landlock"],
  processes: ["seccomp", "rlimits", "pidns", "capabilities", "identity", "landlock"],
  namespaces: [
    "seccomp",
    "descriptors",
    "rlimits",
    "root",
    "mntns",
    "pidns",
    "capabilities",
    "identity",
    "landlock",
  ],
  identity: [
    "seccomp",
    "rlimits",
    "mdwe",
    "noNewPrivs",
    "securebits",
    "capabilities",
    "identity",
    "undumpable",
  ],
  abi: ["seccomp", "rlimits", "root", "mntns", "identity", "landlock"],
  kernel: [
    "seccomp",
    "descriptors",
    "rlimits",
    "root",
    "mntns",
    "ipcns",
    "capabilities",
    "identity",
    "undumpable",
    "landlock",
  ],
};

const errnoName = (errno: number): string => (errno === 0 ? "nothing" : getSystemErrorName(-errno));
const signalName = (signal: number): string =>
  Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ??
  `signal ${signal}`;
function text(outcome: Outcome): string {
  switch (outcome.how) {
    case "through":
      return outcome.detail;
    case "refused":
      return `${outcome.call}: ${errnoName(outcome.errno)}`;
    case "killed":
      return signalName(outcome.signal);
    case "error":
      return outcome.text;
  }
}
const isStopped = (outcome: Outcome): boolean =>
  outcome.how === "refused" || outcome.how === "killed";
const signature = (outcome: Outcome): string =>
  outcome.how === "refused" ? `${outcome.call} ${outcome.errno}` : outcome.how === "killed" ? `killed ${outcome.signal}` : outcome.how; // prettier-ignore

/** The filter's own word, where it had one: death, or an errno that it gives for this very call. */
function isFilters(
  outcome: Outcome,
  without: readonly LayerName[],
  program: readonly Instruction[],
): boolean {
  if (without.includes("seccomp")) return false;
  if (outcome.how === "killed") return outcome.signal === SIGSYS;
  if (outcome.how !== "refused" || outcome.isForeign) return false;
  const decided = evaluate(program, { nr: outcome.nr, args: outcome.args.map(BigInt) });
  return decided.verdict === "errno" && decided.errno === outcome.errno;
}
/** Alone, with what it cannot do without. */
const alone = (layer: LayerName): ReadonlySet<LayerName> =>
  layer === "seccomp" || layer === "landlock" ? except(layer, "noNewPrivs") : except(layer);

class Prover {
  readonly #orders: RunnerOrders;
  readonly #field: Field;
  readonly #privsep: ReturnType<typeof prepare>["privsep"];

  constructor(orders: RunnerOrders) {
    this.#orders = orders;
    const { privsep } = prepare(loadConfig({ file: orders.config }));
    this.#field = new Field(orders.folder, privsep);
    // An attempt that only the root stands against may leave something there.
    this.#privsep = { ...privsep, emptyRoot: this.#field.emptyRoot };
  }

  prove(attempt: Attempt): AttemptResult {
    const { name, family, what } = attempt;
    const control = this.#try(attempt, all);
    const full = this.#try(attempt, new Set(this.#orders.without));
    const base = { role: this.#orders.role, name, family, what, control: { works: control.how === "through", text: text(control) }, outcome: text(full), isStopped: isStopped(full) } as const; // prettier-ignore
    if (!isStopped(full)) return { ...base, layer: null, next: null, alone: [] };
    if (this.#orders.isQuick || !provedRoles[this.#orders.role].hasLayers)
      return {
        ...base,
        layer: isFilters(full, this.#orders.without, this.#program) ? "seccomp" : null,
        next: null,
        alone: [],
      };
    const stops = new Map<LayerName, Outcome>();
    for (const layer of candidates[attempt.family].filter((name) =>
      provedRoles[this.#orders.role].layers.has(name),
    )) {
      const outcome = this.#try(attempt, alone(layer));
      // What the machine refuses anyway is no layer's merit.
      if (isStopped(outcome) && signature(outcome) !== signature(control))
        stops.set(layer, outcome);
    }
    const without = this.#try(attempt, new Set<LayerName>(["seccomp"]));
    const first = isFilters(full, this.#orders.without, this.#program)
      ? "seccomp"
      : this.#attribute(full, stops);
    const next = first === "seccomp" ? this.#attribute(without, stops) : null;
    return {
      ...base,
      layer: first,
      next: next === null ? null : { layer: next, outcome: text(without) },
      alone: [...stops.keys()],
    };
  }

  /** Which layer it was that answered so. */
  #attribute(outcome: Outcome, stops: ReadonlyMap<LayerName, Outcome>): LayerName | null {
    if (!isStopped(outcome)) return null;
    const others = [...stops].filter(([layer]) => layer !== "seccomp");
    const [same] = others.find(([, seen]) => signature(seen) === signature(outcome)) ?? [];
    return same ?? others[0]?.[0] ?? null;
  }

  /** The filter of that role, as it is loaded. */
  get #program(): readonly Instruction[] {
    return provedRoles[this.#orders.role].filter(this.#field.targets.siblingPid);
  }

  #try(attempt: Attempt, without: ReadonlySet<LayerName>): Outcome {
    return trial(this.#orders.role, attempt, this.#field, this.#privsep, without);
  }
  end(): void {
    this.#field.end();
  }
}

/** So that nothing that gets through is seen outside: mounts, host name, shared memory. */
function standAside(): void {
  const CLONE_NEWNS = 0x20000;
  const CLONE_NEWUTS = 0x4000000;
  const CLONE_NEWIPC = 0x8000000;
  const MS_REC_PRIVATE = 0x4000 | 0x40000;
  try {
    call("unshare", CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC);
    call("mount", "none", "/", 0, MS_REC_PRIVATE, 0);
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // then none of it gets through either
  }
}

function say(line: object): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let sent = 0; sent < bytes.length;) sent += writeFd(1, bytes, sent, bytes.length - sent);
}

function run(): void {
  const orders = JSON.parse(process.argv[2] ?? "{}") as RunnerOrders; // prove.ts wrote it
  prepareFork();
  setTitle("sallyport: prove");
  process.chdir(orders.folder);
  standAside();
  const prover = new Prover(orders);
  try {
    for (const attempt of provedRoles[orders.role].attempts) {
      if (!orders.names.includes(attempt.name)) continue;
      say({ kind: "begun", name: attempt.name });
      say({ kind: "result", result: prover.prove(attempt) });
    }
  } finally {
    prover.end();
  }
  exitNow(0);
}
try {
  run();
} catch (error) {
  say({
    kind: "failed",
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  exitNow(1);
}
