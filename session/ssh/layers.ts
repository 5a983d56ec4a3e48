// What the layers of RFC 4251 offer one another inside the session process: transport below, userauth and connection above.
// Types only: each layer sees of its neighbour what stands here, so that each can be tested alone.

/** A non-blocking byte stream: the TCP connection, a pipe, or memory in the rehearsal and in tests. Pull model: nobody pushes. */
export interface ByteStream {
  /** Into `buffer[offset, offset + length)`: bytes read, 0 at the end, -1 when nothing is there. Throws on ECONNRESET and so on. */
  read(buffer: Uint8Array, offset: number, length: number): number;
  /** Bytes taken (may be fewer), or -1 when there is no room. */
  write(buffer: Uint8Array, offset: number, length: number): number;
  /** Which readiness to wait for; the callbacks are level-triggered and stay the same for life. */
  wait(readable: boolean, writable: boolean): void;
  onReady(ready: (readable: boolean, writable: boolean, hungUp: boolean) => void): void;
  close(): void;
}

/** What a layer above may do with the transport. */
export interface PacketSender {
  /**
   * Queues one payload (message number first); `data[offset, +length)` follows `header` without being copied first. Taken at once
   * (sealed into the output buffer), so the caller may reuse both. During a key exchange of ours or the peer's non-kex payloads
   * are kept, in order, within a bound.
   */
  send(header: Uint8Array, data?: Uint8Array, offset?: number, length?: number): void;
  /** Room for one more data packet: false tells sources to stop until `roomAvailable`. Control messages may still be sent. */
  readonly hasRoom: boolean;
  /** RFC 4253 section 7.2; set once the first key exchange is done. */
  readonly sessionId: Uint8Array;
  /** Sends SSH_MSG_DISCONNECT (RFC 4253 section 11.1), flushes what the socket takes, and ends the connection. */
  disconnect(reason: number, description: string): void;
}

/** A layer above the transport. At any time exactly one is active: userauth, then connection. */
export interface PayloadReceiver {
  /**
   * One payload, valid only during the call (the buffer is reused): copy what is kept. `sequence` is the packet's number, for
   * SSH_MSG_UNIMPLEMENTED. Returns false when the message number is not this layer's: the transport answers UNIMPLEMENTED or disconnects.
   */
  receive(payload: Uint8Array, sequence: number): boolean;
  /** `hasRoom` is true again after it was false. */
  roomAvailable(): void;
}

/** Parts of an exchange hash, for whoever composes and signs it (RFC 4253 section 8, RFC 5656 section 4, RFC 8731). */
export interface ExchangeParts {
  /** The negotiated key exchange method. */
  kex: string;
  /** The negotiated host key algorithm, such as "rsa-sha2-512". */
  hostKeyAlgorithm: string;
  clientVersion: Uint8Array;
  serverVersion: Uint8Array;
  /** Payloads of the two KEXINIT messages. */
  clientKexInit: Uint8Array;
  serverKexInit: Uint8Array;
  /** C_INIT and S_REPLY: what the kex messages carried as strings. */
  clientPublic: Uint8Array;
  serverPublic: Uint8Array;
  /** As it enters the hash, without its length: the bytes of the mpint (two's complement, minimal) or, for hybrids, of the string. */
  sharedSecret: Uint8Array;
}
export interface SignedExchange {
  /** H, as the signer composed it. The session process compares it with its own. */
  exchangeHash: Uint8Array;
  /** The whole signature blob: string algorithm, string signature. */
  signature: Uint8Array;
}
export interface HostPublicKey {
  /** K_S: the public key blob (RFC 4253 section 6.6). */
  blob: Uint8Array;
  /** Signature algorithms it serves: one, or for RSA rsa-sha2-512 and rsa-sha2-256. */
  algorithms: readonly string[];
}
