// Packets out: sealed straight into one buffer that the stream takes from (RFC 4253 section 6).
import { createSealer, type CipherSpec, type PacketSealer } from "../../native/packet-cipher.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import type { ByteStream } from "./layers.ts";
import { noCipher } from "./packet-reader.ts";

const initialBytes = 64 * 1024;
/** A peer that provokes answers and does not read them gets this far. */
const maxPendingBytes = 2 * 1024 * 1024;

/** The outgoing direction: buffer, keys, sequence number. */
export class PacketWriter {
  #buffer = new Uint8Array(initialBytes);
  #start = 0;
  #end = 0;
  #sealer: PacketSealer = createSealer(noCipher);
  #sequence = 0;
  /** Counters since the last key: RFC 4253 section 9. */
  bytes = 0;
  packets = 0;
  /** Bytes that the stream has taken in all. */
  total = 0;
  /** Until the first key exchange is done a sequence number must not wrap (OpenSSH PROTOCOL section 1.10). */
  isInitialKex = true;

  /** Bytes that the stream has not taken yet. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /**
   * Appends one packet: `header`, then `data[offset, +length)`. Throws PeerFault FLOOD when the peer lets too much pile up,
   * SEQUENCE_WRAPPED in the initial key exchange.
   */
  seal(header: Uint8Array, data: Uint8Array | null, offset: number, length: number): void {
    const sealer = this.#sealer;
    const needed = header.length + length + sealer.overheadBytes;
    if (this.#buffer.length - this.#end < needed) this.#makeRoom(needed);
    const size = sealer.seal(this.#buffer, this.#end, header, data, offset, length, this.#sequence);
    this.#end += size;
    this.bytes += size;
    this.packets += 1;
    this.#sequence = (this.#sequence + 1) >>> 0;
    if (this.#sequence === 0 && this.isInitialKex) {
      throw new PeerFault(
        "SEQUENCE_WRAPPED",
        "outgoing sequence number wrapped during initial key exchange",
      );
    }
  }

  /** Bytes outside of packets: the identification line, and the text for who sent a wrong one. */
  plain(bytes: Uint8Array): void {
    if (this.#buffer.length - this.#end < bytes.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Gives the stream what it takes in one call. True when nothing is left. Throws the stream's error. */
  flush(stream: ByteStream): boolean {
    if (this.#start === this.#end) return true;
    const taken = stream.write(this.#buffer, this.#start, this.#end - this.#start);
    if (taken > 0) {
      this.#start += taken;
      this.total += taken;
    }
    // A short write means a full buffer: asking again would only cost another call.
    if (this.#start < this.#end) return false;
    this.#start = 0;
    this.#end = 0;
    return true;
  }

  /** The stream takes nothing any more. */
  discard(): void {
    this.#start = 0;
    this.#end = 0;
  }

  /** Our NEWKEYS has been sealed: what follows is under these keys. */
  useKeys(spec: CipherSpec, resetSequence: boolean): void {
    this.#sealer = createSealer(spec);
    if (resetSequence) this.#sequence = 0;
    this.bytes = 0;
    this.packets = 0;
  }

  #makeRoom(needed: number): void {
    const pending = this.#end - this.#start;
    if (pending + needed > maxPendingBytes) {
      throw new PeerFault("FLOOD", `Cannot send packet: the peer has not read ${pending} bytes`);
    }
    let target = this.#buffer;
    // Moving is worth it while what moves is small against what it frees.
    if (pending + needed > target.length / 2) {
      target = new Uint8Array(Math.max(2 * target.length, pending + needed));
    }
    target.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = target;
    this.#start = 0;
    this.#end = pending;
  }
}
