// The world as it is: sockets to the listener, the signer and the session process, the databases, the clock.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { maxBannerBytes } from "../ipc/limits.ts";
import {
  logLevels,
  connectionEnds,
  type brokerOrders,
  type brokerReports,
  type ConnectionEnd,
} from "../ipc/listener.ts";
import type { answers, requests } from "../ipc/monitor.ts";
import { signatureAnswers, signatureRequests } from "../ipc/signer.ts";
import { MessageSocket, type MessageHandlers, type MessageTap } from "../native/message-socket.ts";
import type { Poller } from "../native/poller.ts";
import { currentPid } from "../native/process.ts";
import { boundedEvent } from "./event-bounds.ts";
import { readKeyFile } from "./key-file.ts";
import { lookupUser } from "./users.ts";
import type { LogEvent, Signed, World } from "./world.ts";

export type ListenerSocket = MessageSocket<typeof brokerOrders, typeof brokerReports>;
export type SessionSocket = MessageSocket<typeof requests, typeof answers>;
type SignerSocket = MessageSocket<typeof signatureAnswers, typeof signatureRequests>;

/** One request at a time goes to the signer; its socket is replaced when the listener has started a new signer. */
export class SignerClient {
  readonly #poller: Poller;
  readonly #tap: MessageTap | undefined;
  #socket: SignerSocket | undefined;
  #waiting: ((signed: Signed | null) => void) | undefined;

  constructor(poller: Poller, fd: number, tap?: MessageTap) {
    this.#poller = poller;
    this.#tap = tap;
    this.replace(fd);
  }

  replace(fd: number): void {
    this.#socket?.close();
    this.#settle(null);
    const handlers: MessageHandlers<typeof signatureAnswers> = {
      message: (message) => {
        this.#settle(message.name === "signed" ? message.body : null);
      },
      closed: () => {
        this.#socket = undefined;
        this.#settle(null);
      },
      fault: () => {
        this.#socket?.close();
        this.#socket = undefined;
        this.#settle(null);
      },
    };
    this.#socket = new MessageSocket(
      this.#poller,
      fd,
      signatureAnswers,
      signatureRequests,
      handlers,
      this.#tap,
    );
  }

  readonly sign: World["sign"] = (kind, body, done) => {
    if (this.#socket === undefined || this.#waiting !== undefined) {
      done(null);
      return;
    }
    this.#waiting = done;
    this.#socket.send(kind, 1, body);
  };

  #settle(signed: Signed | null): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.(signed);
  }
}

/** An event as the listener's message has it. */
export function report(listener: ListenerSocket, event: LogEvent): void {
  if (!listener.isOpen) return;
  const { level, code, text, preauth, fields = {} } = boundedEvent(event);
  listener.send("event", 0, {
    level: logLevels.indexOf(level),
    code,
    text,
    pid: currentPid(),
    preauth: preauth === true,
    fields: Object.entries(fields).flatMap(([name, value]) => [name, String(value)]),
  });
}

export const elapsedMs = (): number => performance.now();

/** The Banner file; an unreadable one is no banner, as with sshd. */
export function readBanner(path: string): Uint8Array {
  const buffer = new Uint8Array(maxBannerBytes);
  try {
    // A FIFO would block the broker before its client is known.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      if (!fstatSync(fd).isFile()) return new Uint8Array();
      return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return new Uint8Array();
  }
}

export interface SystemParts {
  readonly listener: ListenerSocket;
  readonly session: SessionSocket;
  readonly signer: SignerClient;
  readonly delaySecret: Uint8Array;
  readonly authenticated: World["authenticated"];
  readonly end: (end: ConnectionEnd, bytesReceived: number, bytesSent: number) => void;
}

export function systemWorld({
  listener,
  session,
  signer,
  delaySecret,
  authenticated,
  end,
}: SystemParts): World {
  return {
    nowMs: () => Date.now(),
    elapsedMs,
    delaySecret,
    later: (ms, action) => {
      setTimeout(action, ms);
    },
    lookupUser: (name) => {
      try {
        return lookupUser(name, Date.now());
      } catch (error) {
        // The service behind the database is away: nobody can be looked up, and nobody gets in.
        const why = error instanceof Error ? error.message : String(error);
        report(listener, {
          level: "error",
          code: "user.lookup-failed",
          text: `Cannot look up user: ${why}`,
        });
        return null;
      }
    },
    readKeyFile,
    readBanner,
    sign: signer.sign,
    log: (event) => {
      report(listener, event);
    },
    answer: (name, id, body) => {
      session.send(name, id, body);
    },
    authenticated,
    end,
  };
}
export const endNumber = (end: ConnectionEnd): number => connectionEnds.indexOf(end);
