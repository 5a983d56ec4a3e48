// The public host keys, with the signature algorithms that each can be offered for.
import { parsePublicKey, signatureAlgorithms } from "../../ipc/public-key.ts";

export interface HostKeyFacts {
  /** RFC 4253 section 6.6. */
  readonly blob: Uint8Array;
  readonly algorithms: readonly string[];
}

/** Keys of which the configuration offers an algorithm, in the order of `blobs`. */
export function hostKeyFacts(
  blobs: readonly Uint8Array[],
  offered: readonly string[],
): HostKeyFacts[] {
  return blobs.flatMap((blob) => {
    const algorithms = signatureAlgorithms[parsePublicKey(blob).type].filter((name) =>
      offered.includes(name),
    );
    return algorithms.length === 0 ? [] : [{ blob, algorithms }];
  });
}
