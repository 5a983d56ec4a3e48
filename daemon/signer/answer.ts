// What the signer answers: a signature over what it composed itself, with its own key.
import type { SignatureRequest } from "../../ipc/signer.ts";
import { exchangeHash, proofData } from "./compose.ts";
import { signWith, type HostKey } from "./host-key.ts";

export interface Signature {
  /** H of an exchange; empty for a proof. */
  readonly exchangeHash: Uint8Array;
  /** The blob, as it travels (RFC 4253 section 6.6). */
  readonly signature: Uint8Array;
}

/** Shortest and longest hash of a key exchange that we know; a session id is the first of a connection. */
const sessionIdBytes: readonly number[] = [32, 48, 64];

/** Throws RangeError, saying what is wrong, for whatever it does not sign. */
export function answer(keys: readonly HostKey[], request: SignatureRequest): Signature {
  switch (request.name) {
    case "exchange": {
      const { hostKeyAlgorithm } = request.body;
      const key = keys.find(({ algorithms }) => algorithms.includes(hostKeyAlgorithm));
      if (key === undefined)
        throw new RangeError(`no host key for ${JSON.stringify(hostKeyAlgorithm)}`);
      const hash = exchangeHash(request.body, key.blob);
      return { exchangeHash: hash, signature: signWith(key, hostKeyAlgorithm, hash) };
    }
    case "proof": {
      const { blob, algorithm, sessionId } = request.body;
      const key = keys.find((own) => Buffer.from(own.blob).equals(blob));
      if (key === undefined) throw new RangeError("not a host key of ours");
      if (!sessionIdBytes.includes(sessionId.length)) throw new RangeError("no session id");
      return {
        exchangeHash: new Uint8Array(),
        signature: signWith(key, algorithm, proofData(sessionId, blob)),
      };
    }
  }
}
