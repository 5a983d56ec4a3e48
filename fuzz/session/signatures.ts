// Whether a signature of the server's is over what it must be over: hash and proof are composed here once more, from the specifications, and not by
// the server's code.
import { createHash, createPublicKey, verify } from "node:crypto";
import type { Request } from "../../ipc/monitor.ts";
import { hostKey } from "../../lab/lab-world.ts";

type BodyOf<K extends Request["name"]> = Extract<Request, { name: K }>["body"];

const string = (value: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const algorithm = "ssh-ed25519";
/** RFC 8410. */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");
const publicKey = createPublicKey({
  key: Buffer.concat([spkiPrefix, hostKey.blob.subarray(-32)]),
  format: "der",
  type: "spki",
});

/** RFC 8731, RFC 5656 section 6.2.1, draft-ietf-sshm-mlkem-hybrid-kex. */
const hashOf = (kex: string): string | undefined => {
  if (/^(mlkem768x25519|curve25519)-sha256$|^curve25519-sha256@libssh\.org$|^ecdh-sha2-nistp256$/.test(kex)) return "sha256"; // prettier-ignore
  return { "ecdh-sha2-nistp384": "sha384", "ecdh-sha2-nistp521": "sha512" }[kex];
};

/** Whether these are the parts of an exchange: nothing else may be signed, and these must be. */
export function isExchange(body: BodyOf<"sign">): boolean {
  const isVersion = (line: Uint8Array): boolean => Buffer.from(line.subarray(0, 4)).toString("latin1") === "SSH-"; // prettier-ignore
  return (
    hashOf(body.kex) !== undefined &&
    isVersion(body.clientVersion) &&
    isVersion(body.serverVersion) &&
    body.clientKexInit[0] === 20 &&
    body.serverKexInit[0] === 20 &&
    body.sharedSecret.length > 0
  );
}

/** RFC 4253 section 8. */
export function exchangeHash(body: BodyOf<"sign">): Uint8Array {
  const parts = [body.clientVersion, body.serverVersion, body.clientKexInit, body.serverKexInit, hostKey.blob, body.clientPublic, body.serverPublic, body.sharedSecret]; // prettier-ignore
  return createHash(hashOf(body.kex) ?? "sha256")
    .update(Buffer.concat(parts.map(string)))
    .digest();
}
/** OpenSSH's PROTOCOL, section 2.5. */
export const proofData = (sessionId: Uint8Array): Uint8Array =>
  Buffer.concat([string("hostkeys-prove-00@openssh.com"), string(sessionId), string(hostKey.blob)]);

/** A signature blob of the host key over exactly this (RFC 8709). */
export function isSignedByHost(data: Uint8Array, signature: Uint8Array): boolean {
  const head = Buffer.concat([string(algorithm), Uint8Array.of(0, 0, 0, 64)]);
  const blob = Buffer.from(signature);
  return (
    blob.length === head.length + 64 &&
    blob.subarray(0, head.length).equals(head) &&
    verify(null, data, publicKey, blob.subarray(head.length))
  );
}
