// What the signer signs, it composes itself from parts: nobody can have bytes of his own signed.
import { createHash } from "node:crypto";
import { FieldWriter } from "../../ipc/fields.ts";
import type { Body } from "../../ipc/protocol.ts";
import type { signatureRequests } from "../../ipc/signer.ts";

/** The hash of each key exchange method (RFC 8731, RFC 5656 section 6.2.1, draft-ietf-sshm-mlkem-hybrid-kex). */
const hashes: ReadonlyMap<string, string> = new Map([
  ["mlkem768x25519-sha256", "sha256"],
  ["curve25519-sha256", "sha256"],
  ["curve25519-sha256@libssh.org", "sha256"],
  ["ecdh-sha2-nistp256", "sha256"],
  ["ecdh-sha2-nistp384", "sha384"],
  ["ecdh-sha2-nistp521", "sha512"],
]);
const versionPrefix = Buffer.from("SSH-");
const SSH_MSG_KEXINIT = 20;

/**
 * H (RFC 4253 section 8, RFC 5656 section 4). The parts are checked for what they must begin with, so that no other structure of ours has
 * the same form. Throws RangeError.
 */
export function exchangeHash(
  parts: Body<(typeof signatureRequests)["exchange"]>,
  hostKey: Uint8Array,
): Uint8Array {
  const algorithm = hashes.get(parts.kex);
  if (algorithm === undefined)
    throw new RangeError(`unknown key exchange ${JSON.stringify(parts.kex)}`);
  for (const version of [parts.clientVersion, parts.serverVersion]) {
    if (!versionPrefix.equals(version.subarray(0, 4)))
      throw new RangeError("a version does not begin with SSH-");
  }
  for (const kexInit of [parts.clientKexInit, parts.serverKexInit]) {
    if (kexInit[0] !== SSH_MSG_KEXINIT) throw new RangeError("a KEXINIT is none");
  }
  if (parts.sharedSecret.length === 0) throw new RangeError("no shared secret");
  const writer = new FieldWriter(8192);
  writer.bytes(parts.clientVersion);
  writer.bytes(parts.serverVersion);
  writer.bytes(parts.clientKexInit);
  writer.bytes(parts.serverKexInit);
  writer.bytes(hostKey);
  writer.bytes(parts.clientPublic);
  writer.bytes(parts.serverPublic);
  // An mpint and a string are the same bytes here: a length and the content as it was encoded.
  writer.bytes(parts.sharedSecret);
  return createHash(algorithm).update(writer.finish()).digest();
}

/** What a proof of a host key is over (OpenSSH PROTOCOL, section 2.5). */
export function proofData(sessionId: Uint8Array, blob: Uint8Array): Uint8Array {
  const writer = new FieldWriter(1024);
  writer.bytes(Buffer.from("hostkeys-prove-00@openssh.com"));
  writer.bytes(sessionId);
  writer.bytes(blob);
  return writer.finish();
}
