// What session channels ask of whoever runs programs for them: the worker, or a stand-in in the rehearsal and in tests.
import type { ByteStream } from "./layers.ts";

/** Not done; why is for the log. */
export interface Refusal {
  readonly refused: string;
}
/** Characters and pixels (RFC 4254 section 6.2). */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
  readonly widthPixels: number;
  readonly heightPixels: number;
}
export interface TerminalRequest extends TerminalSize {
  readonly term: Uint8Array;
  /** RFC 4254 section 8. */
  readonly modes: Uint8Array;
}
export interface Terminal {
  /** `/dev/pts/N` */
  readonly name: string;
  /** The master, once for each direction, which end apart: the asker's. */
  readonly input: ByteStream;
  readonly output: ByteStream;
}
/** The asker's. */
export interface Pipes {
  /** To the program. */
  readonly input: ByteStream;
  readonly output: ByteStream;
  readonly errors: ByteStream;
}
export interface Started {
  /** As sshd's log has it: "command", "shell on pts/0". */
  readonly description: string;
  /** Null: it runs on the channel's terminal. */
  readonly pipes: Pipes | null;
}
export interface ProgramExit {
  readonly status: number;
  /** RFC 4254 section 6.10 name without SIG; empty: it exited. */
  readonly signal: string;
  readonly coreDumped: boolean;
}
/** As `start.kind` of ipc/worker.ts counts them. */
export const programKinds = ["shell", "exec", "subsystem"] as const;
export type ProgramKind = (typeof programKinds)[number];
/** "done", or why not. */
export type Simple = "done" | Refusal;

export const isRefusal = (answer: object | string): answer is Refusal =>
  typeof answer === "object" && "refused" in answer;

/** `channel` is our number of it. Each `done` is called once, in the order of the requests, or never when the connection ends. */
export interface ProgramHost {
  openPty(
    channel: number,
    request: TerminalRequest,
    done: (answer: Terminal | Refusal) => void,
  ): void;
  setEnv(
    channel: number,
    name: Uint8Array,
    value: Uint8Array,
    done: (answer: Simple) => void,
  ): void;
  start(
    channel: number,
    kind: ProgramKind,
    command: Uint8Array,
    done: (answer: Started | Refusal) => void,
  ): void;
  signal(channel: number, name: Uint8Array, done: (answer: Simple) => void): void;
  break(channel: number, milliseconds: number, done: (answer: Simple) => void): void;
  /** Without an answer; of several that wait only the last counts. */
  windowChange(channel: number, size: TerminalSize): void;
  /** The channel is gone: its terminal hangs up. Nothing comes of it any more. */
  closeChannel(channel: number): void;
}
