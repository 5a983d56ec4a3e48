// The session process's end of the socket to its broker: requests out, answers paired with them by id.
import {
  answers,
  authOutcomes,
  endReasons,
  requests,
  type Answer,
  type EndReason,
  type RequestName,
} from "../ipc/monitor.ts";
import { maxLogTextBytes } from "../ipc/limits.ts";
import type { Body } from "../ipc/protocol.ts";
import { MessageSocket } from "../native/message-socket.ts";
import type { Poller } from "../native/poller.ts";
import type { ExchangeParts, SignedExchange } from "./ssh/layers.ts";
import type { Attempt, AuthAnswer, Authenticator } from "./ssh/userauth.ts";

type BodyOf<K extends Answer["name"]> = Extract<Answer, { name: K }>["body"];

/** What the broker says without being asked, and the success that ends userauth. */
export interface MonitorEvents {
  connection(body: BodyOf<"connection">, fd: number): void;
  connectionOutput(fd: number): void;
  go(): void;
  authenticated(body: BodyOf<"authenticated">, workerFd: number): void;
  stop(body: BodyOf<"stop">): void;
  /** The broker is gone, or does not speak as it should: nothing is left to do. */
  gone(): void;
}
export type SessionLogLevel = 0 | 1 | 2 | 3;

export class MonitorClient implements Authenticator {
  readonly #socket: MessageSocket<typeof answers, typeof requests>;
  readonly #events: MonitorEvents;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(poller: Poller, fd: number, events: MonitorEvents) {
    this.#events = events;
    this.#socket = new MessageSocket(poller, fd, answers, requests, {
      message: (answer, fds) => {
        this.#receive(answer, fds);
      },
      closed: () => {
        events.gone();
      },
      fault: () => {
        events.gone();
      },
    });
  }

  confined(missing: string[]): void {
    this.#socket.send("confined", 0, { missing });
  }
  adopted(): void {
    this.#socket.send("adopted", 0, {});
  }

  signExchange(parts: ExchangeParts, done: (signed: SignedExchange | null) => void): void {
    this.#ask("sign", parts, (answer) => {
      done(answer.name === "signed" ? answer.body : null);
    });
  }
  proveHostKey(blob: Uint8Array, algorithm: string, done: (signature: Uint8Array) => void): void {
    this.#ask("proveHostKey", { blob, algorithm }, (answer) => {
      if (answer.name === "proved") done(answer.body.signature);
    });
  }

  lookupUser(user: Uint8Array, service: Uint8Array, done: (banner: Uint8Array) => void): void {
    this.#ask("lookupUser", { user, service }, (answer) => {
      if (answer.name === "userAccepted") done(answer.body.banner);
    });
  }
  attempt(attempt: Attempt, done: (answer: AuthAnswer) => void): void {
    const settle = (answer: Answer): void => {
      if (answer.name !== "authResult") return;
      const { outcome, methods } = answer.body;
      done({ outcome: authOutcomes[outcome] ?? "failure", methods });
    };
    switch (attempt.method) {
      case "none":
        this.#ask("authNone", {}, settle);
        return;
      case "unsupported":
        this.#ask("authUnsupported", { method: attempt.name }, settle);
        return;
      case "publickeyQuery":
        this.#ask("publickeyQuery", { algorithm: attempt.algorithm, blob: attempt.blob }, settle);
        return;
      case "publickeySign": {
        const { algorithm, blob, signature, hostKey } = attempt;
        const bound = { hostBound: hostKey !== undefined, hostKey: hostKey ?? new Uint8Array() };
        this.#ask("publickeySign", { algorithm, blob, signature, ...bound }, settle);
      }
    }
  }

  log(level: SessionLogLevel, code: string, text: string): void {
    this.#socket.send("log", 0, {
      level,
      code,
      text: Buffer.from(text).subarray(0, maxLogTextBytes),
    });
  }
  ended(
    reason: EndReason,
    code: number,
    text: Uint8Array,
    bytesReceived: number,
    bytesSent: number,
  ): void {
    this.#socket.send("ended", 0, {
      reason: endReasons.indexOf(reason),
      code,
      text: text.subarray(0, maxLogTextBytes),
      bytesReceived,
      bytesSent,
    });
  }

  #ask<K extends RequestName>(
    name: K,
    body: Body<(typeof requests)[K]>,
    done: (answer: Answer) => void,
  ): void {
    this.#lastId = (this.#lastId + 1) >>> 0;
    this.#waiting.set(this.#lastId, done);
    this.#socket.send(name, this.#lastId, body);
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
        done?.(answer);
      }
    }
  }
}
