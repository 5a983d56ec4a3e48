// mlkem768x25519-sha256 (draft-ietf-sshm-mlkem-hybrid-kex): ML-KEM-768 (FIPS 203) and X25519, secure while either holds.
import { createPublicKey, decapsulate, encapsulate, generateKeyPairSync, hash } from "node:crypto";
import type { KexMethod } from "./kex-method.ts";
import { agreeX25519, badPublicValue, makeEphemeral, x25519Bytes } from "./kex-x25519.ts";

/** Encapsulation key and ciphertext (FIPS 203 table 3). */
const encapsulationKeyBytes = 1184;
const ciphertextBytes = 1088;

/** K = SHA-256(K_PQ || K_CL), encoded as a string, not as an mpint (section 2.4 of the draft). Wipes both. */
function combine(postQuantum: Uint8Array, classical: Uint8Array): Uint8Array {
  const both = new Uint8Array(postQuantum.length + classical.length);
  both.set(postQuantum);
  both.set(classical, postQuantum.length);
  const combined = hash("sha256", both, "buffer");
  postQuantum.fill(0);
  classical.fill(0);
  both.fill(0);
  return combined;
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** Throws BAD_KEX_VALUE on a key with unreduced coefficients: OpenSSL makes FIPS 203's check of section 7.2 on import. */
function encapsulateTo(key: Uint8Array): { ciphertext: Uint8Array; sharedKey: Uint8Array } {
  try {
    return encapsulate(
      createPublicKey({
        key: Buffer.from(key),
        format: "raw-public",
        asymmetricKeyType: "ml-kem-768",
      }),
    );
  } catch (cause) {
    throw badPublicValue(cause);
  }
}

export const mlkem768x25519: KexMethod = {
  name: "mlkem768x25519-sha256",
  hash: "sha256",
  start() {
    const { privateKey, publicKey } = generateKeyPairSync("ml-kem-768");
    const ephemeral = makeEphemeral();
    return {
      public: concatenate(publicKey.export({ format: "raw-public" }), ephemeral.public),
      finish(serverPublic) {
        if (serverPublic.length !== ciphertextBytes + x25519Bytes) throw badPublicValue();
        const classical = agreeX25519(ephemeral.privateKey, serverPublic.subarray(ciphertextBytes));
        // A ciphertext of the right length always decapsulates (implicit rejection): a wrong one fails at the signature.
        return combine(
          decapsulate(privateKey, serverPublic.subarray(0, ciphertextBytes)),
          classical,
        );
      },
    };
  },
  respond(clientPublic, ephemeral = makeEphemeral()) {
    if (clientPublic.length !== encapsulationKeyBytes + x25519Bytes) throw badPublicValue();
    const { ciphertext, sharedKey } = encapsulateTo(
      clientPublic.subarray(0, encapsulationKeyBytes),
    );
    const classical = agreeX25519(
      ephemeral.privateKey,
      clientPublic.subarray(encapsulationKeyBytes),
    );
    return {
      serverPublic: concatenate(ciphertext, ephemeral.public),
      sharedSecret: combine(sharedKey, classical),
    };
  },
};
