// What a peer did wrong: the client on the network, or the session process as seen by the broker. Expected, never our bug.

/** Each code is one thing that a peer can do wrong. Code decides on `code`, never on text. */
export type PeerFaultCode =
  // Identification (RFC 4253 section 4.2)
  | "IDENTIFICATION_INVALID"
  | "PROTOCOL_VERSION"
  // Binary packets (RFC 4253 section 6)
  | "PACKET_LENGTH"
  | "PACKET_MAC"
  | "PACKET_PADDING"
  | "PACKET_EMPTY"
  // The fields of a message
  | "TRUNCATED"
  | "TRAILING_BYTES"
  | "BAD_FIELD"
  // Messages out of phase, of the wrong direction, or too many
  | "UNEXPECTED_MESSAGE"
  | "UNKNOWN_MESSAGE"
  | "STRICT_KEX"
  | "SEQUENCE_WRAPPED"
  | "TOO_MANY_MESSAGES"
  | "OUTPUT_LIMIT"
  // Key exchange (RFC 4253 sections 7 and 8)
  | "NO_COMMON_KEX"
  | "NO_COMMON_HOST_KEY"
  | "NO_COMMON_CIPHER"
  | "NO_COMMON_MAC"
  | "NO_COMMON_COMPRESSION"
  | "BAD_PUBLIC_VALUE"
  | "BAD_HOST_KEY"
  | "BAD_SIGNATURE"
  // Userauth and connection (RFC 4252, RFC 4254)
  | "SERVICE_UNAVAILABLE"
  | "CHANNEL_UNKNOWN"
  | "CHANNEL_STATE"
  | "WINDOW_EXCEEDED"
  // Messages between processes
  | "FRAME_TOO_LONG"
  | "NOT_PERMITTED"
  | "UNEXPECTED_DESCRIPTOR";

/** SSH_DISCONNECT_* reasons (RFC 4253 section 11.1). */
export const disconnectReasons = {
  hostNotAllowedToConnect: 1,
  protocolError: 2,
  keyExchangeFailed: 3,
  macError: 5,
  compressionError: 6,
  serviceNotAvailable: 7,
  protocolVersionNotSupported: 8,
  hostKeyNotVerifiable: 9,
  connectionLost: 10,
  byApplication: 11,
  tooManyConnections: 12,
  authCancelledByUser: 13,
  noMoreAuthMethodsAvailable: 14,
  illegalUserName: 15,
} as const;
export type DisconnectReason = (typeof disconnectReasons)[keyof typeof disconnectReasons];

/** Peer strings in messages are cut here, in characters. */
const quotedCharacters = 256;

/**
 * A fault of the peer. `message` is for our log and may quote the peer (by `quote`); `tell` is what the peer reads in
 * SSH_MSG_DISCONNECT, and says no more than the reason does unless sshd's own text is expected there.
 */
export class PeerFault extends Error {
  override readonly name = "PeerFault";
  readonly code: PeerFaultCode;
  readonly reason: DisconnectReason;
  readonly tell: string;

  constructor(
    code: PeerFaultCode,
    message: string,
    reason: DisconnectReason = disconnectReasons.protocolError,
    tell = "Protocol error",
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.tell = tell;
  }
}

/** A peer's bytes or text for an error message: escaped by `JSON.stringify`, cut at a fixed length. Bytes are read as latin1. */
export function quote(value: Uint8Array | string): string {
  const text =
    typeof value === "string"
      ? value
      : Buffer.from(
          value.buffer,
          value.byteOffset,
          Math.min(value.byteLength, quotedCharacters + 1),
        ).toString("latin1");
  const cut = text.length > quotedCharacters ? `${text.slice(0, quotedCharacters)}...` : text;
  // JSON leaves DEL and the C1 controls alone; a terminal does not.
  return JSON.stringify(cut).replace(/[\x7f-\x9f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
