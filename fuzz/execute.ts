// One execution: a sequence played from its first move to its end or to the first broken rule.
import type { Finding } from "../lab/judge.ts";
import { Game } from "../lab/game.ts";
import type { BrokerCode } from "../lab/mutant-loader.ts";
import type { Phase } from "../broker/permits.ts";
import { nameOf, type Sequence } from "./sequence.ts";
import { outcomeOf, pairOf } from "./features.ts";

export interface Execution {
  readonly messages: number;
  readonly finding: Finding | null;
  /** The move that broke the rule. */
  readonly brokenBy: number;
  /** Of the permit table: features.ts, `possiblePairs`. */
  readonly pairs: readonly string[];
  /** Phase, request and outcome of each move, in order. */
  readonly features: readonly string[];
  readonly transitions: readonly {
    readonly from: Phase;
    readonly by: string;
    readonly to: Phase;
  }[];
}

/** Moves after the end that are still played: what comes then must do nothing. */
const movesAfterEnd = 2;

export function execute(
  code: BrokerCode,
  { scenario, isGivenConnection, moves }: Sequence,
): Execution {
  const game = new Game(code, scenario, isGivenConnection);
  const pairs: string[] = [];
  const features: string[] = [];
  const transitions: { from: Phase; by: string; to: Phase }[] = [];
  let afterEnd = 0;
  for (const [i, move] of moves.entries()) {
    if (game.isOver && (afterEnd += 1) > movesAfterEnd)
      return { messages: i, finding: null, brokenBy: -1, pairs, features, transitions };
    const played = game.play(move);
    const request = move.kind === "send" ? nameOf(move.bytes) : move.kind;
    const pair = afterEnd === 0 && move.kind === "send" ? pairOf(request, played) : undefined;
    if (pair !== undefined) pairs.push(pair);
    features.push(`${played.phase} ${request} ${outcomeOf(played)}`);
    if (game.phase !== played.phase)
      transitions.push({ from: played.phase, by: request, to: game.phase });
    const { finding } = played;
    if (finding !== null)
      return { messages: i + 1, finding, brokenBy: i, pairs, features, transitions };
  }
  return { messages: moves.length, finding: null, brokenBy: -1, pairs, features, transitions };
}
