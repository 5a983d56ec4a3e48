// X25519 (RFC 7748) on raw keys: what curve25519-sha256 and the hybrid share.
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from "node:crypto";
import { disconnectReasons, PeerFault } from "../../ipc/peer-fault.ts";

export const x25519Bytes = 32;

/** An ephemeral pair. Made after the fork, used for one connection. */
export interface Ephemeral {
  readonly privateKey: KeyObject;
  /** 32 bytes. */
  readonly public: Uint8Array;
}

export function makeEphemeral(): Ephemeral {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey, public: publicKey.export({ format: "raw-public" }) };
}

/** The fault of every bad public value: one text, whatever was wrong with it. */
export function badPublicValue(cause?: unknown): PeerFault {
  return new PeerFault(
    "BAD_KEX_VALUE",
    "Cannot agree on a key: the peer's public value is invalid",
    {
      cause,
      disconnectReason: disconnectReasons.keyExchangeFailed,
      tell: "Key exchange failed",
    },
  );
}

/**
 * The 32 bytes of the agreement; the caller wipes them. Throws PeerFault BAD_KEX_VALUE on a wrong length and on the low-order
 * points, whose agreement is all zero (RFC 8731 section 3, RFC 7748 section 6.1).
 */
export function agreeX25519(privateKey: KeyObject, peerPublic: Uint8Array): Uint8Array {
  if (peerPublic.length !== x25519Bytes) throw badPublicValue();
  let agreed: Uint8Array;
  try {
    const publicKey = createPublicKey({
      key: Buffer.from(peerPublic),
      format: "raw-public",
      asymmetricKeyType: "x25519",
    });
    agreed = diffieHellman({ privateKey, publicKey });
  } catch (cause) {
    throw badPublicValue(cause);
  }
  // OpenSSL refuses the all-zero agreement; this does not depend on its doing so. Every byte is looked at, whatever they are.
  let bits = 0;
  for (const byte of agreed) bits |= byte;
  if (bits === 0) throw badPublicValue();
  return agreed;
}
