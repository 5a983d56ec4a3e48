// The mutation score: games against one broker until the judge finds something, or time is up.
import { Conversation } from "./conversation.ts";
import { Judge, type Finding } from "./judge.ts";
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
  // prettier-ignore
  const dice = new Dice(seed);
  const scenario = dice.pick(judgedScenarios);
  const conversation = new Conversation(code, scenario);
  conversation.isGivenConnection = dice.percent(97);
  const judge = new Judge(scenario);
  const player = new Player(scenario, dice);
  let messages = 0;
  while (messages < longestGame || player.isStubborn) {
    const move = player.next(conversation.phase);
    if (move.kind === "hold") {
      conversation.isHeld = true;
      messages += 1;
      continue;
    }
    const before = {
      isBusy: conversation.isBusy,
      hasConnection: conversation.hasBegun,
      atMs: conversation.elapsedMs,
    };
    if (move.kind === "settle") conversation.isHeld = false;
    const isOver = conversation.isOver;
    const seen = move.kind === "send" ? conversation.send(move.bytes, move.descriptors) : conversation.settle(); // prettier-ignore
    messages += 1;
    for (const each of seen) {
      const hash = each.kind === "answer" ? each.body["exchangeHash"] : undefined;
      if (hash instanceof Uint8Array && player.sessionId.length === 0) player.sessionId = hash;
    }
    const finding = judge.judge({
      ...before,
      bytes: move.kind === "send" ? move.bytes : null,
      descriptors: move.kind === "send" ? move.descriptors : 0,
      phase: conversation.phase,
      isBusyAfter: conversation.isBusy,
      seen,
    });
    if (finding !== null)
      return { messages, finding: { ...finding, scenario: scenario.name, seed } };
    // A little of what comes after the end is played too.
    if (isOver) break;
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
