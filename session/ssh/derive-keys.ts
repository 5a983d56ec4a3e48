// Keys from the shared secret (RFC 4253 section 7.2).
import { hash } from "node:crypto";
import { cipherSizes, type CipherSpec } from "../../native/packet-cipher.ts";
import type { KexMethod } from "./kex-method.ts";
import { WireWriter } from "./wire.ts";

export interface KeySource {
  hash: KexMethod["hash"];
  /** K, without its length. */
  sharedSecret: Uint8Array;
  exchangeHash: Uint8Array;
  sessionId: Uint8Array;
}

/** HASH(K || H || letter || session_id), extended by HASH(K || H || what there is so far). */
function derive(source: KeySource, letter: string, bytes: number): Uint8Array {
  const key = new Uint8Array(bytes);
  const prefix = new WireWriter(256).string(source.sharedSecret).bytes(source.exchangeHash);
  const input = new WireWriter(512);
  for (let filled = 0; filled < bytes;) {
    input.wipe();
    input.bytes(prefix.finish());
    if (filled === 0) input.byte(letter.charCodeAt(0)).bytes(source.sessionId);
    else input.bytes(key.subarray(0, filled));
    const block = hash(source.hash, input.finish(), "buffer");
    key.set(block.subarray(0, Math.min(block.length, bytes - filled)), filled);
    filled += block.length;
    block.fill(0);
  }
  input.wipe();
  prefix.wipe();
  return key;
}

/** Keys of one direction. Wipe them by `wipeSpec` once the cipher has them. */
export function deriveSpec(
  source: KeySource,
  direction: "clientToServer" | "serverToClient",
  cipher: string,
  mac: string,
): CipherSpec {
  const sizes = cipherSizes(cipher, mac);
  const [iv, key, macKey] = direction === "clientToServer" ? "ACE" : "BDF";
  return {
    cipher,
    mac,
    iv: derive(source, iv ?? "", sizes.ivBytes),
    key: derive(source, key ?? "", sizes.keyBytes),
    macKey: derive(source, macKey ?? "", sizes.macKeyBytes),
  };
}

export function wipeSpec(spec: CipherSpec): void {
  spec.key.fill(0);
  spec.iv.fill(0);
  spec.macKey.fill(0);
}
