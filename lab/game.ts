// One game: moves against one broker, each watched by the judge.
import { Conversation, type Seen } from "./conversation.ts";
import { Judge, judgeKept, type Finding } from "./judge.ts";
import type { JudgedScenario } from "./judged-scenarios.ts";
import type { BrokerCode } from "./mutant-loader.ts";
import type { Move } from "./player.ts";
import type { Phase } from "../broker/permits.ts";

export interface Played {
  /** Before the move. */
  readonly phase: Phase;
  readonly seen: readonly Seen[];
  /** The first rule that the broker broke with it. */
  readonly finding: Finding | null;
}

/** It takes as long as a message. */
const movesBetweenLooks = 16;

export class Game {
  readonly #conversation: Conversation;
  readonly #judge: Judge;
  #moves = 0;
  /** Of the first exchange; empty before it. What an honest client signs over. */
  sessionId: Uint8Array = new Uint8Array();

  constructor(code: BrokerCode, scenario: JudgedScenario, isGivenConnection: boolean) {
    this.#conversation = new Conversation(code, scenario);
    this.#conversation.isGivenConnection = isGivenConnection;
    this.#judge = new Judge(scenario);
  }

  get phase(): Phase {
    return this.#conversation.phase;
  }
  get isOver(): boolean {
    return this.#conversation.isOver;
  }

  /** A little of what comes after the end may be played too. */
  play(move: Move): Played {
    const { phase } = this;
    const conversation = this.#conversation;
    if (move.kind === "hold") {
      conversation.isHeld = true;
      return { phase, seen: [], finding: null };
    }
    const before = {
      isBusy: conversation.isBusy,
      hasConnection: conversation.hasBegun,
      atMs: conversation.elapsedMs,
    };
    if (move.kind === "settle") conversation.isHeld = false;
    const isSend = move.kind === "send";
    const seen = isSend ? conversation.send(move.bytes, move.descriptors) : conversation.settle();
    for (const each of seen) {
      const hash = each.kind === "answer" ? each.body["exchangeHash"] : undefined;
      if (hash instanceof Uint8Array && this.sessionId.length === 0) this.sessionId = hash;
    }
    const finding = this.#judge.judge({
      ...before,
      bytes: isSend ? move.bytes : null,
      descriptors: isSend ? move.descriptors : 0,
      phase: conversation.phase,
      isBusyAfter: conversation.isBusy,
      seen,
      work: conversation.takeWork(),
      pending: conversation.pending,
    });
    this.#moves += 1;
    const isTime = conversation.isOver || this.#moves % movesBetweenLooks === 0;
    return { phase, seen, finding: finding ?? (isTime ? this.look() : null) };
  }

  /** What the broker has kept of the conversation so far. */
  look(): Finding | null {
    return judgeKept(this.#conversation.keptBytes);
  }
}
