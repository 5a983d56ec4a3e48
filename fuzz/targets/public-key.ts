// Public keys and signatures as they travel.
import { PeerFault } from "../../ipc/peer-fault.ts";
import { parsePublicKey, signatureAlgorithms } from "../../ipc/public-key.ts";
import { verifySignature } from "../../ipc/signature.ts";

/** Two bytes of length, a key, and what is left is a signature over nothing: it must never be valid. */
export function fuzz(data: Uint8Array): void {
  const length = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
  try {
    const key = parsePublicKey(data.slice(2, 2 + length));
    const signature = data.slice(2 + length);
    for (const algorithm of signatureAlgorithms[key.type])
      if (verifySignature(key, algorithm, signature, Uint8Array.of(1)) !== null)
        throw new Error(`a signature that nobody made is valid: ${algorithm}`);
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
  }
}
