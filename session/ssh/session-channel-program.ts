// The program of a session channel: a terminal and an environment first, then one shell, command or subsystem (RFC 4254 section 6).
import type { ByteStream } from "./layers.ts";
import {
  isRefusal,
  type ProgramHost,
  type ProgramKind,
  type Refusal,
  type Simple,
  type Started,
  type Terminal,
} from "./program-host.ts";
import type { SessionRequest } from "./session-requests.ts";

export interface ProgramStreams {
  readonly input: ByteStream;
  readonly output: ByteStream;
  /** Null on a terminal. */
  readonly errors: ByteStream | null;
}
export interface ChannelProgramEvents {
  /** It runs; the streams are the taker's. */
  running(streams: ProgramStreams, description: string): void;
  refused(what: string, why: string): void;
  /** A terminal was opened. */
  terminalOpened(): void;
  endOfWrite(): void;
}

export class ChannelProgram {
  readonly #host: ProgramHost;
  readonly #channel: number;
  readonly #events: ChannelProgramEvents;
  #phase: "idle" | "starting" | "running" | "exited" = "idle";
  #terminal: Terminal | null = null;
  /** The terminal's streams are not ours any more. */
  #isTerminalTaken = false;
  /** The host has heard of this channel. */
  #isKnown = false;
  /** The channel has no use for a program any more. */
  #isClosed = false;

  /** `channel`: our number of it. */
  constructor(host: ProgramHost, channel: number, events: ChannelProgramEvents) {
    this.#host = host;
    this.#channel = channel;
    this.#events = events;
  }

  get isStarting(): boolean {
    return this.#phase === "starting";
  }
  get hasStarted(): boolean {
    return this.#phase === "running" || this.#phase === "exited";
  }
  get hasExited(): boolean {
    return this.#phase === "exited";
  }
  get terminalName(): string | null {
    return this.#terminal?.name ?? null;
  }

  /** Calls `settle` once, with whether it was granted, at once or when the host has answered. */
  serve(request: SessionRequest, settle: (isGranted: boolean) => void): void {
    const host = this.#host;
    const channel = this.#channel;
    const isBefore = this.#phase === "idle" && !this.#isClosed;
    const simply = (answer: Simple): void => {
      settle(!isRefusal(answer));
    };
    switch (request.request) {
      case "terminal":
        if (!isBefore || this.#terminal !== null) break;
        this.#isKnown = true;
        host.openPty(channel, request.terminal, (answer) => {
          settle(this.#opened(answer));
        });
        return;
      case "environment":
        if (!isBefore) break;
        this.#isKnown = true;
        host.setEnv(channel, request.name, request.value, simply);
        return;
      case "start":
        if (!isBefore) break;
        this.#isKnown = true;
        this.#phase = "starting";
        host.start(channel, request.kind, request.command, (answer) => {
          settle(this.#started(answer, request.kind, request.command));
        });
        return;
      case "windowChange":
        // sshd grants it with and without a terminal.
        if (this.#isKnown && !this.#isClosed) host.windowChange(channel, request.size);
        settle(true);
        return;
      case "signal":
        if (this.#phase !== "running") break;
        host.signal(channel, request.name, (answer) => {
          if (isRefusal(answer)) this.#events.refused("signal", answer.refused);
          simply(answer);
        });
        return;
      case "break":
        if (this.#phase !== "running") break;
        host.break(channel, request.milliseconds, simply);
        return;
      case "endOfWrite":
        this.#events.endOfWrite();
        settle(true);
        return;
      case "unsupported":
        break;
    }
    settle(false);
  }

  /** False: no program of this channel was running. */
  exited(): boolean {
    if (this.#phase !== "running") return false;
    this.#phase = "exited";
    return true;
  }

  /** The channel closes: a terminal that waits for its program goes, and nothing is started any more. */
  close(): void {
    this.#isClosed = true;
    if (this.#terminal === null || this.#isTerminalTaken) return;
    this.#isTerminalTaken = true;
    closeTerminal(this.#terminal);
  }

  /** The channel is gone on both sides: the host may forget it. */
  forget(): void {
    this.close();
    if (this.#isKnown) this.#host.closeChannel(this.#channel);
    this.#isKnown = false;
  }

  #opened(answer: Terminal | Refusal): boolean {
    if (isRefusal(answer)) {
      this.#events.refused("pty-req", answer.refused);
      return false;
    }
    if (this.#terminal !== null || this.#isClosed) {
      closeTerminal(answer);
      return false;
    }
    this.#terminal = answer;
    this.#events.terminalOpened();
    return true;
  }

  #started(answer: Started | Refusal, kind: ProgramKind, command: Uint8Array): boolean {
    if (isRefusal(answer)) {
      this.#phase = "idle";
      const name = Buffer.from(command.subarray(0, 100)).toString("latin1");
      const what = kind === "subsystem" ? `subsystem request for ${name}` : kind;
      this.#events.refused(what, answer.refused);
      return false;
    }
    this.#phase = "running";
    const { pipes, description } = answer;
    if (pipes !== null) {
      this.#events.running(pipes, description);
    } else if (this.#terminal !== null && !this.#isTerminalTaken) {
      this.#isTerminalTaken = true;
      const { input, output } = this.#terminal;
      this.#events.running({ input, output, errors: null }, description);
    }
    return true;
  }
}

function closeTerminal({ input, output }: Terminal): void {
  input.close();
  output.close();
}
