// The session process's end of the socket to its broker: requests out, answers paired with them by id.
import {
  authOutcomes,
  endReasons,
  type Answer,
  type answers,
  type EndReason,
  type RequestName,
  type requests,
} from "../ipc/monitor.ts";
import { maxLogTextBytes } from "../ipc/limits.ts";
import type { Body } from "../ipc/protocol.ts";
import type { MessageHandlers } from "../native/message-socket.ts";
import type { ExchangeParts, SignedExchange } from "./ssh/layers.ts";
import type { AuthAnswer, Authenticator } from "./ssh/userauth.ts";
import type { Attempt } from "./ssh/userauth-request.ts";

export type AnswerBody<K extends Answer["name"]> = Extract<Answer, { name: K }>["body"];

/** What carries requests to the broker: a MessageSocket, or the broker itself in the same process. */
export interface MonitorPort {
  send<K extends RequestName>(name: K, id: number, body: Body<(typeof requests)[K]>): void;
  /** Nothing waits to be sent. */
  readonly isDrained: boolean;
}
/** What the broker says without being asked, and the success that ends userauth. */
export interface MonitorEvents {
  /** The descriptors are the taker's. */
  readonly connection: (body: AnswerBody<"connection">, fd: number) => void;
  readonly connectionOutput: (fd: number) => void;
  readonly go: () => void;
  readonly authenticated: (body: AnswerBody<"authenticated">, workerFd: number) => void;
  readonly stop: (body: AnswerBody<"stop">) => void;
  /** The broker is gone, or does not speak as it should: nothing is left to do. */
  readonly gone: () => void;
}
export interface Ending {
  readonly reason: EndReason;
  /** SSH disconnect reason; 0: there was none. */
  readonly code: number;
  readonly text: Uint8Array;
}
/** Levels of `log`. */
export const logLevels = { error: 0, info: 1, verbose: 2, debug: 3 } as const;

/** Below what the broker's table grants; lines beyond are lost rather than the connection. */
const maxLogLines = 8000;

type Waiting = (answer: Answer) => boolean;

export class MonitorClient implements Authenticator {
  readonly #port: MonitorPort;
  readonly #events: MonitorEvents;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #logLines = 0;

  /** `connect` makes the port; it may call the handlers from then on. */
  constructor(
    connect: (handlers: MessageHandlers<typeof answers>) => MonitorPort,
    events: MonitorEvents,
  ) {
    this.#events = events;
    this.#port = connect({
      message: (answer, fds) => {
        this.#receive(answer, fds);
      },
      closed: events.gone,
      fault: events.gone,
    });
  }

  confined(missing: string[]): void {
    this.#port.send("confined", 0, { missing });
  }
  adopted(): void {
    this.#port.send("adopted", 0, {});
  }

  signExchange(parts: ExchangeParts, done: (signed: SignedExchange | null) => void): void {
    this.#ask("sign", parts, (answer) => {
      if (answer.name !== "signed") return false;
      done(answer.body);
      return true;
    });
  }
  proveHostKey(blob: Uint8Array, algorithm: string, done: (signature: Uint8Array) => void): void {
    this.#ask("proveHostKey", { blob, algorithm }, (answer) => {
      if (answer.name !== "proved") return false;
      done(answer.body.signature);
      return true;
    });
  }
  lookupUser(user: Uint8Array, service: Uint8Array, done: (banner: Uint8Array) => void): void {
    this.#ask("lookupUser", { user, service }, (answer) => {
      if (answer.name !== "userAccepted") return false;
      done(answer.body.banner);
      return true;
    });
  }

  /** On success `events.authenticated` is called in the place of `done`. */
  attempt(attempt: Attempt, done: (answer: AuthAnswer) => void): void {
    const settle: Waiting = (answer) => {
      if (answer.name !== "authResult") return false;
      const outcome = authOutcomes[answer.body.outcome];
      if (outcome === undefined) return false;
      done({ outcome, methods: answer.body.methods });
      return true;
    };
    switch (attempt.method) {
      case "none":
        this.#ask("authNone", {}, settle);
        return;
      case "unsupported":
        this.#ask("authUnsupported", { method: attempt.name }, settle);
        return;
      case "publickeyQuery": {
        const { algorithm, blob } = attempt;
        this.#ask("publickeyQuery", { algorithm, blob }, settle);
        return;
      }
      case "publickeySign": {
        const { algorithm, blob, signature, hostKey } = attempt;
        const hostBound = hostKey !== null;
        const body = {
          algorithm,
          blob,
          signature,
          hostBound,
          hostKey: hostKey ?? new Uint8Array(),
        };
        this.#ask("publickeySign", body, settle);
      }
    }
  }

  /** `code`: a stable name of the event. */
  log(level: keyof typeof logLevels, code: string, text: string): void {
    // A broker that is busy loses lines rather than memory.
    if (this.#logLines >= maxLogLines || !this.#port.isDrained) return;
    this.#logLines += 1;
    const line = Buffer.from(text).subarray(0, maxLogTextBytes);
    this.#port.send("log", 0, { level: logLevels[level], code, text: line });
  }

  /** The last request. True: it is on its way; false: it waits for the broker to read. */
  ended({ reason, code, text }: Ending, bytesReceived: number, bytesSent: number): boolean {
    this.#port.send("ended", 0, {
      reason: endReasons.indexOf(reason),
      code,
      text: text.subarray(0, maxLogTextBytes),
      bytesReceived,
      bytesSent,
    });
    return this.#port.isDrained;
  }

  #ask<K extends RequestName>(name: K, body: Body<(typeof requests)[K]>, done: Waiting): void {
    this.#lastId = (this.#lastId + 1) >>> 0;
    this.#waiting.set(this.#lastId, done);
    this.#port.send(name, this.#lastId, body);
  }

  #receive(answer: Answer, [fd = -1]: readonly number[]): void {
    switch (answer.name) {
      case "connection":
        this.#events.connection(answer.body, fd);
        return;
      case "connectionOutput":
        this.#events.connectionOutput(fd);
        return;
      case "go":
        this.#events.go();
        return;
      case "stop":
        this.#events.stop(answer.body);
        return;
      case "authenticated":
        this.#waiting.delete(answer.id);
        this.#events.authenticated(answer.body, fd);
        return;
      case "signed":
      case "proved":
      case "userAccepted":
      case "authResult": {
        const done = this.#waiting.get(answer.id);
        this.#waiting.delete(answer.id);
        if (done?.(answer) !== true) this.#events.gone();
      }
    }
  }
}
