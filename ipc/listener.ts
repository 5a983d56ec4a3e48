// Listener <-> broker, and listener <-> zygote.
import { addressFields } from "./addresses.ts";
import { bool, bytes, list, text, u32, u64, u8 } from "./fields.ts";
import * as limits from "./limits.ts";
import { protocol, type Message } from "./protocol.ts";
import { identityFields } from "./worker.ts";

/** Listener -> broker. */
export const brokerOrders = protocol({
  connection: {
    type: 1,
    descriptors: 1,
    meaning: "An accepted connection; the pair is no longer warm",
    fields: {
      /** Numbers connections for the log, from 1 up for the life of the listener. */
      connection: u32(),
      ...addressFields,
      separateOutput: bool,
    },
  },
  connectionOutput: {
    type: 2,
    descriptors: 1,
    meaning: "With -i on pipes: where to write",
    fields: {},
  },
  signer: {
    type: 3,
    descriptors: 1,
    meaning: "A channel to a new signer, the old one being gone",
    fields: {},
  },
  stop: { type: 4, descriptors: 0, meaning: "End this connection now", fields: {} },
});
/** Broker -> listener. */
export const brokerReports = protocol({
  ready: {
    type: 64,
    descriptors: 0,
    meaning: "The pair is verified and waits for a connection",
    fields: { brokerPid: u32(), sessionPid: u32(), missingLayers: list(text(200), 32) },
  },
  event: {
    type: 65,
    descriptors: 0,
    meaning: "One event for the log",
    fields: {
      /** Index in `logLevels`. */
      level: u8(7),
      code: text(limits.maxNameBytes),
      /** sshd's line, without program and pid; may hold peer's bytes: the log escapes it. */
      text: text(4 * limits.maxLogTextBytes),
      pid: u32(),
      /** Adds " [preauth]" as sshd does for what its network child says. */
      preauth: bool,
      /** Alternating names and values for the JSON event. */
      fields: list(text(limits.maxLogTextBytes), 32),
    },
  },
  login: {
    type: 66,
    descriptors: 1,
    meaning:
      "Authenticated: the listener has the zygote fork a login for this user; the descriptor is the worker's socket",
    fields: identityFields,
  },
  ended: {
    type: 67,
    descriptors: 0,
    meaning: "The connection is over; the broker exits",
    fields: {
      /** Index in `connectionEnds`: what penalties are decided on. */
      end: u8(7),
      bytesReceived: u64(),
      bytesSent: u64(),
    },
  },
  trace: {
    type: 95,
    descriptors: 0,
    meaning:
      "Only from a broker that was forked to be recorded (sallyport trace): what it sent, took, forked or saw, secrets as digests",
    fields: {
      /** CLOCK_MONOTONIC, microseconds: the same clock in all processes. */
      atUs: u64(),
      /** Index in `traceKinds`; from and to: in `traceParties`. */
      kind: u8(3),
      from: u8(7),
      to: u8(7),
      name: text(limits.maxNameBytes),
      id: u32(),
      bytes: u32(),
      descriptors: u32(),
      /** The monitor's phase when it came, and when it had been handled. */
      phaseBefore: text(limits.maxNameBytes),
      phaseAfter: text(limits.maxNameBytes),
      /** Uses that a request of the session process had left when it came; 2^32 - 1: without bound. */
      usesLeft: u32(),
      /** Empty: done. Else the fault's code, a colon, and what was wrong. */
      refusal: text(limits.maxLogTextBytes),
      /** From `disclose`. */
      details: list(text(limits.maxLogTextBytes), 512),
    },
  },
});
export const logLevels = [
  "quiet",
  "fatal",
  "error",
  "info",
  "verbose",
  "debug1",
  "debug2",
  "debug3",
] as const;
export type LogLevel = (typeof logLevels)[number];
/** As sshd's exit codes tell its listener (srclimit.h). */
export const connectionEnds = [
  "ok",
  "no-auth",
  "auth-failed",
  "invalid-user",
  "grace-exceeded",
  "crash",
  "refused",
  "violation", // the session process broke the protocol, or its filter
] as const;
export type ConnectionEnd = (typeof connectionEnds)[number];

/** Listener -> zygote: its two kinds of request, and what it needs to know once before. */
export const zygoteOrders = protocol({
  configure: {
    type: 1,
    descriptors: 0,
    meaning: "Public host keys; the zygote rehearses and answers ready",
    fields: { hostKeys: list(bytes(limits.maxKeyBlobBytes), 64), debug: u8(3) },
  },
  pair: {
    type: 2,
    descriptors: 2,
    meaning: "Fork a broker: its socket to the listener, its channel to the signer",
    fields: {},
  },
  login: {
    type: 3,
    descriptors: 1,
    meaning: "Fork a login: the socket over which the listener will say for whom",
    fields: {},
  },
  look: {
    type: 4,
    descriptors: 0,
    meaning: "A login has begun: see which pages brokers write (docs/decisions/0008)",
    fields: {},
  },
});
/** Listener -> login. It hears this one message, and nothing from anybody else. */
export const loginOrders = protocol({
  identity: {
    type: 1,
    descriptors: 1,
    meaning: "Somebody has authenticated: become this user and serve the worker's socket",
    fields: identityFields,
  },
});
/** Zygote -> listener. */
export const zygoteReports = protocol({
  fitness: {
    type: 70,
    descriptors: 0,
    meaning:
      "Once, before all else: what the canary found (session/canary.ts). A fault: the zygote ends, and nobody is served",
    fields: {
      /** "": the filter fits this runtime. */
      fault: text(limits.maxLogTextBytes),
      /** 0: it was known already. */
      milliseconds: u32(),
    },
  },
  ready: { type: 64, descriptors: 0, meaning: "Rehearsed; forks from now on", fields: {} },
  forked: {
    type: 65,
    descriptors: 0,
    meaning: "In answer to pair or login, in order",
    fields: { pid: u32() },
  },
  childEnded: {
    type: 66,
    descriptors: 0,
    meaning: "A child has been reaped",
    fields: {
      pid: u32(),
      /** Exit status, or the signal that killed it when bySignal. */
      status: u32(),
      bySignal: bool,
      cpuUs: u64(),
    },
  },
});
export type BrokerOrder = Message<typeof brokerOrders>;
export type BrokerReport = Message<typeof brokerReports>;
export type ZygoteOrder = Message<typeof zygoteOrders>;
export type ZygoteReport = Message<typeof zygoteReports>;
