// A sequence that breaks a rule, made as small as it can be: whole steps first, then what is odd about a step, then what its fields say.
import type { Finding } from "../../lab/judge.ts";
import type { Field } from "./fields.ts";
import type { Examiner } from "./examine.ts";
import type { ClientSequence, Step } from "./sequence.ts";

/** Connections that it may take. */
const mostTrials = 600;

export interface Minimized {
  readonly sequence: ClientSequence;
  readonly oracle: string;
  readonly text: string;
  readonly trials: number;
}

/** What may take the place of a field, simplest first. */
function simpler(field: Field): Field[] {
  if ("bytes" in field) return field.bytes.length > 1 ? [{ bytes: field.bytes.subarray(0, field.bytes.length >> 1) }] : []; // prettier-ignore
  if ("number" in field) return field.number === 0 ? [] : [{ number: 0 }];
  const honest: Field[] = field.says === undefined ? [] : ["string" in field ? { string: field.string } : { live: field.live }]; // prettier-ignore
  if ("live" in field) return [{ string: new Uint8Array(0) }, ...honest];
  const { length } = field.string;
  const shorter = [0, length >> 1, length - (length >> 2), length - 1].filter((each) => each >= 0 && each < length); // prettier-ignore
  return [...honest, ...[...new Set(shorter)].map((each): Field => ({ ...field, string: field.string.subarray(0, each) }))]; // prettier-ignore
}
/** The same step with one thing less about it. */
function plainer(step: Step): Step[] {
  if (step.kind === "bytes") return step.cut === undefined ? [] : [{ kind: "bytes", bytes: step.bytes }]; // prettier-ignore
  if (step.kind !== "send") return [];
  const { kind, name, fields, lie, cut } = step;
  return [
    ...(cut === undefined ? [] : [{ kind, name, fields, ...(lie === undefined ? {} : { lie }) }]),
    ...(lie === undefined ? [] : [{ kind, name, fields, ...(cut === undefined ? {} : { cut }) }]),
  ];
}

class Minimizer {
  readonly #holds: (candidate: ClientSequence) => Promise<boolean>;
  trials = 0;

  constructor(holds: (candidate: ClientSequence) => Promise<boolean>) {
    this.#holds = holds;
  }
  async #try(steps: readonly Step[]): Promise<boolean> {
    if (this.trials >= mostTrials) return false;
    this.trials += 1;
    return this.#holds({ steps });
  }

  async fewerSteps(all: readonly Step[]): Promise<readonly Step[]> {
    let steps = all;
    for (let size = Math.max(1, steps.length >> 1); ; size = size >> 1) {
      for (let at = 0; at < steps.length;) {
        const without = [...steps.slice(0, at), ...steps.slice(at + size)];
        if (await this.#try(without)) steps = without;
        else at += size;
      }
      if (size <= 1) return steps;
    }
  }
  async plainerSteps(all: readonly Step[]): Promise<readonly Step[]> {
    let steps = all;
    for (let at = 0; at < steps.length; at += 1) {
      for (const instead of plainer(all[at] ?? { kind: "wait" }))
        if (await this.#try(steps.with(at, instead))) steps = steps.with(at, instead);
      steps = await this.#simplerFields(steps, at);
    }
    return steps;
  }
  async #simplerFields(all: readonly Step[], at: number): Promise<readonly Step[]> {
    let steps = all;
    for (let i = 0; ; i += 1) {
      const step = steps[at];
      if (step?.kind !== "send" || i >= step.fields.length) return steps;
      // Field by field: as simple as it goes, then the next.
      for (let isSimpler = true; isSimpler;) {
        isSimpler = false;
        const now = steps[at];
        const field = now?.kind === "send" ? now.fields[i] : undefined;
        if (now?.kind !== "send" || field === undefined) break;
        for (const instead of simpler(field)) {
          const changed = steps.with(at, { ...now, fields: now.fields.with(i, instead) });
          if (!(await this.#try(changed))) continue;
          steps = changed;
          isSimpler = true;
          break;
        }
      }
    }
  }
}

/** Null when it breaks nothing. "The same rule" is the same oracle: another text of it is the same fault, seen from elsewhere. */
export async function minimizeSequence(
  examiner: Examiner,
  sequence: ClientSequence,
): Promise<Minimized | null> {
  // prettier-ignore
  const own = async (candidate: ClientSequence): Promise<Finding | null> =>
    (await examiner.examine(candidate)).finding;
  const whole = async (candidate: ClientSequence): Promise<Finding | null> =>
    (await own(candidate)) ?? (await examiner.check());
  // What the connection itself shows is looked for there alone: the whole server takes longer to look at.
  const first = await own(sequence);
  const look = first === null ? whole : own;
  let last = first ?? (await examiner.check());
  if (last === null) return null;
  const { oracle } = last;
  const minimizer = new Minimizer(async (candidate) => {
    const found = await look(candidate);
    if (found?.oracle !== oracle) return false;
    last = found;
    return true;
  });
  const steps = await minimizer.plainerSteps(await minimizer.fewerSteps(sequence.steps));
  return { sequence: { steps }, oracle, text: last.text, trials: minimizer.trials };
}
