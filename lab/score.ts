// The mutation score: games against one broker until the judge finds something, or time is up.
import { Game } from "./game.ts";
import type { Finding } from "./judge.ts";
import { judgedScenarios } from "./judged-scenarios.ts";
import type { BrokerCode } from "./mutant-loader.ts";
import { Dice, Player } from "./player.ts";

export interface Score {
  readonly executions: number;
  readonly messages: number;
  readonly seconds: number;
  readonly finding: (Finding & { readonly scenario: string; readonly seed: number }) | null;
}
export interface Budget {
  readonly seed: number;
  readonly seconds: number;
  /** Games at most. */
  readonly executions: number;
}

const longestGame = 40;

/** One game. Its number of messages, and the first rule that was broken. */
export function playGame(
  code: BrokerCode,
  seed: number,
): { messages: number; finding: Score["finding"] } {
  const dice = new Dice(seed);
  const scenario = dice.pick(judgedScenarios);
  const game = new Game(code, scenario, dice.percent(97));
  const player = new Player(scenario, dice);
  let messages = 0;
  while (messages < longestGame || player.isStubborn) {
    const wasOver = game.isOver;
    player.sessionId = game.sessionId;
    const { finding } = game.play(player.next(game.phase));
    messages += 1;
    if (finding !== null)
      return { messages, finding: { ...finding, scenario: scenario.name, seed } };
    if (wasOver) break;
  }
  return { messages, finding: null };
}

/** Games with seeds from `budget.seed` up. */
export function score(code: BrokerCode, budget: Budget): Score {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  let messages = 0;
  for (let executions = 1; ; executions += 1) {
    const game = playGame(code, budget.seed + executions - 1);
    messages += game.messages;
    if (game.finding !== null || executions >= budget.executions || seconds() > budget.seconds)
      return { executions, messages, seconds: seconds(), finding: game.finding };
  }
}
