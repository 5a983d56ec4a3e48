// The session process's end of the socket to the user's worker, which answers in the order of the requests. Descriptors that come with its
// answers become streams here.
import {
  type workerAnswers,
  type workerRequests,
  type WorkerAnswer,
  type WorkerRequest,
} from "../ipc/worker.ts";
import type { Body } from "../ipc/protocol.ts";
import type { MessageHandlers } from "../native/message-socket.ts";
import type { ByteStream } from "./ssh/layers.ts";
import {
  programKinds,
  type ProgramExit,
  type ProgramHost,
  type ProgramKind,
  type Refusal,
  type Simple,
  type Started,
  type Terminal,
  type TerminalRequest,
  type TerminalSize,
} from "./ssh/program-host.ts";

type RequestName = WorkerRequest["name"];
/** What carries requests to the worker: a MessageSocket, or a stand-in in the same process. */
export interface WorkerPort {
  send<K extends RequestName>(name: K, id: number, body: Body<(typeof workerRequests)[K]>): void;
  /** Nothing waits to be sent. */
  readonly isDrained: boolean;
}
export interface WorkerEvents {
  exited(channel: number, exit: ProgramExit): void;
  /** The worker is gone, or does not speak as it should. */
  gone(): void;
}
export interface WorkerConnection {
  connect(handlers: MessageHandlers<typeof workerAnswers>): WorkerPort;
  /** Takes a descriptor; when it throws, the descriptor is still the caller's. */
  stream(fd: number): ByteStream;
  close(fd: number): void;
}

/** Requests on their way at once; a MessageSocket holds a few hundred for a worker that has stopped reading. */
const maxUnanswered = 64;
interface Waiting {
  /** False: not an answer to this request. */
  take(answer: WorkerAnswer, streams: readonly ByteStream[]): boolean;
}

export class WorkerClient implements ProgramHost {
  readonly #connection: WorkerConnection;
  readonly #port: WorkerPort;
  readonly #events: WorkerEvents;
  readonly #waiting = new Map<number, Waiting>();
  /** Requests behind `maxUnanswered` others, in order. */
  readonly #held: (() => void)[] = [];
  /** The newest size of each terminal that could not be told yet. */
  readonly #sizes = new Map<number, TerminalSize>();
  #lastId = 0;
  #isGone = false;

  constructor(connection: WorkerConnection, events: WorkerEvents) {
    this.#connection = connection;
    this.#events = events;
    this.#port = connection.connect({
      message: (answer, fds) => {
        this.#receive(answer, fds);
      },
      drained: () => {
        this.#sendHeld();
      },
      closed: () => {
        this.#end();
      },
      fault: () => {
        this.#end();
      },
    });
  }

  openPty(
    channel: number,
    request: TerminalRequest,
    done: (answer: Terminal | Refusal) => void,
  ): void {
    this.#ask(
      "openPty",
      { channel, ...request },
      (answer, [input, output]) => {
        if (answer.name !== "ptyOpened" || input === undefined || output === undefined)
          return false;
        done({ name: answer.body.name, input, output });
        return true;
      },
      done,
    );
  }

  setEnv(
    channel: number,
    name: Uint8Array,
    value: Uint8Array,
    done: (answer: Simple) => void,
  ): void {
    this.#askSimply("setEnv", { channel, name, value }, done);
  }

  start(
    channel: number,
    kind: ProgramKind,
    command: Uint8Array,
    done: (answer: Started | Refusal) => void,
  ): void {
    const body = { channel, kind: programKinds.indexOf(kind), command };
    this.#ask(
      "start",
      body,
      (answer, [input, output, errors]) => {
        if (answer.name === "startedOnPty") done({ ...answer.body, pipes: null });
        else if (
          answer.name === "startedOnPipes" &&
          input !== undefined &&
          output !== undefined &&
          errors !== undefined
        )
          done({ ...answer.body, pipes: { input, output, errors } });
        else return false;
        return true;
      },
      done,
    );
  }

  signal(channel: number, name: Uint8Array, done: (answer: Simple) => void): void {
    this.#askSimply("signal", { channel, name }, done);
  }
  break(channel: number, milliseconds: number, done: (answer: Simple) => void): void {
    this.#askSimply("break", { channel, milliseconds }, done);
  }

  windowChange(channel: number, size: TerminalSize): void {
    this.#sizes.set(channel, size);
    this.#sendSizes();
  }

  closeChannel(channel: number): void {
    this.#sizes.delete(channel);
    this.#hold(() => {
      this.#port.send("closeChannel", 0, { channel });
    });
  }

  #askSimply<K extends RequestName>(
    name: K,
    body: Body<(typeof workerRequests)[K]>,
    done: (answer: Simple) => void,
  ): void {
    this.#ask(
      name,
      body,
      (answer) => {
        if (answer.name !== "done") return false;
        done("done");
        return true;
      },
      done,
    );
  }

  #ask<K extends RequestName>(
    name: K,
    body: Body<(typeof workerRequests)[K]>,
    take: Waiting["take"],
    refused: (answer: Refusal) => void,
  ): void {
    this.#hold(() => {
      this.#lastId = (this.#lastId + 1) >>> 0;
      this.#waiting.set(this.#lastId, {
        take: (answer, streams) => {
          if (answer.name !== "refused") return take(answer, streams);
          refused({ refused: answer.body.why });
          return true;
        },
      });
      this.#port.send(name, this.#lastId, body);
    });
  }

  #hold(send: () => void): void {
    if (this.#isGone) return;
    this.#held.push(send);
    this.#sendHeld();
  }
  #sendHeld(): void {
    while (this.#waiting.size < maxUnanswered) {
      const send = this.#held.shift();
      if (send === undefined) break;
      send();
    }
    this.#sendSizes();
  }
  /** Only the last of several sizes counts, and one has no answer that would bound how many are on their way. */
  #sendSizes(): void {
    if (this.#isGone || this.#held.length > 0) return;
    for (const [channel, size] of this.#sizes) {
      if (!this.#port.isDrained) return;
      this.#sizes.delete(channel);
      this.#port.send("windowChange", 0, { channel, ...size });
    }
  }

  #receive(answer: WorkerAnswer, fds: readonly number[]): void {
    if (answer.name === "exited") {
      const { channel, ...exit } = answer.body;
      this.#events.exited(channel, exit);
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    const streams = this.#open(fds);
    if (streams === null || waiting?.take(answer, streams) !== true) {
      for (const stream of streams ?? []) stream.close();
      this.#end();
      return;
    }
    this.#sendHeld();
  }

  /** Null when one of them is nothing that can be streamed: all are closed then. */
  #open(fds: readonly number[]): ByteStream[] | null {
    const streams: ByteStream[] = [];
    try {
      for (const fd of fds) streams.push(this.#connection.stream(fd));
      return streams;
    } catch {
      for (const stream of streams) stream.close();
      for (const fd of fds.slice(streams.length)) this.#connection.close(fd);
      return null;
    }
  }

  #end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#held.length = 0;
    this.#sizes.clear();
    this.#events.gone();
  }
}
