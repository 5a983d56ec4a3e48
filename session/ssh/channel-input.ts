// From the client to a program: what has arrived and not been written yet, bounded by the window that we gave (RFC 4254 section 5.2).
import { PeerFault } from "../../ipc/peer-fault.ts";

/** As OpenSSH's sessions: 64 packets of 32 KiB. */
export const initialWindow = 64 * 32 * 1024;
/** The largest data field that we take in one message. */
export const maxPacketBytes = 32 * 1024;

/** Where the bytes go; -1 when it has no room. Throws when nobody reads any more. */
export type InputWriter = (bytes: Uint8Array, offset: number, length: number) => number;

export class ChannelInput {
  /** Bytes that the client may still send. */
  #window = initialWindow;
  /** Taken by the program since the last adjustment. */
  #consumed = 0;
  readonly #chunks: Uint8Array[] = [];
  #firstOffset = 0;
  #write: InputWriter | null = null;
  #isDiscarding = false;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** `payload[offset, +length)` has arrived; a copy is kept of what cannot be written at once. Throws PeerFault beyond the window. */
  receive(payload: Uint8Array, offset: number, length: number): void {
    if (length > this.#window) {
      throw new PeerFault(
        "WINDOW_EXCEEDED",
        `Cannot take ${length} bytes of channel data: the window is ${this.#window}`,
      );
    }
    if (length > maxPacketBytes) {
      throw new PeerFault(
        "OUT_OF_BOUNDS",
        `Cannot take ${length} bytes of channel data: limit is ${maxPacketBytes}`,
      );
    }
    this.#window -= length;
    if (this.#isDiscarding) {
      this.#consumed += length;
      return;
    }
    const written =
      this.isEmpty && this.#write !== null ? Math.max(0, this.#write(payload, offset, length)) : 0;
    // The writer may have found nobody to write to.
    if (this.#isDiscarding as boolean) this.#consumed += length;
    else {
      this.#consumed += written;
      if (written < length) this.#chunks.push(payload.slice(offset + written, offset + length));
    }
  }

  /** The program's input is there: everything kept goes first. */
  attach(write: InputWriter): void {
    this.#write = write;
    this.drain();
  }

  /** Writes what is kept until there is no room. */
  drain(): void {
    for (
      let chunk = this.#chunks[0];
      chunk !== undefined && this.#write !== null;
      chunk = this.#chunks[0]
    ) {
      const written = this.#write(chunk, this.#firstOffset, chunk.length - this.#firstOffset);
      if (written <= 0) return;
      this.#consumed += written;
      this.#firstOffset += written;
      if (this.#firstOffset < chunk.length) return;
      this.#chunks.shift();
      this.#firstOffset = 0;
    }
  }

  /** Nobody will read: what came and what comes is thrown away, so that the client is not held up. */
  discard(): void {
    for (const chunk of this.#chunks) this.#consumed += chunk.length;
    this.#consumed -= this.#firstOffset;
    this.#chunks.length = 0;
    this.#firstOffset = 0;
    this.#write = null;
    this.#isDiscarding = true;
  }

  /** Bytes to give back by WINDOW_ADJUST, when they are worth a message; 0 else. */
  takeAdjustment(): number {
    if (
      this.#consumed < initialWindow / 2 &&
      (this.#consumed === 0 || this.#window > initialWindow / 2)
    )
      return 0;
    const bytes = this.#consumed;
    this.#consumed = 0;
    this.#window += bytes;
    return bytes;
  }
}
