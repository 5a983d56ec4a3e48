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
  | "OUT_OF_PHASE"
  | "WRONG_DIRECTION"
  | "SEQUENCE_WRAPPED"
  | "WINDOW_EXCEEDED"
  | "FLOOD"
  | "UNKNOWN_CHANNEL"
  | "CHANNEL_STATE";

/** Carries the RFC 4253 section 11.1 reason (2, protocol error, unless said otherwise) to be sent to an SSH peer. */
export class PeerFault extends Error {
  override readonly name = "PeerFault";
  readonly code: PeerFaultCode;
  readonly disconnectReason: number;

  constructor(
    code: PeerFaultCode,
    message: string,
    options: { cause?: unknown; disconnectReason?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.disconnectReason = options.disconnectReason ?? 2;
  }
}
