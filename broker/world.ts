// All that the monitor reaches outside itself. Production has broker/system-world.ts; tests and fuzzers a deterministic fake, so that the
// same monitor runs there without an operating system.
import type { AnswerName, answers } from "../ipc/monitor.ts";
import type { Body } from "../ipc/protocol.ts";
import type { ConnectionEnd, LogLevel } from "../ipc/listener.ts";
import type { Identity } from "../ipc/worker.ts";
import type { signatureRequests } from "../ipc/signer.ts";
import type { KeyFile } from "./key-file.ts";

export interface UserRecord {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly groupNames: readonly string[];
  readonly home: string;
  readonly shell: string;
  /** sshd's line when nobody may log in as this user ("User U not allowed because account is locked"); undefined: nothing speaks against it. */
  readonly unusable?: string;
}

export interface LogEvent {
  readonly level: LogLevel;
  /** Stable name for machines. */
  readonly code: string;
  /** sshd's line; may hold a peer's bytes, which the log escapes. */
  readonly text: string;
  /** Said by or about the process before authentication: sshd appends " [preauth]". */
  readonly preauth?: boolean;
  readonly fields?: Readonly<Record<string, string | number>>;
}

export interface Signed {
  readonly exchangeHash: Uint8Array;
  readonly signature: Uint8Array;
}

export interface World {
  nowMs(): number;
  /** Monotonic, milliseconds with fractions. */
  elapsedMs(): number;
  /** 32 bytes, the same for the life of the server: per-user delays are made from it. */
  readonly delaySecret: Uint8Array;
  later(ms: number, action: () => void): void;
  lookupUser(name: string): UserRecord | null;
  readKeyFile(path: string, user: UserRecord, strict: boolean): KeyFile;
  /** The Banner file's text; empty when it cannot be read. */
  readBanner(path: string): Uint8Array;
  sign<K extends "exchange" | "proof">(
    kind: K,
    body: Body<(typeof signatureRequests)[K]>,
    done: (signed: Signed | null) => void,
  ): void;
  log(event: LogEvent): void;
  answer<K extends AnswerName>(name: K, id: number, body: Body<(typeof answers)[K]>): void;
  /** Success: has a login forked for this identity, lets descriptors arrive again, and sends `authenticated` with the worker's socket. */
  authenticated(
    id: number,
    identity: Identity,
    body: Body<(typeof answers)["authenticated"]>,
  ): void;
  /** The conversation is over: the session process is ended, and this broker too. Called once. */
  end(end: ConnectionEnd, bytesReceived: number, bytesSent: number): void;
}
