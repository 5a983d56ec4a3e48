// A trace: JSONL, a header and then one record a line. docs/trace.md says what each key means; a change of meaning is a new version.
import type { Phase } from "../../broker/permits.ts";
import {
  brokerOrders,
  brokerReports,
  loginOrders,
  zygoteOrders,
  zygoteReports,
} from "../../ipc/listener.ts";
import { answers, requests } from "../../ipc/monitor.ts";
import type { Protocol } from "../../ipc/protocol.ts";
import { signatureAnswers, signatureRequests } from "../../ipc/signer.ts";
import type { TraceParty } from "../../ipc/trace.ts";

export const formatName = "sallyport-trace";
export const formatVersion = 1;

/** As it is; or of what is not told, its length and the first 8 bytes of SHA-256 (`salted`: with a salt that nobody knows). */
export type FieldValue =
  | number
  | boolean
  | string
  | { readonly bytes: number; readonly sha256: string }
  | { readonly bytes: number; readonly salted: string }
  | { readonly bytes: number; readonly text: string }
  | { readonly hex: string }
  | readonly FieldValue[];
export type Fields = Readonly<Record<string, FieldValue>>;

export interface Header {
  readonly kind: "header";
  readonly format: typeof formatName;
  readonly v: typeof formatVersion;
  /** RFC 3339. */
  readonly recorded: string;
  readonly server: string;
  readonly kernel: string;
  readonly connection: {
    readonly remoteAddress: string;
    readonly remotePort: number;
    readonly localAddress: string;
    readonly localPort: number;
  };
}

interface Common {
  /** From 1 up. */
  readonly n: number;
  /** Microseconds since the connection was accepted; what was forked before is negative. */
  readonly atUs: number;
}
/** What of the permit table let a request of the session process through, or did not. */
export interface Permit {
  readonly rule: string;
  /** Uses left when it came; absent: without bound. */
  readonly left?: number;
  readonly why: string;
}
export interface MessageRecord extends Common {
  readonly kind: "message";
  readonly from: TraceParty;
  readonly to: TraceParty;
  readonly message: string;
  /** Pairs an answer with its request. */
  readonly id: number;
  /** The whole packet. */
  readonly bytes: number;
  readonly descriptors: number;
  readonly fields: Fields;
  /** Absent where the broker has no part in it. */
  readonly phase?: { readonly before: Phase; readonly after: Phase };
  readonly permit?: Permit;
  readonly outcome: "done" | "refused";
  readonly refusal?: string;
}
export const layerStates = ["verified", "claimed", "missing", "seen"] as const;
export interface Layer {
  readonly name: string;
  /** verified: the broker looked; claimed: the process says so, and nothing of it shows in /proc; seen: read by the recorder. */
  readonly state: (typeof layerStates)[number];
  readonly detail?: string;
}
export const processEvents = ["forked", "verified", "seen", "ended"] as const;
export interface ProcessRecord extends Common {
  readonly kind: "process";
  readonly party: TraceParty;
  readonly event: (typeof processEvents)[number];
  /** Who forked it, looked at it, or reaped it. */
  readonly by: TraceParty;
  readonly pid: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly layers?: readonly Layer[];
  /** Exit status, or the signal that ended it. */
  readonly status?: number;
  readonly signal?: number;
  readonly cpuUs?: number;
  /** A required layer is missing: the pair ends. */
  readonly refusal?: string;
}
export interface ConnectionRecord extends Common {
  readonly kind: "connection";
  readonly event: "accepted" | "ended";
  readonly end?: string;
  readonly bytesReceived?: number;
  readonly bytesSent?: number;
}
/** The listener did not read fast enough: so many records of the broker are missing here. */
export interface LostRecord extends Common {
  readonly kind: "lost";
  readonly count: number;
}
export type TraceRecord = MessageRecord | ProcessRecord | ConnectionRecord | LostRecord;
export interface Trace {
  readonly header: Header;
  readonly records: readonly TraceRecord[];
}

/** Which table a message between two parties is from. */
export const channels: Readonly<Record<string, Protocol>> = {
  "session>broker": requests,
  "broker>session": answers,
  "broker>signer": signatureRequests,
  "signer>broker": signatureAnswers,
  "listener>broker": brokerOrders,
  "broker>listener": brokerReports,
  "listener>zygote": zygoteOrders,
  "zygote>listener": zygoteReports,
  "listener>login": loginOrders,
};
