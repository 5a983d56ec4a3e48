// A server's host key and its signature over H, as a client checks them (RFC 4253 section 8, RFC 5656, RFC 8332, RFC 8709). Used
// by the rehearsal and the tests; the server side verifies user keys in the broker, elsewhere.
import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { disconnectReasons, PeerFault } from "../../ipc/peer-fault.ts";
import { WireReader } from "./wire.ts";

const curves: Readonly<Record<string, { name: string; hash: string; coordinateBytes: number }>> = {
  "ecdsa-sha2-nistp256": { name: "P-256", hash: "sha256", coordinateBytes: 32 },
  "ecdsa-sha2-nistp384": { name: "P-384", hash: "sha384", coordinateBytes: 48 },
  "ecdsa-sha2-nistp521": { name: "P-521", hash: "sha512", coordinateBytes: 66 },
};
const rsaHashes: Readonly<Record<string, string>> = {
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
};

const badKey = (cause?: unknown): PeerFault =>
  new PeerFault("BAD_HOST_KEY", "Cannot read the server's host key", {
    cause,
    disconnectReason: disconnectReasons.hostKeyNotVerifiable,
  });

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

/** The key in `blob`, whose type must be the one that `algorithm` signs with. Throws PeerFault BAD_HOST_KEY, TRUNCATED and so on. */
function readKey(blob: Uint8Array, algorithm: string): KeyObject {
  const reader = new WireReader(blob);
  const type = reader.name();
  const curve = curves[algorithm];
  try {
    if (algorithm === "ssh-ed25519" && type === algorithm) {
      const key = Buffer.from(reader.string());
      reader.end();
      return createPublicKey({ key, format: "raw-public", asymmetricKeyType: "ed25519" });
    }
    if (curve !== undefined && type === algorithm) {
      reader.name();
      const point = reader.string();
      reader.end();
      const middle = 1 + curve.coordinateBytes;
      if (point.length !== 1 + 2 * curve.coordinateBytes || point[0] !== 4) throw badKey();
      const x = base64(point.subarray(1, middle));
      const y = base64(point.subarray(middle));
      return createPublicKey({ key: { kty: "EC", crv: curve.name, x, y }, format: "jwk" });
    }
    if (rsaHashes[algorithm] !== undefined && type === "ssh-rsa") {
      const e = base64(reader.mpint());
      const n = base64(reader.mpint());
      reader.end();
      return createPublicKey({ key: { kty: "RSA", e, n }, format: "jwk" });
    }
  } catch (cause) {
    throw cause instanceof PeerFault ? cause : badKey(cause);
  }
  throw badKey();
}

/** r and s of an ECDSA signature (RFC 5656 section 3.1.2) side by side, each padded to the field's size. */
function fixedSignature(signature: Uint8Array, coordinateBytes: number): Uint8Array {
  const reader = new WireReader(signature);
  const fixed = new Uint8Array(2 * coordinateBytes);
  for (const end of [coordinateBytes, 2 * coordinateBytes]) {
    const number = reader.mpint();
    if (number.length > coordinateBytes) throw badKey();
    fixed.set(number, end - number.length);
  }
  reader.end();
  return fixed;
}

/** Throws PeerFault BAD_SIGNATURE unless `signature` (algorithm and bytes) is the key's over `exchangeHash`. */
export function verifyExchange(
  blob: Uint8Array,
  algorithm: string,
  exchangeHash: Uint8Array,
  signature: Uint8Array,
): void {
  const key = readKey(blob, algorithm);
  const reader = new WireReader(signature);
  const signedBy = reader.name();
  const bytes = reader.string();
  reader.end();
  const curve = curves[algorithm];
  const isValid =
    signedBy === algorithm &&
    (curve === undefined
      ? verify(rsaHashes[algorithm] ?? null, exchangeHash, key, bytes)
      : verify(
          curve.hash,
          exchangeHash,
          { key, dsaEncoding: "ieee-p1363" },
          fixedSignature(bytes, curve.coordinateBytes),
        ));
  if (isValid) return;
  throw new PeerFault("BAD_SIGNATURE", "Cannot trust the server: its signature is wrong", {
    disconnectReason: disconnectReasons.keyExchangeFailed,
  });
}
