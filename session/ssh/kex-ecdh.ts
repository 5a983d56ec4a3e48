// ecdh-sha2-nistp256, -nistp384, -nistp521 (RFC 5656 section 4).
import { createECDH, type ECDH } from "node:crypto";
import type { KexMethod } from "./kex-method.ts";
import { badPublicValue } from "./kex-x25519.ts";
import { mpintContent } from "./wire.ts";

/** SEC 1 section 2.3.3: an uncompressed point begins with it. Compressed points (RFC 5656 section 4: MAY) nobody sends. */
const uncompressed = 0x04;

/** K is the x coordinate (RFC 5656 section 4). The exact length excludes infinity; OpenSSL checks that the point is on the curve. */
function agree(ecdh: ECDH, peerPublic: Uint8Array, pointBytes: number): Uint8Array {
  if (peerPublic.length !== pointBytes || peerPublic[0] !== uncompressed) throw badPublicValue();
  let agreed: Uint8Array;
  try {
    agreed = ecdh.computeSecret(peerPublic);
  } catch (cause) {
    throw badPublicValue(cause);
  }
  const content = mpintContent(agreed);
  agreed.fill(0);
  return content;
}

const ecdhMethod = (
  name: string,
  curve: string,
  hash: KexMethod["hash"],
  coordinateBytes: number,
): KexMethod => {
  const pointBytes = 1 + 2 * coordinateBytes;
  return {
    name,
    hash,
    start() {
      const ecdh = createECDH(curve);
      return {
        public: ecdh.generateKeys(),
        finish: (serverPublic) => agree(ecdh, serverPublic, pointBytes),
      };
    },
    respond(clientPublic) {
      const ecdh = createECDH(curve);
      const serverPublic = ecdh.generateKeys();
      return { serverPublic, sharedSecret: agree(ecdh, clientPublic, pointBytes) };
    },
  };
};

export const ecdhMethods: readonly KexMethod[] = [
  ecdhMethod("ecdh-sha2-nistp256", "prime256v1", "sha256", 32),
  ecdhMethod("ecdh-sha2-nistp384", "secp384r1", "sha384", 48),
  ecdhMethod("ecdh-sha2-nistp521", "secp521r1", "sha512", 66),
];
