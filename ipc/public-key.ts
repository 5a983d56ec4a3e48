// Public keys as they travel (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709, PROTOCOL.u2f): strict parsing into a key that
// node:crypto can verify with. Nothing is parsed for an algorithm that is not on the list.
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { FieldReader } from "./fields.ts";
import { PeerFault } from "./peer-fault.ts";

export type KeyType =
  | "ssh-ed25519"
  | "ecdsa-sha2-nistp256"
  | "ecdsa-sha2-nistp384"
  | "ecdsa-sha2-nistp521"
  | "ssh-rsa"
  | "sk-ssh-ed25519@openssh.com"
  | "sk-ecdsa-sha2-nistp256@openssh.com";

export interface PublicKey {
  readonly type: KeyType;
  readonly blob: Uint8Array;
  readonly key: KeyObject;
  /** RSA modulus, in bits; 0 for others. */
  readonly modulusBits: number;
  /** Security keys: the application that was signed over, usually "ssh:". */
  readonly application: Uint8Array;
}

/** Names as sshd logs them. */
const shortNames: Readonly<Record<KeyType, string>> = {
  "ssh-ed25519": "ED25519",
  "ecdsa-sha2-nistp256": "ECDSA",
  "ecdsa-sha2-nistp384": "ECDSA",
  "ecdsa-sha2-nistp521": "ECDSA",
  "ssh-rsa": "RSA",
  "sk-ssh-ed25519@openssh.com": "ED25519-SK",
  "sk-ecdsa-sha2-nistp256@openssh.com": "ECDSA-SK",
};
/** Signature algorithms of each key type; RSA keys sign with SHA-2 only (RFC 8332). */
export const signatureAlgorithms: Readonly<Record<KeyType, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
  "sk-ssh-ed25519@openssh.com": ["sk-ssh-ed25519@openssh.com"],
  "sk-ecdsa-sha2-nistp256@openssh.com": ["sk-ecdsa-sha2-nistp256@openssh.com"],
};
const isKeyType = (name: string): name is KeyType => Object.hasOwn(shortNames, name);

const curves: Readonly<Record<string, { crv: string; bytes: number }>> = {
  nistp256: { crv: "P-256", bytes: 32 },
  nistp384: { crv: "P-384", bytes: 48 },
  nistp521: { crv: "P-521", bytes: 66 },
};
/** sshd's bounds (SSH_RSA_MINIMUM_MODULUS_SIZE; OPENSSL_RSA_MAX_MODULUS_BITS). */
const minModulusBits = 1024;
const maxModulusBits = 16_384;
/** Exponents in use are 3 and 65537; OpenSSL itself takes no more than 8 bytes with a large modulus. */
const maxExponentBytes = 8;

const url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const malformed = (what: string): PeerFault =>
  new PeerFault("MALFORMED", `Cannot read public key: ${what}`);

function ed25519(reader: FieldReader): KeyObject {
  const point = reader.bytes(32);
  if (point.length !== 32) throw malformed(`Ed25519 key of ${point.length} bytes`);
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: url(point) }, format: "jwk" });
}

function ecdsa(reader: FieldReader, curveName: string): KeyObject {
  const named = Buffer.from(reader.bytes(16)).toString("latin1");
  const curve = curves[curveName];
  if (curve === undefined || named !== curveName) throw malformed(`curve ${JSON.stringify(named)}`);
  const point = reader.bytes(2 * curve.bytes + 1);
  if (point.length !== 2 * curve.bytes + 1 || point[0] !== 4)
    throw malformed("point is not uncompressed");
  const x = url(point.subarray(1, 1 + curve.bytes));
  const y = url(point.subarray(1 + curve.bytes));
  // OpenSSL refuses a point that is not on the curve.
  return createPublicKey({ key: { kty: "EC", crv: curve.crv, x, y }, format: "jwk" });
}

/** A positive mpint without needless zeros (RFC 4251 section 5), as a number's bytes. */
function positive(bytes: Uint8Array): Uint8Array {
  const first = bytes[0];
  if (first === undefined || first >= 0x80) throw malformed("number is not positive");
  if (first !== 0) return bytes;
  if ((bytes[1] ?? 0) < 0x80) throw malformed("number has a needless zero");
  return bytes.subarray(1);
}

const isEven = (number: Uint8Array): boolean => ((number[number.length - 1] ?? 0) & 1) === 0;

function rsa(reader: FieldReader): { key: KeyObject; modulusBits: number } {
  const e = positive(reader.bytes(maxExponentBytes + 1));
  const n = positive(reader.bytes(maxModulusBits / 8 + 1));
  const modulusBits = 8 * n.length - Math.clz32(n[0] ?? 0) + 24;
  if (modulusBits < minModulusBits || modulusBits > maxModulusBits)
    throw malformed(`RSA modulus of ${modulusBits} bits`);
  // With exponent 1 a signature is its own proof, and every even number shares a factor with the group's order.
  if (isEven(e) || (e.length === 1 && e[0] === 1)) throw malformed("bad RSA exponent");
  if (isEven(n)) throw malformed("even RSA modulus");
  return {
    key: createPublicKey({ key: { kty: "RSA", n: url(n), e: url(e) }, format: "jwk" }),
    modulusBits,
  };
}

/** Reads a key blob. Throws PeerFault for every other shape; type names are checked before anything of the key is read. */
export function parsePublicKey(blob: Uint8Array): PublicKey {
  const reader = new FieldReader(blob);
  const type = Buffer.from(reader.bytes(64)).toString("latin1");
  if (!isKeyType(type)) throw malformed(`type ${JSON.stringify(type)} is not supported`);
  let modulusBits = 0;
  let application = new Uint8Array();
  let key: KeyObject;
  try {
    if (type === "ssh-rsa") ({ key, modulusBits } = rsa(reader));
    else if (type === "ssh-ed25519" || type === "sk-ssh-ed25519@openssh.com") key = ed25519(reader);
    else key = ecdsa(reader, /nistp\d+/.exec(type)?.[0] ?? "");
    if (type.startsWith("sk-")) application = reader.bytes(256) as Uint8Array<ArrayBuffer>; // a copy of its own
    reader.end();
  } catch (cause) {
    if (cause instanceof PeerFault) throw cause;
    throw new PeerFault("MALFORMED", "Cannot read public key: not valid", { cause });
  }
  return { type, blob, key, modulusBits, application };
}

/** `SHA256:` and unpadded base64, as OpenSSH prints it. */
export const fingerprint = (blob: Uint8Array): string =>
  `SHA256:${createHash("sha256").update(blob).digest("base64").replaceAll("=", "")}`;

/** "ED25519 SHA256:...", as sshd logs a key. */
export const describeKey = (key: PublicKey): string =>
  `${shortNames[key.type]} ${fingerprint(key.blob)}`;
