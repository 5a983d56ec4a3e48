// What the transport is given and what it reports: the types around `Transport`.
import type { PeerFault } from "../../ipc/peer-fault.ts";
import type { ByteStream, ExchangeParts, HostPublicKey, SignedExchange } from "./layers.ts";
import type { PreparedKex } from "./prepared-kex.ts";
import type { RekeyLimit } from "./rekey-limit.ts";

/** Names in order of preference, as in KEXINIT; without the markers (ext-info, kex-strict), which the transport adds. */
export interface AlgorithmPreferences {
  kex: readonly string[];
  /** A server offers those of them that a host key of its own serves. */
  hostKey: readonly string[];
  ciphers: readonly string[];
  macs: readonly string[];
}

/** What was agreed on by the last key exchange; client-to-server first. */
export interface Negotiated {
  kex: string;
  hostKey: string;
  cipherClientToServer: string;
  cipherServerToClient: string;
  /** "" where the cipher is an AEAD. */
  macClientToServer: string;
  macServerToClient: string;
}

export interface ServerRole {
  side: "server";
  hostKeys: readonly HostPublicKey[];
  /**
   * Asks whoever holds the private key; answers once, later or at once; null when it refuses (the connection ends). The buffers
   * in `parts` are wiped or reused after `done`: copy what is kept.
   */
  signExchange(parts: ExchangeParts, done: (signed: SignedExchange | null) => void): void;
  /** `server-sig-algs` of EXT_INFO (RFC 8308 section 3.1): what userauth accepts. */
  serverSigAlgs: readonly string[];
}
export interface ClientRole {
  side: "client";
  /** Is K_S the server's? The signature over H is checked by the transport. */
  verifyHostKey(blob: Uint8Array, algorithm: string): boolean;
}

/** Why a connection ended. Reported once; nothing is called after it. */
export type EndReason =
  /** The peer closed the stream; `identified`: its identification line had come. */
  | { end: "closed"; identified: boolean }
  /** SSH_MSG_DISCONNECT from the peer; its text is its own bytes, at most 1024 of them. */
  | { end: "peerDisconnect"; reason: number; text: Uint8Array }
  /** Our `disconnect()`. */
  | { end: "disconnected"; reason: number; description: string }
  | { end: "fault"; fault: PeerFault }
  /** The stream failed (errno in `error`), or the signer refused. */
  | { end: "failed"; error: Error };

export interface TransportOptions {
  role: ServerRole | ClientRole;
  stream: ByteStream;
  /** Our identification line without CR LF, such as "SSH-2.0-sallyport_0.1". At most 253 bytes of printable ASCII. */
  version: string;
  algorithms: AlgorithmPreferences;
  /** Made ahead by `prepareKex()`, in this process, after the fork, with the same algorithms. Taken once. */
  prepared?: PreparedKex;
  /** Takes effect with `markAuthenticated`, which may set another; absent: the defaults of the ciphers. */
  rekeyLimit?: RekeyLimit;
  /** The peer's identification line, without its end, has come. */
  onIdentified?(version: Uint8Array): void;
  /** The first key exchange is complete in both directions: packets go to the receiver from now on. */
  onEstablished(): void;
  /** A key exchange begins (true) and is complete (false): the caller's clock for a peer that never finishes one. */
  onKex?(inProgress: boolean): void;
  onEnd(reason: EndReason): void;
}
