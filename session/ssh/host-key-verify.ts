// A server's host key and its signature over H, as a client checks them (RFC 4253 section 8): for the rehearsal, tests, the fuzzer.
import { disconnectReasons, PeerFault } from "../../ipc/peer-fault.ts";
import { parsePublicKey } from "../../ipc/public-key.ts";
import { verifySignature } from "../../ipc/signature.ts";

/** Throws PeerFault BAD_SIGNATURE unless `signature` is by the key in `blob` and `algorithm` over `exchangeHash`; MALFORMED and
 * its like for a blob that is no key. */
export function verifyExchange(
  blob: Uint8Array,
  algorithm: string,
  exchangeHash: Uint8Array,
  signature: Uint8Array,
): void {
  const key = parsePublicKey(blob);
  if (verifySignature(key, algorithm, signature, exchangeHash) !== null) return;
  throw new PeerFault("BAD_SIGNATURE", "Cannot trust the server: its signature is wrong", {
    disconnectReason: disconnectReasons.keyExchangeFailed,
  });
}
