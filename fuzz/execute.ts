// One execution: a sequence played from its first move to its end or to the first broken rule.
import type { Finding } from "../lab/judge.ts";
import { Game } from "../lab/game.ts";
import type { JudgedScenario } from "../lab/judged-scenarios.ts";
import type { BrokerCode } from "../lab/mutant-loader.ts";
import type { Move } from "../lab/player.ts";
import type { Phase } from "../broker/permits.ts";
import { nameOf, type Sequence } from "./sequence.ts";
import { outcomeOf, pairOf } from "./features.ts";

export interface Transition {
  readonly from: Phase;
  readonly by: string;
  readonly to: Phase;
}
export interface Execution {
  readonly messages: number;
  readonly finding: Finding | null;
  /** The move that broke the rule. */
  readonly brokenBy: number;
  /** Of the permit table: features.ts, `possiblePairs`. */
  readonly pairs: readonly string[];
  /** Phase, request and outcome of each move, in order. */
  readonly features: readonly string[];
  readonly transitions: readonly Transition[];
}

/** Moves after the end that are still played: what comes then must do nothing. */
const movesAfterEnd = 2;
export interface Start {
  readonly scenario: JudgedScenario;
  readonly isGivenConnection: boolean;
}

/** Plays what `next` says, until it says nothing more, a rule is broken, or the game is over. */
export function perform(
  code: BrokerCode,
  { scenario, isGivenConnection }: Start,
  next: (game: Game) => Move | undefined,
): Execution {
  const game = new Game(code, scenario, isGivenConnection);
  const pairs: string[] = [];
  const features: string[] = [];
  const transitions: Transition[] = [];
  let messages = 0;
  let afterEnd = 0;
  let finding: Finding | null = null;
  while (finding === null) {
    if (game.isOver && (afterEnd += 1) > movesAfterEnd) break;
    const move = next(game);
    if (move === undefined) break;
    messages += 1;
    const played = game.play(move);
    const request = move.kind === "send" ? nameOf(move.bytes) : move.kind;
    const pair = afterEnd === 0 && move.kind === "send" ? pairOf(request, played) : undefined;
    if (pair !== undefined) pairs.push(pair);
    features.push(`${played.phase} ${request} ${outcomeOf(played)}`);
    if (game.phase !== played.phase)
      transitions.push({ from: played.phase, by: request, to: game.phase });
    finding = played.finding;
  }
  finding ??= game.look();
  const brokenBy = finding === null ? -1 : messages - 1;
  return { messages, finding, brokenBy, pairs, features, transitions };
}

export function execute(code: BrokerCode, sequence: Sequence): Execution {
  const { moves } = sequence;
  let at = -1;
  return perform(code, sequence, () => moves[(at += 1)]);
}
