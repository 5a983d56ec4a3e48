// The loop against a real server: the corpus first, then new games and changes of what was worth keeping. A sequence takes tens of milliseconds
// here, most of them for the processes that are forked for it: the fast search is the one in process (fuzz/engine.ts), whose corpus this one begins with.
import type { Finding } from "../../lab/judge.ts";
import type { BrokerCode } from "../../lab/mutant-loader.ts";
import { Dice } from "../../lab/player.ts";
import { freshGame, freshShare } from "../engine.ts";
import { mutate } from "../mutate.ts";
import { possiblePairs } from "../features.ts";
import type { Sequence } from "../sequence.ts";
import type { SessionExecution } from "./execute.ts";

export interface SessionFound {
  readonly finding: Finding;
  readonly sequence: Sequence;
}
export interface SessionEngineOptions {
  /** The broker in process: games are made against it. */
  readonly code: BrokerCode;
  readonly execute: (sequence: Sequence) => Promise<SessionExecution>;
  readonly seed: number;
  readonly corpus: readonly Sequence[];
  /** Stops it; asked after each execution. */
  readonly isDone: (engine: SessionEngine) => boolean;
  readonly onKept?: (sequence: Sequence) => void;
}

const maxKept = 20_000;

/** Pairs of the table that can be reached over the socket: in "confining" nobody has taken the session process over yet. */
export const reachablePairs: ReadonlySet<string> = new Set(
  [...possiblePairs].filter((pair) => !pair.startsWith("confining ")),
);

export class SessionEngine {
  readonly #options: SessionEngineOptions;
  readonly #kept: Sequence[] = [];
  readonly #features = new Set<string>();
  readonly pairs = new Set<string>();
  readonly transitions = new Map<string, SessionExecution["transitions"][number]>();
  executions = 0;
  messages = 0;
  /** The most that a broker had. */
  brokerBytes = 0;

  constructor(options: SessionEngineOptions) {
    this.#options = options;
  }

  get kept(): readonly Sequence[] {
    return this.#kept;
  }
  get features(): number {
    return this.#features.size;
  }

  /** The first broken rule, or null when `isDone` said so. */
  async run(): Promise<SessionFound | null> {
    const { code, seed, corpus, isDone } = this.#options;
    for (const sequence of corpus) {
      const found = await this.#try(sequence, true);
      if (found !== null || isDone(this)) return found;
    }
    for (let i = 0; ; i += 1) {
      const dice = new Dice((seed + i * 0x9e37_79b9) >>> 0);
      const isFresh = this.#kept.length === 0 || dice.percent(freshShare);
      const sequence = isFresh
        ? freshGame(code, dice).sequence
        : mutate(dice.pick(this.#kept), dice.pick(this.#kept), dice);
      const found = await this.#try(sequence, false);
      if (found !== null || isDone(this)) return found;
    }
  }

  async #try(sequence: Sequence, isCorpus: boolean): Promise<SessionFound | null> {
    const { finding, messages, brokerBytes, pairs, features, transitions } = await this.#options.execute(sequence); // prettier-ignore
    this.executions += 1;
    this.messages += messages;
    this.brokerBytes = Math.max(this.brokerBytes, brokerBytes);
    if (finding !== null) return { finding, sequence };
    const before = this.#features.size + this.pairs.size;
    for (const pair of pairs) this.pairs.add(pair);
    for (const feature of features) this.#features.add(feature);
    for (const each of transitions)
      this.transitions.set(`${each.from} ${each.by} ${each.to}`, each);
    if (this.#features.size + this.pairs.size > before && this.#kept.length < maxKept) {
      this.#kept.push(sequence);
      if (!isCorpus) this.#options.onKept?.(sequence);
    }
    return null;
  }
}
