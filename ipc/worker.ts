// Session process <-> worker, and what the broker tells the login. The worker runs as the user and enforces what the user may do;
// it believes nothing that the session process says about who or what is allowed.
import { addressFields } from "./addresses.ts";
import { bool, bytes, list, text, u32, u8 } from "./fields.ts";
import * as limits from "./limits.ts";
import { protocol, type Body, type Message } from "./protocol.ts";

/** Session process -> worker. `channel` is the session process's number of an SSH session channel. */
export const workerRequests = protocol({
  openPty: {
    type: 1,
    descriptors: 0,
    meaning: "pty-req (RFC 4254 section 6.2)",
    fields: {
      channel: u32(),
      term: bytes(256),
      columns: u32(),
      rows: u32(),
      widthPixels: u32(),
      heightPixels: u32(),
      modes: bytes(limits.maxTerminalModesBytes),
    },
  },
  setEnv: {
    type: 2,
    descriptors: 0,
    meaning: "env (section 6.4); taken when AcceptEnv has it",
    fields: {
      channel: u32(),
      name: bytes(limits.maxEnvironmentNameBytes),
      value: bytes(limits.maxEnvironmentValueBytes),
    },
  },
  start: {
    type: 3,
    descriptors: 0,
    meaning: "shell, exec or subsystem (section 6.5)",
    fields: {
      channel: u32(),
      /** 0 shell, 1 exec, 2 subsystem. */
      kind: u8(2),
      /** Command or subsystem name; empty for a shell. */
      command: bytes(limits.maxCommandBytes),
    },
  },
  windowChange: {
    type: 4,
    descriptors: 0,
    meaning: "window-change (section 6.7); no answer",
    fields: {
      channel: u32(),
      columns: u32(),
      rows: u32(),
      widthPixels: u32(),
      heightPixels: u32(),
    },
  },
  signal: {
    type: 5,
    descriptors: 0,
    meaning: "signal (section 6.9)",
    fields: { channel: u32(), name: bytes(32) },
  },
  break: {
    type: 6,
    descriptors: 0,
    meaning: "break (RFC 4335)",
    fields: { channel: u32(), milliseconds: u32() },
  },
  closeChannel: {
    type: 7,
    descriptors: 0,
    meaning: "The SSH channel is gone: its pty is hung up; no answer",
    fields: { channel: u32() },
  },
});
/** Worker -> session process. Descriptors become the session process's; all are non-blocking. */
export const workerAnswers = protocol({
  refused: {
    type: 64,
    descriptors: 0,
    meaning: "Not done; why is for the log",
    fields: { why: text(512) },
  },
  done: { type: 65, descriptors: 0, meaning: "Done", fields: {} },
  ptyOpened: {
    type: 66,
    descriptors: 2,
    meaning: "The pty's master, once to write to and once to read from",
    fields: { name: text(64) },
  },
  startedOnPty: {
    type: 67,
    descriptors: 0,
    meaning: "The program runs on the channel's pty",
    fields: { description: text(512) },
  },
  startedOnPipes: {
    type: 68,
    descriptors: 3,
    meaning: "The program runs: write end of its stdin, read ends of its stdout and stderr",
    fields: { description: text(512) },
  },
  exited: {
    type: 69,
    descriptors: 0,
    meaning: "A channel's program has ended (id 0: nobody asked)",
    fields: {
      channel: u32(),
      status: u32(),
      /** RFC 4254 section 6.10 name without SIG; empty: it exited. */
      signal: text(32),
      coreDumped: bool,
    },
  },
});
export type WorkerRequest = Message<typeof workerRequests>;
export type WorkerAnswer = Message<typeof workerAnswers>;

/** Broker -> (listener -> zygote ->) login: who logs in and under which restrictions of the key. The configuration's own restrictions
 * are resolved anew by the login, which has it in memory, from the same facts. */
export const identityFields = {
  connection: u32(),
  user: text(256),
  uid: u32(),
  gid: u32(),
  home: bytes(limits.maxPathBytes),
  shell: bytes(limits.maxPathBytes),
  ...addressFields,
  /** Options of the key that signed (authorized_keys). */
  permitPty: bool,
  permitUserRc: bool,
  /** `command=`; hasForcedCommand tells an empty one from none. */
  hasForcedCommand: bool,
  forcedCommand: bytes(limits.maxCommandBytes),
  /** `environment=`, NAME=value. */
  environment: list(bytes(limits.maxEnvironmentValueBytes), 64),
} as const;
export type Identity = Body<{
  type: 0;
  descriptors: 0;
  meaning: "";
  fields: typeof identityFields;
}>;
