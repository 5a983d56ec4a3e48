// Signatures as they travel (RFC 4253 section 6.6, RFC 5656 section 3.1.2, RFC 8332, RFC 8709, PROTOCOL.u2f), verified.
import { createHash, verify } from "node:crypto";
import { FieldReader } from "./fields.ts";
import { PeerFault } from "./peer-fault.ts";
import { signatureAlgorithms, type PublicKey } from "./public-key.ts";

/** What a security key said beside its signature. */
export interface SecurityKeyDetails {
  readonly userPresent: boolean;
  readonly userVerified: boolean;
  readonly counter: number;
}
export interface Verified {
  readonly securityKey?: SecurityKeyDetails;
}

const hashes: Readonly<Record<string, string>> = {
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
  "sk-ecdsa-sha2-nistp256@openssh.com": "sha256",
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
};
const coordinateBytes: Readonly<Record<string, number>> = {
  "ecdsa-sha2-nistp256": 32,
  "ecdsa-sha2-nistp384": 48,
  "ecdsa-sha2-nistp521": 66,
  "sk-ecdsa-sha2-nistp256@openssh.com": 32,
};

/** mpint r, mpint s to r || s of fixed width (IEEE P1363). */
function ecdsaSignature(bytes: Uint8Array, width: number): Uint8Array {
  const reader = new FieldReader(bytes);
  const out = new Uint8Array(2 * width);
  for (const at of [width, 2 * width]) {
    const mpint = reader.bytes(width + 1);
    if (mpint.length === 0 || (mpint[0] ?? 0) >= 0x80)
      throw new PeerFault("MALFORMED", "Cannot read signature: number");
    const number = mpint[0] === 0 ? mpint.subarray(1) : mpint;
    if (number.length > width)
      throw new PeerFault("MALFORMED", "Cannot read signature: number too long");
    out.set(number, at - number.length);
  }
  reader.end();
  return out;
}

/** OpenSSL wants exactly the width of the modulus; some clients leave leading zeros out, and OpenSSH puts them back. */
function rsaSignature(raw: Uint8Array, modulusBits: number): Uint8Array {
  const width = Math.ceil(modulusBits / 8);
  if (raw.length >= width) return raw;
  const padded = new Uint8Array(width);
  padded.set(raw, width - raw.length);
  return padded;
}

/** The bytes that a security key signs in place of `data` (PROTOCOL.u2f). */
function securityKeyData(
  key: PublicKey,
  data: Uint8Array,
  flags: number,
  counter: number,
): Uint8Array {
  const tail = Buffer.alloc(5);
  tail.writeUInt8(flags, 0);
  tail.writeUInt32BE(counter, 1);
  const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
  return Buffer.concat([sha256(key.application), tail, sha256(data)]);
}

/**
 * Verifies the blob `signature` (string algorithm, string signature, and for security keys flags and counter) by `key` over `data`.
 * `algorithm` is the one that was announced: the blob must name the same, and the key must serve it. Null: not valid, in whatever way.
 */
export function verifySignature(
  key: PublicKey,
  algorithm: string,
  signature: Uint8Array,
  data: Uint8Array,
): Verified | null {
  if (!signatureAlgorithms[key.type].includes(algorithm)) return null;
  try {
    const reader = new FieldReader(signature);
    if (Buffer.from(reader.bytes(64)).toString("latin1") !== algorithm) return null;
    const raw = reader.bytes(4096);
    const isSecurityKey = algorithm.startsWith("sk-");
    const flags = isSecurityKey ? reader.u8() : 0;
    const counter = isSecurityKey ? reader.u32() : 0;
    reader.end();
    const signed = isSecurityKey ? securityKeyData(key, data, flags, counter) : data;
    const width = coordinateBytes[algorithm];
    const valid =
      width === undefined
        ? verify(
            hashes[algorithm] ?? null,
            signed,
            key.key,
            key.type === "ssh-rsa" ? rsaSignature(raw, key.modulusBits) : raw,
          )
        : verify(
            hashes[algorithm],
            signed,
            { key: key.key, dsaEncoding: "ieee-p1363" },
            ecdsaSignature(raw, width),
          );
    if (!valid) return null;
    if (!isSecurityKey) return {};
    return {
      securityKey: { userPresent: (flags & 1) !== 0, userVerified: (flags & 4) !== 0, counter },
    };
  } catch (error) {
    if (error instanceof PeerFault) return null;
    throw error;
  }
}
