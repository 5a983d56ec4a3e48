// What every key exchange method here is to the state machine: two public values, one secret.
import type { Ephemeral } from "./kex-x25519.ts";

/** A client's half, between its INIT and the server's REPLY. */
export interface ClientHalf {
  /** C_INIT. */
  readonly public: Uint8Array;
  /** S_REPLY in, K out, as `sharedSecret` of ExchangeParts. Throws PeerFault BAD_KEX_VALUE. */
  finish(serverPublic: Uint8Array): Uint8Array;
}
export interface KexMethod {
  readonly name: string;
  readonly hash: "sha256" | "sha384" | "sha512";
  /** Makes a client's ephemeral keys. */
  start(): ClientHalf;
  /**
   * A server's whole part: C_INIT in; S_REPLY and K out. `ephemeral` is an X25519 pair made ahead, for methods that use one.
   * Throws PeerFault BAD_KEX_VALUE.
   */
  respond(
    clientPublic: Uint8Array,
    ephemeral?: Ephemeral,
  ): { serverPublic: Uint8Array; sharedSecret: Uint8Array };
}
