// The SSH transport layer (RFC 4253), either side.
import type { PeerFault } from "../../ipc/peer-fault.ts";
import type { PacketSender, PayloadReceiver } from "./layers.ts";
import type { Negotiated, TransportOptions } from "./transport-options.ts";

/** API first: bodies follow. */
export declare class Transport implements PacketSender {
  constructor(options: TransportOptions);
  /** Sends our identification line and begins to read. */
  start(): void;
  /** The layer that gets payloads: userauth, then connection. Set one before `onEstablished` returns. */
  setReceiver(layer: PayloadReceiver): void;
  /** After USERAUTH_SUCCESS was sent (server) or received (client): rekeying, PING and UNIMPLEMENTED begin here. */
  markAuthenticated(): void;
  send(header: Uint8Array, data?: Uint8Array, offset?: number, length?: number): void;
  get hasRoom(): boolean;
  /** H of the first key exchange (RFC 4253 section 7.2). Throws before it is known. */
  get sessionId(): Uint8Array;
  /** K_S of the first key exchange, for publickey-hostbound-v00@openssh.com. */
  get hostKeyBlob(): Uint8Array;
  /** Their identification line without its end. */
  get peerVersion(): Uint8Array;
  /** What the last key exchange agreed on; null before the first. */
  get negotiated(): Negotiated | null;
  /** Extensions of the peer's EXT_INFO (RFC 8308), name to value. */
  get peerExtensions(): ReadonlyMap<string, Uint8Array>;
  /** Bytes on the stream so far, both directions. */
  get bytesSent(): number;
  get bytesReceived(): number;
  /** Begins a key re-exchange; nothing happens while one runs or before authentication. */
  rekey(): void;
  /** A second EXT_INFO with server-sig-algs alone (ext-info-in-auth@openssh.com), server only. */
  sendServerSigAlgs(algorithms: readonly string[]): void;
  disconnect(reason: number, description: string): void;
  /** A layer above found a fault outside `receive()` (inside it, it throws it): tells the peer and ends. */
  fail(fault: PeerFault): void;
}
