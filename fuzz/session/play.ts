// Plays a sequence against a real broker, as fast as it answers: which message is answered by what, and where the conversation ended, is what can
// be seen from the session process's place. Nothing is judged here.
import { performance } from "node:perf_hooks";
import type { Phase } from "../../broker/permits.ts";
import { maxMessageBytes } from "../../ipc/limits.ts";
import type { Answer, RequestName } from "../../ipc/monitor.ts";
import type { Move } from "../../lab/player.ts";
import { phaseAfter } from "../../lab/real-talk.ts";
import type { Heard, TakenSessionClient } from "../../lab/taken-session-client.ts";
import { requestOf, type StandIns } from "./stand-ins.ts";

/** One message, and what came of it. */
export interface PlayedStep {
  readonly bytes: Uint8Array;
  readonly descriptors: number;
  /** The request that it is, if it is one. */
  readonly request: RequestName | undefined;
  readonly id: number;
  /** Others were sent before it was answered. */
  readonly isHurried: boolean;
  readonly sentMs: number;
  /** The kernel did not take it. */
  isUnsent: boolean;
  answer?: { readonly answer: Answer; readonly atMs: number };
  /** After it, as its answer tells. */
  phase: Phase;
}
export interface Play {
  readonly steps: readonly PlayedStep[];
  /** What is wrong with what was heard, or was not: no broker may do so. */
  readonly problem: { readonly oracle: string; readonly text: string } | null;
}

const answered: Readonly<Partial<Record<RequestName, readonly Answer["name"][]>>> = {
  adopted: ["go"],
  sign: ["signed"],
  lookupUser: ["userAccepted"],
  authNone: ["authResult"],
  authUnsupported: ["authResult"],
  publickeyQuery: ["authResult"],
  publickeySign: ["authResult", "authenticated"],
  proveHostKey: ["proved"],
};
/** Answers that the next message is made with, or that change what may be asked: waited for, whatever the hurry. */
const awaited: ReadonlySet<RequestName | undefined> = new Set(["adopted", "sign", "lookupUser", "publickeySign"]); // prettier-ignore
const withEnded: ReadonlySet<Phase> = new Set(["kex", "lookup", "authenticating", "refused", "postauth"]); // prettier-ignore

/** A broker that says nothing for so long, and does not end, hangs: a thousand times what any answer takes. */
export const patienceMs = 30_000;
/** A message that must end the connection is followed, after so long, by one that certainly does: was it taken in silence? */
const quietMs = 1000;
/** Of a type that no table has. */
const canary = Uint8Array.of(199, 0, 0, 0, 0);
const farewell = Uint8Array.from([11, ...new Array<number>(4 + 1 + 4 + 4 + 8 + 8).fill(0)]);
/** Which message an error of sending is about: the kernel's default buffer is too small for it, or native/ has no such packet. */
const unsendable: Readonly<Record<string, (step: PlayedStep) => boolean>> = {
  EMSGSIZE: ({ bytes }) => bytes.length > maxMessageBytes,
  EINVAL: ({ bytes, descriptors }) => bytes.length === 0 && descriptors > 0,
};

export class SessionPlay {
  readonly #client: TakenSessionClient;
  readonly #standIns: StandIns;
  /** Before each message, and before the last one: a look at the broker. */
  readonly #look: (isLast: boolean) => void;
  readonly #steps: PlayedStep[] = [];
  /** Sent, and not known to be done with. */
  #open: PlayedStep[] = [];
  #phase: Phase = "handover";
  #isOver = false;
  #isHurried = false;
  #problem: Play["problem"] = null;

  constructor(client: TakenSessionClient, standIns: StandIns, look: (isLast: boolean) => void) {
    this.#client = client;
    this.#standIns = standIns;
    this.#look = look;
  }

