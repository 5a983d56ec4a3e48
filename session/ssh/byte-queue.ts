// Bytes that wait for a stream with room, in one buffer that grows to what the caller's window lets in.
import type { ByteStream } from "./layers.ts";

const firstBytes = 64 * 1024;
/** A larger buffer is given back when it has run empty. */
const keptBytes = 256 * 1024;
const nothing = new Uint8Array(0);

export class ByteQueue {
  #buffer: Uint8Array = nothing;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Keeps a copy of `bytes[offset, +length)`. */
  push(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#buffer.length - this.#end < length) this.#makeRoom(length);
    this.#buffer.set(bytes.subarray(offset, offset + length), this.#end);
    this.#end += length;
  }

  /** Gives `stream` what it takes; returns how much that was. Throws the stream's error. */
  writeTo(stream: ByteStream): number {
    const before = this.#start;
    while (this.#start < this.#end) {
      const taken = stream.write(this.#buffer, this.#start, this.#end - this.#start);
      if (taken <= 0) break;
      this.#start += taken;
    }
    const written = this.#start - before;
    if (this.#start === this.#end) this.clear();
    return written;
  }

  clear(): void {
    this.#start = 0;
    this.#end = 0;
    if (this.#buffer.length > keptBytes) this.#buffer = nothing;
  }

  #makeRoom(length: number): void {
    const { length: kept } = this;
    const needed = kept + length;
    // Moving is worth it while what moves is small against what it frees.
    const target =
      needed <= this.#buffer.length / 2
        ? this.#buffer
        : new Uint8Array(Math.max(firstBytes, 2 * this.#buffer.length, needed));
    target.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = target;
    this.#start = 0;
    this.#end = kept;
  }
}
