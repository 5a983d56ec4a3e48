// The loop: a new game, or a change of a sequence that was worth keeping; play it; keep it when it reaches what nothing before it has.
// The same seed and the same corpus give the same run, however long it is.
import type { Finding } from "../lab/judge.ts";
import { judgedScenarios } from "../lab/judged-scenarios.ts";
import type { BrokerCode } from "../lab/mutant-loader.ts";
import { Dice, Player, type Move } from "../lab/player.ts";
import { execute, perform, type Execution, type Transition } from "./execute.ts";
import { mutate } from "./mutate.ts";
import type { Sequence } from "./sequence.ts";

export interface Found {
  readonly finding: Finding;
  readonly sequence: Sequence;
  readonly executions: number;
}
export interface EngineOptions {
  readonly code: BrokerCode;
  readonly seed: number;
  readonly corpus: readonly Sequence[];
  /** Branches reached by the last execution, and forgotten with the call; absent: not counted. */
  readonly takeBranches?: () => readonly number[];
  /** Stops it; asked after each execution. */
  readonly isDone: (engine: Engine) => boolean;
  readonly onKept?: (sequence: Sequence, fresh: number) => void;
}

const longestGame = 40;
/** Of a hundred executions so many are games of their own. */
export const freshShare = 30;
const maxKept = 20_000;
/** More different outcomes than a broker has. */
const maxOutcomes = 2 ** 20;

export interface Tried {
  readonly sequence: Sequence;
  readonly execution: Execution;
}
/** A game of the player's, played and kept as a sequence. */
export function freshGame(code: BrokerCode, dice: Dice): Tried {
  const scenario = dice.pick(judgedScenarios);
  const isGivenConnection = dice.percent(97);
  const player = new Player(scenario, dice);
  const moves: Move[] = [];
  const execution = perform(code, { scenario, isGivenConnection }, (game) => {
    if (moves.length >= longestGame && !player.isStubborn) return undefined;
    player.sessionId = game.sessionId;
    const move = player.next(game.phase);
    moves.push(move);
    return move;
  });
  return { sequence: { scenario, isGivenConnection, moves }, execution };
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #kept: Sequence[] = [];
  /** Outcomes, numbered as they came. */
  readonly #outcomes = new Map<string, number>();
  /** An outcome and the one before it. */
  readonly #successions = new Set<number>();
  readonly #branches = new Set<number>();
  readonly pairs = new Set<string>();
  readonly transitions = new Map<string, Transition>();
  executions = 0;
  messages = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  get kept(): readonly Sequence[] {
    return this.#kept;
  }
  get features(): number {
    return this.#outcomes.size + this.#successions.size;
  }
  get branches(): number {
    return this.#branches.size;
  }

  /** The first broken rule, or null when `isDone` said so. */
  run(): Found | null {
    const { code, seed, corpus, isDone } = this.#options;
    for (const sequence of corpus) {
      const found = this.#judge({ sequence, execution: execute(code, sequence) }, true);
      if (found !== null || isDone(this)) return found;
    }
    for (let i = 0; ; i += 1) {
      const dice = new Dice((seed + i * 0x9e37_79b9) >>> 0);
      const isFresh = this.#kept.length === 0 || dice.percent(freshShare);
      const found = this.#judge(isFresh ? freshGame(code, dice) : this.#changed(dice), false);
      if (found !== null || isDone(this)) return found;
    }
  }

  #changed(dice: Dice): Tried {
    const sequence = mutate(dice.pick(this.#kept), dice.pick(this.#kept), dice);
    return { sequence, execution: execute(this.#options.code, sequence) };
  }

  #judge({ sequence, execution }: Tried, isCorpus: boolean): Found | null {
    this.executions += 1;
    this.messages += execution.messages;
    if (execution.finding !== null)
      return { finding: execution.finding, sequence, executions: this.executions };
    const fresh = this.#learn(execution);
    if (fresh > 0 && this.#kept.length < maxKept) {
      this.#kept.push(sequence);
      if (!isCorpus) this.#options.onKept?.(sequence, fresh);
    }
    return null;
  }

  /** How many things were new. */
  #learn({ pairs, features, transitions }: Execution): number {
    let fresh = 0;
    const note = <T>(known: Set<T>, item: T): void => {
      if (known.has(item)) return;
      known.add(item);
      fresh += 1;
    };
    for (const pair of pairs) note(this.pairs, pair);
    let before = 0;
    for (const feature of features) {
      let outcome = this.#outcomes.get(feature);
      if (outcome === undefined) {
        outcome = this.#outcomes.size + 1;
        this.#outcomes.set(feature, outcome);
        fresh += 1;
      }
      note(this.#successions, before * maxOutcomes + outcome);
      before = outcome;
    }
    for (const branch of this.#options.takeBranches?.() ?? []) note(this.#branches, branch);
    for (const each of transitions)
      this.transitions.set(`${each.from} ${each.by} ${each.to}`, each);
    return fresh;
  }
}