  /** Until the broker has ended it: by one of these moves, or by a farewell. */
  async play(moves: readonly Move[], onLogin: (user: string) => Promise<void>): Promise<Play> {
    for (const move of moves) {
      if (this.#isOver || this.#problem !== null) break;
      const isLoggedIn = this.#phase === "postauth";
      if (move.kind === "send")
        await this.#send(this.#standIns.message(move.bytes), move.descriptors); // prettier-ignore
      else this.#isHurried = move.kind === "hold";
      if (move.kind === "settle") await this.#react();
      const login = this.#steps.at(-1)?.answer?.answer;
      if (!isLoggedIn && login?.name === "authenticated") await onLogin(login.body.user);
    }
    this.#isHurried = false;
    await this.#react();
    if (!this.#isOver && this.#problem === null) {
      this.#look(true);
      await this.#send(withEnded.has(this.#phase) ? farewell : canary, 0);
    }
    return { steps: this.#steps, problem: this.#problem };
  }

  async #send(bytes: Uint8Array, descriptors: number): Promise<void> {
    const request = requestOf(bytes, descriptors);
    if (awaited.has(request?.name)) await this.#react();
    if (this.#isOver) return;
    this.#look(false);
    const step: PlayedStep = {
      bytes,
      descriptors,
      request: request?.name,
      id: request?.id ?? 0,
      isHurried: this.#isHurried && !awaited.has(request?.name),
      sentMs: performance.now(),
      isUnsent: false,
      phase: this.#phase,
    };
    this.#steps.push(step);
    this.#open.push(step);
    this.#client.raw(bytes, descriptors);
    if (!step.isHurried) await this.#react();
  }

  /** Waits for all that is due; lines of a log are answered by nobody. */
  async #react(): Promise<void> {
    let isCanarySent = false;
    for (;;) {
      const waiting = this.#open.find(({ request }) => request !== "log");
      if (waiting === undefined || this.#isOver || this.#problem !== null) return;
      const endIsDue = waiting.request === undefined || answered[waiting.request] === undefined;
      const heard = await this.#client.nextWithin(endIsDue && !isCanarySent ? quietMs : patienceMs);
      if (heard !== null) this.#hear(heard);
      else if (endIsDue && !isCanarySent) {
        isCanarySent = true;
        const step = { ...waiting, bytes: canary, descriptors: 0, request: undefined, id: 0, sentMs: performance.now() }; // prettier-ignore
        this.#steps.push(step);
        this.#open.push(step);
        this.#client.raw(canary, 0);
      } else this.#problem = { oracle: "silence", text: `${waiting.request ?? "a message"} was neither answered nor refused within ${patienceMs / 1000} s` }; // prettier-ignore
    }
  }

  #hear(heard: Heard): void {
    switch (heard.kind) {
      case "answer":
        this.#answered(heard.answer);
        return;
      case "send-failed": {
        const cannotGo = unsendable[heard.code];
        const step = this.#open.find((open) => cannotGo?.(open) === true);
        // Other errors are those of a socket that the broker has closed.
        if (step === undefined) return;
        step.isUnsent = true;
        this.#open = this.#open.filter((open) => open !== step);
        return;
      }
      case "monitor-closed":
        return;
      case "gone":
        this.#isOver = true;
        this.#open = [];
    }
  }

  /** The broker answers one request after the other: what it skips it has taken in silence. */
  #answered(answer: Answer): void {
    const at = this.#open.findIndex(({ request }) => request !== undefined && answered[request]?.includes(answer.name) === true); // prettier-ignore
    const step = this.#open[at];
    if (step === undefined || (answer.name !== "go" && step.id !== answer.id)) {
      this.#problem = { oracle: "answer", text: `${answer.name} ${answer.id} answers nothing that was asked` }; // prettier-ignore
      return;
    }
    this.#open.splice(0, at + 1);
    this.#phase = phaseAfter(this.#phase, answer);
    step.answer = { answer, atMs: performance.now() };
    step.phase = this.#phase;
    if (answer.name === "signed") this.#standIns.exchanged(answer.body.exchangeHash);
  }
}
