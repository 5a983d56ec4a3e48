// The loop: a client of its own, or a change of a sequence that was worth keeping; play it; judge it; keep it when it reaches what nothing before it
// has. What is played depends on the seed and on what was kept, so on what the server answered in time.
import type { Finding } from "../../lab/judge.ts";
import { Dice } from "../../lab/player.ts";
import type { Transition } from "../states.ts";
import type { Examiner } from "./examine.ts";
import { reachedBy, type Reached } from "./features.ts";
import { mutate } from "./mutate.ts";
import { honestSequence } from "./player.ts";
import type { ClientSequence } from "./sequence.ts";

export interface Found {
  readonly finding: Finding;
  /** Null: it is the server's that came of none of them alone. */
  readonly sequence: ClientSequence | null;
  /** Among them what did it, when it is nobody's alone. */
  readonly suspects: readonly ClientSequence[];
}
export interface EngineOptions {
  readonly examiner: Examiner;
  readonly seed: number;
  /** Connections at a time. */
  readonly jobs: number;
  readonly corpus: readonly ClientSequence[];
  /** Stops it; asked before each connection. */
  readonly isDone: (engine: ServerEngine) => boolean;
  readonly onKept?: (sequence: ClientSequence) => void;
}

/** Connections from one look at the whole server to the next. */
const checkEvery = 50;
const freshShare = 30;
const maxKept = 5000;

export class ServerEngine {
  readonly #options: EngineOptions;
  readonly #kept: ClientSequence[] = [];
  readonly #features = new Set<string>();
  readonly #transitions = new Map<string, Transition>();
  readonly pairs = new Set<string>();
  readonly endings = new Map<string, number>();
  connections = 0;
  messages = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }
  get kept(): number {
    return this.#kept.length;
  }
  get features(): number {
    return this.#features.size;
  }
  get transitions(): readonly Transition[] {
    return [...this.#transitions.values()];
  }

  /** The first broken rule, or null when `isDone` said so. */
  async run(): Promise<Found | null> {
    const { corpus, examiner, isDone } = this.#options;
    const broken = await examiner.check();
    if (broken !== null) return { finding: broken, sequence: null, suspects: [] };
    let next = 0;
    for (;;) {
      const round: ClientSequence[] = [];
      const found = await this.#round(() => {
        if (isDone(this) || round.length >= checkEvery) return undefined;
        const sequence = corpus[next] ?? this.#make(next - corpus.length);
        next += 1;
        round.push(sequence);
        return sequence;
      });
      if (found !== null) return found;
      const finding = await examiner.check();
      if (finding !== null) return this.#blame(finding, round);
      if (isDone(this)) return null;
    }
  }

  #make(i: number): ClientSequence {
    const dice = new Dice((this.#options.seed + i * 0x9e37_79b9) >>> 0);
    const pick = (): ClientSequence => dice.percent(freshShare) || this.#kept.length === 0 ? honestSequence(dice) : dice.pick(this.#kept); // prettier-ignore
    const sequence = pick();
    return dice.percent(3) ? sequence : mutate(sequence, pick(), dice);
  }

  async #round(take: () => ClientSequence | undefined): Promise<Found | null> {
    let found: Found | null = null;
    const work = async (): Promise<void> => {
      while (found === null) {
        const sequence = take();
        if (sequence === undefined) return;
        this.connections += 1;
        const isCorpus = this.#options.corpus.includes(sequence);
        const { played, events, finding } = await this.#options.examiner.examine(sequence);
        this.messages += played?.spoken.length ?? 0;
        if (finding !== null) found ??= { finding, sequence, suspects: [] };
        else if (played !== null) this.#learn(sequence, reachedBy(played, events), isCorpus);
      }
    };
    await Promise.all(Array.from({ length: this.#options.jobs }, work));
    return found;
  }

  #learn(
    sequence: ClientSequence,
    { pairs, features, ending, transitions }: Reached,
    isCorpus: boolean,
  ): void {
    // prettier-ignore
    const before = this.#features.size + this.pairs.size;
    for (const pair of pairs) this.pairs.add(pair);
    for (const feature of features) this.#features.add(feature);
    for (const each of transitions)
      this.#transitions.set(`${each.from} ${each.by} ${each.to}`, each);
    if (ending !== "") this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1);
    if (this.#features.size + this.pairs.size === before || this.#kept.length >= maxKept) return;
    this.#kept.push(sequence);
    if (!isCorpus) this.#options.onKept?.(sequence);
  }

  /** Something is wrong with the whole server: which of them does it again? */
  async #blame(finding: Finding, suspects: readonly ClientSequence[]): Promise<Found> {
    // What does not go away says nothing about who did it.
    if ((await this.#options.examiner.check()) !== null)
      return { finding, sequence: null, suspects };
    for (const sequence of suspects.toReversed()) {
      const { finding: own } = await this.#options.examiner.examine(sequence);
      const again = own ?? (await this.#options.examiner.check());
      if (again?.oracle === finding.oracle) return { finding: again, sequence, suspects: [] };
    }
    return { finding, sequence: null, suspects };
  }
}
