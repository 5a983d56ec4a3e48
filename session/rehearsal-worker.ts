// A worker's stand-in in memory: its programs are functions, its descriptors numbers that only it knows. For the rehearsal and the tests.
import { workerAnswers, workerRequests, type WorkerRequest } from "../ipc/worker.ts";
import { decode, encode, type Body } from "../ipc/protocol.ts";
import type { MessageHandlers } from "../native/message-socket.ts";
import type { ByteStream } from "./ssh/layers.ts";
import { memoryStreamPair } from "./ssh/memory-stream.ts";
import type { WorkerConnection, WorkerPort } from "./worker-client.ts";

/** What a program has: its own ends of its streams. On a terminal output and errors are one. */
export interface RehearsalProgram {
  readonly command: string;
  readonly input: ByteStream;
  readonly output: ByteStream;
  readonly errors: ByteStream;
  /** Once. Its streams stay open until it closes them: somebody else may hold them too. */
  readonly exit: (status: number, signal?: string) => void;
}
export interface RehearsalWorkerOptions {
  readonly run: (program: RehearsalProgram) => void;
  /** Environment variables that are taken. */
  readonly acceptsEnv?: boolean;
  /** Of each pipe. */
  readonly pipeBytes?: number;
}

/** As Linux' pipes. */
const defaultPipeBytes = 64 * 1024;
const firstFd = 1000;

export class RehearsalWorker implements WorkerPort, WorkerConnection {
  readonly #options: RehearsalWorkerOptions;
  readonly #streams = new Map<number, ByteStream>();
  readonly #terminals = new Map<number, [input: ByteStream, output: ByteStream]>();
  #handlers: MessageHandlers<typeof workerAnswers> | null = null;
  #nextFd = firstFd;
  /** Every request, in order. */
  readonly seen: WorkerRequest[] = [];
  readonly #held: (() => void)[] = [];
  /** Answers are held back. */
  isHolding = false;
  /** False: a socket that is full. */
  isDrained = true;

  constructor(options: RehearsalWorkerOptions) {
    this.#options = options;
  }

  connect(handlers: MessageHandlers<typeof workerAnswers>): WorkerPort {
    this.#handlers = handlers;
    return this;
  }
  close(fd: number): void {
    this.#streams.get(fd)?.close();
    this.#streams.delete(fd);
  }
  stream(fd: number): ByteStream {
    const stream = this.#streams.get(fd);
    if (stream === undefined) throw new RangeError(`Cannot open descriptor ${fd}`);
    this.#streams.delete(fd);
    return stream;
  }

  send<K extends keyof typeof workerRequests>(
    name: K,
    id: number,
    body: Body<(typeof workerRequests)[K]>,
  ): void {
    const request = decode(workerRequests, encode(workerRequests, name, id, body), 0);
    this.seen.push(request);
    this.#serve(request);
  }

  release(): void {
    this.isHolding = false;
    for (const deliver of this.#held.splice(0)) deliver();
  }
  /** The worker dies. */
  die(): void {
    this.#handlers?.closed();
  }
  /** The socket has room again. */
  drain(): void {
    this.isDrained = true;
    this.#handlers?.drained?.();
  }

  answer<K extends keyof typeof workerAnswers>(
    name: K,
    id: number,
    body: Body<(typeof workerAnswers)[K]>,
    fds: readonly number[] = [],
  ): void {
    const message = decode(workerAnswers, encode(workerAnswers, name, id, body), fds.length);
    const deliver = (): void => {
      queueMicrotask(() => this.#handlers?.message(message, fds));
    };
    if (this.isHolding) this.#held.push(deliver);
    else deliver();
  }

  #serve(request: WorkerRequest): void {
    const { id } = request;
    switch (request.name) {
      case "openPty": {
        const [inputFd, input] = this.#open();
        const [outputFd, output] = this.#open();
        this.#terminals.set(request.body.channel, [input, output]);
        this.answer("ptyOpened", id, { name: "/dev/pts/9" }, [inputFd, outputFd]);
        return;
      }
      case "setEnv":
        if (this.#options.acceptsEnv === false)
          this.answer("refused", id, { why: "AcceptEnv does not have it" });
        else this.answer("done", id, {});
        return;
      case "start":
        this.#start(request);
        return;
      case "signal":
      case "break":
        this.answer("done", id, {});
        return;
      case "windowChange":
        return;
      case "closeChannel":
        for (const end of this.#terminals.get(request.body.channel) ?? []) end.close();
        this.#terminals.delete(request.body.channel);
    }
  }

  #start({ id, body }: Extract<WorkerRequest, { name: "start" }>): void {
    const { channel } = body;
    const command = Buffer.from(body.command).toString("latin1");
    if (command === "refuse me") {
      this.answer("refused", id, { why: "subsystem not found" });
      return;
    }
    let hasExited = false;
    const exit = (status: number, signal = ""): void => {
      if (hasExited) return;
      hasExited = true;
      this.answer("exited", 0, { channel, status, signal, coreDumped: false });
    };
    const terminal = this.#terminals.get(channel);
    if (terminal !== undefined) {
      this.answer("startedOnPty", id, { description: "shell on pts/9" });
      const [input, output] = terminal;
      this.#options.run({ command, input, output, errors: output, exit });
      return;
    }
    const [inputFd, input] = this.#open();
    const [outputFd, output] = this.#open();
    const [errorsFd, errors] = this.#open();
    this.answer("startedOnPipes", id, { description: "command" }, [inputFd, outputFd, errorsFd]);
    this.#options.run({ command, input, output, errors, exit });
  }

  /** A descriptor, and the stream at its other end. */
  #open(): [number, ByteStream] {
    const [given, kept] = memoryStreamPair({
      capacityBytes: this.#options.pipeBytes ?? defaultPipeBytes,
    });
    const fd = this.#nextFd;
    this.#nextFd += 1;
    this.#streams.set(fd, given);
    return [fd, kept];
  }
}
