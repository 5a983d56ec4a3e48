// OpenSSH's own private key format (PROTOCOL.key), unencrypted, into a key that node:crypto signs with. PEM files go to node:crypto as they are.
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { FieldReader } from "../../ipc/fields.ts";

/** Why a file is not a key for us, in sshd's words. Never holds anything of the file. */
export class PrivateKeyError extends Error {
  override readonly name = "PrivateKeyError";
}
const wrongPassphrase = "incorrect passphrase supplied to decrypt private key";

const magic = "openssh-key-v1\0";
const maxFieldBytes = 16 * 1024;
const curves: Readonly<Record<string, { crv: string; bytes: number }>> = {
  nistp256: { crv: "P-256", bytes: 32 },
  nistp384: { crv: "P-384", bytes: 48 },
  nistp521: { crv: "P-521", bytes: 66 },
};
const url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
/** An mpint's magnitude. */
const magnitude = (bytes: Uint8Array): Uint8Array => (bytes[0] === 0 ? bytes.subarray(1) : bytes);
const padded = (bytes: Uint8Array, width: number): Uint8Array => {
  const out = new Uint8Array(width);
  out.set(magnitude(bytes), width - magnitude(bytes).length);
  return out;
};

function ed25519(reader: FieldReader): KeyObject {
  const point = reader.bytes(32);
  const seedAndPoint = reader.bytes(64);
  return createPrivateKey({
    key: { kty: "OKP", crv: "Ed25519", x: url(point), d: url(seedAndPoint.subarray(0, 32)) },
    format: "jwk",
  });
}
function ecdsa(reader: FieldReader): KeyObject {
  const curve = curves[Buffer.from(reader.bytes(16)).toString("latin1")];
  if (curve === undefined) throw new PrivateKeyError("unknown curve");
  const point = reader.bytes(1 + 2 * curve.bytes);
  const x = url(point.subarray(1, 1 + curve.bytes));
  const y = url(point.subarray(1 + curve.bytes));
  const d = url(padded(reader.bytes(curve.bytes + 1), curve.bytes));
  return createPrivateKey({ key: { kty: "EC", crv: curve.crv, x, y, d }, format: "jwk" });
}

const toNumber = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
const toBytes = (value: bigint): Uint8Array => {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
};
function rsa(reader: FieldReader): KeyObject {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () =>
    magnitude(reader.bytes(maxFieldBytes)),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]; // the length stands in the line above
  // The format leaves out d mod (p-1) and d mod (q-1).
  const dp = toBytes(toNumber(d) % (toNumber(p) - 1n));
  const dq = toBytes(toNumber(d) % (toNumber(q) - 1n));
  const key = {
    kty: "RSA",
    n: url(n),
    e: url(e),
    d: url(d),
    p: url(p),
    q: url(q),
    dp: url(dp),
    dq: url(dq),
    qi: url(qi),
  };
  return createPrivateKey({ key, format: "jwk" });
}

function readers(type: string): ((reader: FieldReader) => KeyObject) | undefined {
  if (type === "ssh-ed25519") return ed25519;
  if (type === "ssh-rsa") return rsa;
  return type.startsWith("ecdsa-sha2-nistp") ? ecdsa : undefined;
}

/** RFC 5958 and RFC 1421 say it themselves; OpenSSL's error for both is only that nobody gave a passphrase. */
const encryptedPem = /^(-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m;

/** PKCS#1, PKCS#8 and SEC1. */
function parsePem(text: string): KeyObject {
  if (encryptedPem.test(text)) throw new PrivateKeyError(wrongPassphrase);
  return createPrivateKey(text);
}

/** Any file that sshd takes as a host key, without a passphrase. Throws PrivateKeyError, or what node:crypto or a broken field gives. */
export function parsePrivateKey(text: string): KeyObject {
  const armored =
    /^-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/.exec(
      text.trim(),
    );
  if (armored === null) return parsePem(text);
  const bytes = Buffer.from(armored[1] ?? "", "base64");
  if (bytes.toString("latin1", 0, magic.length) !== magic)
    throw new PrivateKeyError("invalid format");
  const reader = new FieldReader(bytes, magic.length);
  const cipher = Buffer.from(reader.bytes(64)).toString("latin1");
  if (cipher !== "none") throw new PrivateKeyError(wrongPassphrase);
  reader.bytes(64); // kdf name
  reader.bytes(1024); // kdf options
  if (reader.u32() !== 1) throw new PrivateKeyError("invalid format");
  reader.bytes(maxFieldBytes); // the public key, which is in the private part again
  const inner = new FieldReader(reader.bytes(4 * maxFieldBytes));
  if (inner.u32() !== inner.u32()) throw new PrivateKeyError("invalid format");
  const parse = readers(Buffer.from(inner.bytes(64)).toString("latin1"));
  if (parse === undefined) throw new PrivateKeyError("key type is not supported");
  return parse(inner);
}

/** The SSH blob (RFC 4253 section 6.6) of a private key's public half. Throws PrivateKeyError for a type that SSH does not have. */
export function publicBlob(privateKey: KeyObject): Uint8Array {
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  const bytes = (value = ""): Buffer => Buffer.from(value, "base64url");
  const string = (content: Buffer | string): Buffer => {
    const raw = Buffer.from(content);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(raw.length);
    return Buffer.concat([length, raw]);
  };
  const mpint = (value: Buffer): Buffer =>
    string((value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), value]) : value);
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519")
    return Buffer.concat([string("ssh-ed25519"), string(bytes(jwk.x))]);
  if (jwk.kty === "RSA")
    return Buffer.concat([string("ssh-rsa"), mpint(bytes(jwk.e)), mpint(bytes(jwk.n))]);
  const curve = Object.entries(curves).find(([, { crv }]) => crv === jwk.crv)?.[0];
  if (jwk.kty !== "EC" || curve === undefined)
    throw new PrivateKeyError("key type is not supported");
  const point = Buffer.concat([Buffer.from([4]), bytes(jwk.x), bytes(jwk.y)]);
  return Buffer.concat([string(`ecdsa-sha2-${curve}`), string(curve), string(point)]);
}
