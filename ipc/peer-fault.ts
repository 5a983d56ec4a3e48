// What a peer did wrong: the other side of the network, or the process on the other side of a socket. Expected, so it is a class
// of its own; it ends the connection concerned and is one event.

/** Why a message was refused. Code decides on this, never on text. */
export type PeerFaultCode =
  // Messages between processes, and SSH messages alike
  | "TRUNCATED"
  | "TRAILING_BYTES"
  | "OUT_OF_BOUNDS"
  | "MALFORMED"
  | "UNKNOWN_TYPE"
  | "DESCRIPTORS"
  // The permit table (broker/permits.ts)
  | "NOT_PERMITTED"
  | "SPENT"
  | "MISMATCH"
  // SSH (RFC 4253)
  | "BAD_IDENTIFICATION"
  | "VERSION_MISMATCH"
  | "BAD_PACKET_LENGTH"
  | "BAD_PADDING"
  | "BAD_MAC"
  | "NO_COMMON_ALGORITHM"
  | "BAD_KEX_VALUE"
  | "BAD_HOST_KEY"
  | "BAD_SIGNATURE"
  | "STRICT_KEX"
  | "OUT_OF_PHASE"
  | "WRONG_DIRECTION"
  | "SEQUENCE_WRAPPED"
  | "WINDOW_EXCEEDED"
  | "FLOOD"
  | "UNKNOWN_CHANNEL"
  | "CHANNEL_STATE";

/** SSH_DISCONNECT_* reasons (RFC 4253 section 11.1), those that we send. */
export const disconnectReasons = {
  protocolError: 2,
  keyExchangeFailed: 3,
  macError: 5,
  serviceNotAvailable: 7,
  protocolVersionNotSupported: 8,
  hostKeyNotVerifiable: 9,
  byApplication: 11,
  noMoreAuthMethodsAvailable: 14,
} as const;

export interface PeerFaultOptions {
  cause?: unknown;
  /** RFC 4253 section 11.1; 2, protocol error, unless said otherwise. */
  disconnectReason?: number;
  /** What an SSH peer reads in SSH_MSG_DISCONNECT. It must not say which check failed, unless sshd's own text says it too. */
  tell?: string;
}

/** Carries what an SSH peer is told; `message` is for our log alone, and quotes the peer by `quote()`. */
export class PeerFault extends Error {
  override readonly name = "PeerFault";
  readonly code: PeerFaultCode;
  readonly disconnectReason: number;
  readonly tell: string;

  constructor(code: PeerFaultCode, message: string, options: PeerFaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.disconnectReason = options.disconnectReason ?? disconnectReasons.protocolError;
    this.tell = options.tell ?? "Protocol error";
  }
}

/** Peer strings in messages are cut here, in bytes. */
const quotedBytes = 256;
/** A peer's bytes (read as latin1) or text for a message: quoted, escaped so that no terminal or log parser obeys it, and cut. */
export function quote(value: Uint8Array | string): string {
  const text =
    typeof value === "string"
      ? value
      : Buffer.from(value.subarray(0, quotedBytes + 1)).toString("latin1");
  const cut = text.length > quotedBytes ? `${text.slice(0, quotedBytes)}...` : text;
  // JSON leaves DEL and the C1 controls alone; a terminal obeys them.
  return JSON.stringify(cut).replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
}
