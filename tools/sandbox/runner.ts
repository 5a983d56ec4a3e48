// Makes the attempts, one after the other, on the runtime and with the flags of the server. Started by prove.ts with its orders as the one
// argument; says one JSON object a line for each attempt.
import { getSystemErrorName } from "node:util";
import { constants } from "node:os";
import { loadConfig } from "../../config/load.ts";
import { prepare } from "../../daemon/zygote/prepare.ts";
import { makeNamespaces, type NamespaceFds } from "../../native/confine.ts";
import { closeFd, writeFd } from "../../native/descriptors.ts";
import { exitNow, prepareFork, setTitle } from "../../native/process.ts";
import type { Instruction } from "../../sandbox/bpf.ts";
import { evaluate } from "../../sandbox/bpf-evaluator.ts";
import { isLayerName, layerNames, type LayerName } from "../../sandbox/layers.ts";
import { SIGSYS } from "../../sandbox/violation.ts";
import type { Attempt } from "./attempt.ts";
import { candidates } from "./candidates.ts";
import { provedRoles } from "./proved-roles.ts";
import { Field } from "./field.ts";
import { Refused, call } from "./raw-calls.ts";
import type { AttemptResult, RunnerOrders, Stopper } from "./result.ts";
import { trial, type Outcome } from "./trial.ts";

const all: ReadonlySet<LayerName> = new Set(layerNames);
const except = (...kept: readonly LayerName[]): ReadonlySet<LayerName> =>
  new Set(layerNames.filter((name) => !kept.includes(name)));
/** AUDIT_ARCH_I386 (linux/audit.h). */
const auditArchI386 = 0x4000_0003;
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
  without: ReadonlySet<LayerName>,
  program: readonly Instruction[],
): boolean {
  if (without.has("seccomp")) return false;
  if (outcome.how === "killed") return outcome.signal === SIGSYS;
  if (outcome.how !== "refused") return false;
  const arch = outcome.isForeign ? { arch: auditArchI386 } : {};
  const decided = evaluate(program, { nr: outcome.nr, args: outcome.args.map(BigInt), ...arch });
  return decided.verdict === "errno" && decided.errno === outcome.errno;
}
/** Alone, with what it cannot do without. */
const alone = (layer: LayerName): ReadonlySet<LayerName> =>
  layer === "seccomp" || layer === "landlock" ? except(layer, "noNewPrivs") : except(layer);

/** What became of an attempt: without a layer, without those of its role, and with each alone that then stops it. */
interface Seen {
  readonly attempt: Attempt;
  readonly control: Outcome;
  readonly bare: Outcome;
  readonly stops: ReadonlyMap<LayerName, Outcome>;
}

class Prover {
  readonly #orders: RunnerOrders;
  readonly #field: Field;
  readonly #privsep: ReturnType<typeof prepare>["privsep"];
  #namespaces: NamespaceFds;

  constructor(orders: RunnerOrders) {
    this.#orders = orders;
    const { privsep } = prepare(loadConfig({ file: orders.config }));
    this.#namespaces = privsep.namespaces;
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
    if (this.#orders.isQuick)
      return {
        ...base,
        layer: isFilters(full, new Set(this.#orders.without), this.#program) ? "seccomp" : null,
        next: null,
        alone: [],
      };
    // Without its layers, but with what it has beside them.
    const bare = this.#try(attempt, provedRoles[this.#orders.role].layers);
    const stops = new Map<LayerName, Outcome>();
    for (const layer of this.#candidates(attempt)) {
      const outcome = this.#try(attempt, alone(layer));
      // What is refused anyway is no layer's merit, unless it is known to be the filter's own word.
      const isItsMerit =
        isFilters(outcome, alone(layer), this.#program) ||
        [control, bare].every((one) => signature(one) !== signature(outcome));
      if (isStopped(outcome) && isItsMerit) stops.set(layer, outcome);
    }
    const left = new Set(this.#orders.without);
    const seen = { attempt, control, bare, stops };
    const layer = this.#answering(seen, full, left);
    const next = layer !== null && isLayerName(layer) ? this.#next(seen, new Set([...left, layer])) : null; // prettier-ignore
    return { ...base, layer, next, alone: [...stops.keys()] };
  }

  /** What becomes of it without those layers, and which of the others it is that still stops it. */
  #next(seen: Seen, without: ReadonlySet<LayerName>): AttemptResult["next"] {
    const outcome = this.#try(seen.attempt, without);
    return isStopped(outcome)
      ? { layer: this.#answering(seen, outcome, without), outcome: text(outcome) }
      : null;
  }

  /** What gave this answer, of that which is on. */
  #answering(
    { attempt, control, bare, stops }: Seen,
    outcome: Outcome,
    without: ReadonlySet<LayerName>,
  ): Stopper | null {
    if (isFilters(outcome, without, this.#program)) return "seccomp";
    const others = [...stops].filter(([layer]) => layer !== "seccomp" && !without.has(layer));
    const [same] = others.find(([, seen]) => signature(seen) === signature(outcome)) ?? [];
    if (same !== undefined) return same;
    if (isStopped(control) && signature(control) === signature(outcome)) return "machine";
    if (isStopped(bare) && signature(bare) === signature(outcome)) return "thread lock";
    // One that says so only beside others (RLIMIT_NPROC, which root has none of): without it the answer is another.
    const beside = this.#candidates(attempt).find((layer) => {
      if (layer === "seccomp" || without.has(layer)) return false;
      return signature(this.#try(attempt, new Set([...without, layer]))) !== signature(outcome);
    });
    return beside ?? null;
  }

  #candidates({ family }: Attempt): readonly LayerName[] {
    const { layers } = provedRoles[this.#orders.role];
    return candidates[family].filter((layer) => layers.has(layer));
  }

  /** The filter of that role, as it is loaded. */
  get #program(): readonly Instruction[] {
    return provedRoles[this.#orders.role].filter(this.#field.targets.siblingPid);
  }

  #try(attempt: Attempt, without: ReadonlySet<LayerName>): Outcome {
    const privsep = { ...this.#privsep, namespaces: this.#namespaces };
    const outcome = trial(this.#orders.role, attempt, this.#field, privsep, without);
    // With root's rights in the empty root and nothing to hold it: it may be writable now, or have something in it.
    if (!without.has("mntns") && without.has("seccomp") && without.has("capabilities")) {
      for (const fd of Object.values(this.#namespaces) as number[]) closeFd(fd);
      this.#namespaces = makeNamespaces().fds;
    }
    return outcome;
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
