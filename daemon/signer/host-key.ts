// A host key: read from its file with sshd's checks and words, and what it signs.
import { sign, type KeyObject } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { parsePublicKey, signatureAlgorithms } from "../../ipc/public-key.ts";
import { parsePrivateKey, PrivateKeyError, publicBlob } from "./openssh-private-key.ts";

export interface HostKey {
  readonly blob: Uint8Array;
  readonly algorithms: readonly string[];
  readonly privateKey: KeyObject;
}

const hashes: ReadonlyMap<string, string | null> = new Map([
  ["ssh-ed25519", null],
  ["ecdsa-sha2-nistp256", "sha256"],
  ["ecdsa-sha2-nistp384", "sha384"],
  ["ecdsa-sha2-nistp521", "sha512"],
  ["rsa-sha2-256", "sha256"],
  ["rsa-sha2-512", "sha512"],
]);
const permissionWarning = (path: string, mode: number): string[] => [
  "@".repeat(59),
  "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @",
  "@".repeat(59),
  `Permissions 0${(mode & 0o777).toString(8)} for '${path}' are too open.`,
  "It is required that your private key files are NOT accessible by others.",
  "This private key will be ignored.",
];

/** The key, or the lines that sshd would log. */
export function loadHostKey(path: string): HostKey | { readonly errors: readonly string[] } {
  // sshd's two lines: why, where the file could be read, and that.
  const absent = `Unable to load host key: ${path}`;
  const failed = (why: string): { errors: string[] } => ({
    errors: [`Unable to load host key "${path}": ${why}`, absent],
  });
  let text: string;
  try {
    const fd = openSync(path, "r");
    try {
      const { mode, uid } = fstatSync(fd);
      if (uid === process.getuid?.() && (mode & 0o77) !== 0) {
        return {
          errors: [...permissionWarning(path, mode), ...failed("bad permissions").errors],
        };
      }
      text = readFileSync(fd, "latin1");
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // fs throws no other kind
    if (code === "ENOENT") return { errors: [absent] };
    return failed(code === "EACCES" ? "Permission denied" : String(code));
  }
  try {
    const privateKey = parsePrivateKey(text);
    const blob = publicBlob(privateKey);
    const { type } = parsePublicKey(blob);
    return { blob, algorithms: signatureAlgorithms[type], privateKey };
  } catch (error) {
    return failed(error instanceof PrivateKeyError ? error.message : "invalid format");
  }
}

const string = (content: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
};
const mpint = (bytes: Uint8Array): Buffer => {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const magnitude = bytes.subarray(start);
  return string(
    (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), magnitude]) : magnitude,
  );
};

/** The signature blob (RFC 4253 section 6.6) of `algorithm` over `data`. */
export function signWith(key: HostKey, algorithm: string, data: Uint8Array): Uint8Array {
  const hash = hashes.get(algorithm);
  if (hash === undefined || !key.algorithms.includes(algorithm))
    throw new RangeError(`Cannot sign: ${algorithm} is not this key's`);
  const isEcdsa = algorithm.startsWith("ecdsa-");
  const raw = sign(
    hash,
    data,
    isEcdsa ? { key: key.privateKey, dsaEncoding: "ieee-p1363" } : key.privateKey,
  );
  // RFC 5656 section 3.1.2: mpint r, mpint s.
  const half = raw.length / 2;
  const content = isEcdsa
    ? Buffer.concat([mpint(raw.subarray(0, half)), mpint(raw.subarray(half))])
    : raw;
  return Buffer.concat([string(Buffer.from(algorithm)), string(content)]);
}
