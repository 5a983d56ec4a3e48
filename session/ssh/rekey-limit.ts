// When keys have served long enough (RFC 4253 section 9, RFC 4344 section 3, OpenSSH's RekeyLimit).
import type { Negotiated } from "./transport-options.ts";

/** RekeyLimit: 0 is the default of the cipher, or no time limit. */
export interface RekeyLimit {
  bytes: number;
  seconds: number;
}
/** What a direction has carried since its keys were made. */
interface Traffic {
  readonly bytes: number;
  readonly packets: number;
}

/** RFC 4344 section 3.1. */
const maxPackets = 2 ** 31;
/** RFC 4344 section 3.2: 2^(L/4) blocks of L bits: 2^32 of the 16 bytes of AES. */
const aesBytes = 2 ** 36;
/** For ciphers of blocks under 16 bytes, where that rule is too dear: OpenSSH's 1 GiB. */
const smallBlockBytes = 2 ** 30;

/** Bytes that one key may see in one direction. */
export function maxBytesPerKey(cipher: string, limit: RekeyLimit): number {
  const byCipher = cipher.startsWith("aes") ? aesBytes : smallBlockBytes;
  return limit.bytes === 0 ? byCipher : Math.min(byCipher, limit.bytes);
}

/** Has this direction had enough? Not before its first packet: with tiny limits one must get through between two exchanges. */
export function isSpent(traffic: Traffic, maxBytes: number): boolean {
  return traffic.packets > 0 && (traffic.bytes >= maxBytes || traffic.packets >= maxPackets);
}

/** The limits in force for the keys in use; the time limit is a timer, so that an idle connection rekeys too, as sshd's. */
export class RekeyClock {
  readonly #timeIsUp: () => void;
  #maxBytesIn = Infinity;
  #maxBytesOut = Infinity;
  #timer: NodeJS.Timeout | null = null;

  /** `timeIsUp` is called once for each set of keys that lives too long. */
  constructor(timeIsUp: () => void) {
    this.#timeIsUp = timeIsUp;
  }

  /** New keys, or new limits for them. */
  start(limit: RekeyLimit, negotiated: Negotiated, side: "server" | "client"): void {
    const { cipherClientToServer, cipherServerToClient } = negotiated;
    const isServer = side === "server";
    this.#maxBytesIn = maxBytesPerKey(
      isServer ? cipherClientToServer : cipherServerToClient,
      limit,
    );
    this.#maxBytesOut = maxBytesPerKey(
      isServer ? cipherServerToClient : cipherClientToServer,
      limit,
    );
    this.stop();
    if (limit.seconds > 0) this.#timer = setTimeout(this.#timeIsUp, limit.seconds * 1000);
  }

  isDue(incoming: Traffic, outgoing: Traffic): boolean {
    return isSpent(incoming, this.#maxBytesIn) || isSpent(outgoing, this.#maxBytesOut);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
