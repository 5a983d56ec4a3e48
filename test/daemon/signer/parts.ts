// Parts of an exchange, and H composed from them anew (RFC 4253 section 8), by other code than the signer's.
import { createHash } from "node:crypto";
import type { Body } from "../../../ipc/protocol.ts";
import type { signatureRequests } from "../../../ipc/signer.ts";
import { string } from "../../support/ssh-keys.ts";

export type Parts = Body<(typeof signatureRequests)["exchange"]>;

export const parts: Parts = {
  kex: "curve25519-sha256",
  hostKeyAlgorithm: "ssh-ed25519",
  clientVersion: Buffer.from("SSH-2.0-OpenSSH_10.5"),
  serverVersion: Buffer.from("SSH-2.0-sallyport_0.1"),
  clientKexInit: Uint8Array.from([20, ...new Uint8Array(60).fill(1)]),
  serverKexInit: Uint8Array.from([20, ...new Uint8Array(70).fill(2)]),
  clientPublic: new Uint8Array(32).fill(3),
  serverPublic: new Uint8Array(32).fill(4),
  sharedSecret: Uint8Array.from([0, 0x80, ...new Uint8Array(31).fill(5)]),
};

export function composed(hash: string, p: Parts, hostKey: Uint8Array): Buffer {
  return createHash(hash)
    .update(string(p.clientVersion))
    .update(string(p.serverVersion))
    .update(string(p.clientKexInit))
    .update(string(p.serverKexInit))
    .update(string(hostKey))
    .update(string(p.clientPublic))
    .update(string(p.serverPublic))
    .update(string(p.sharedSecret))
    .digest();
}
