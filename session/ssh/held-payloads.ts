// Payloads that wait until a key exchange lets them go (RFC 4253 section 7.1: after KEXINIT nothing else may be sent).
import { PeerFault } from "../../ipc/peer-fault.ts";

/** Sources have stopped by then; what adds up are answers that the peer provokes while it delays its KEXINIT. */
const maxHeldBytes = 512 * 1024;
/** What an entry costs beside its bytes. */
const entryBytes = 128;

/** Copies, in order, within a bound. */
export class HeldPayloads {
  #payloads: Uint8Array[] = [];
  #bytes = 0;

  /** Throws PeerFault FLOOD when the bound is passed. */
  hold(header: Uint8Array, data: Uint8Array | null, offset: number, length: number): void {
    this.#bytes += header.length + length + entryBytes;
    if (this.#bytes > maxHeldBytes) {
      throw new PeerFault(
        "FLOOD",
        `Cannot keep answers during key exchange: more than ${maxHeldBytes} bytes`,
      );
    }
    const payload = new Uint8Array(header.length + length);
    payload.set(header);
    if (data !== null) payload.set(data.subarray(offset, offset + length), header.length);
    this.#payloads.push(payload);
  }

  /** Hands them over, oldest first, and forgets them. */
  release(send: (payload: Uint8Array) => void): void {
    const payloads = this.#payloads;
    this.#payloads = [];
    this.#bytes = 0;
    for (const payload of payloads) send(payload);
  }
}
