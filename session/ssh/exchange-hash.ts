// The exchange hash H (RFC 4253 section 8, RFC 5656 section 4).
import { hash } from "node:crypto";
import type { KexMethod } from "./kex-method.ts";
import type { ExchangeParts } from "./layers.ts";
import { WireWriter } from "./wire.ts";

/** H over the parts and K_S. An mpint and a string look alike here, so the shared secret needs no telling apart. */
export function exchangeHash(
  algorithm: KexMethod["hash"],
  parts: ExchangeParts,
  hostKeyBlob: Uint8Array,
): Uint8Array {
  const writer = new WireWriter(8192)
    .string(parts.clientVersion)
    .string(parts.serverVersion)
    .string(parts.clientKexInit)
    .string(parts.serverKexInit)
    .string(hostKeyBlob)
    .string(parts.clientPublic)
    .string(parts.serverPublic)
    .string(parts.sharedSecret);
  const exchange = hash(algorithm, writer.finish(), "buffer");
  writer.wipe();
  return exchange;
}
