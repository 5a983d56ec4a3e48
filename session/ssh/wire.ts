// The data types of RFC 4251 section 5, read from a peer's payload and written into ours.
import { PeerFault } from "../../ipc/peer-fault.ts";

/** Consumes a payload from the front. Every shortage is a fault of the peer, found before anything is allocated. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at: number;

  /** Does not copy: views that it hands out live as long as `bytes` does. `at` skips what was read already. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) {
      throw new PeerFault(
        "TRUNCATED",
        `Cannot read message: ${count} bytes wanted, ${this.#bytes.length - at} left`,
      );
    }
    this.#at = at + count;
    return at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  /** Any value but 0 is true. */
  bool(): boolean {
    return this.byte() !== 0;
  }

  uint32(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    return (
      (((bytes[at] ?? 0) << 24) |
        ((bytes[at + 1] ?? 0) << 16) |
        ((bytes[at + 2] ?? 0) << 8) |
        (bytes[at + 3] ?? 0)) >>>
      0
    );
  }

  uint64(): bigint {
    const high = this.uint32();
    return (BigInt(high) << 32n) | BigInt(this.uint32());
  }

  /** A view of the next `count` bytes. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** A view of a string's content. */
  string(): Uint8Array {
    return this.bytes(this.uint32());
  }

  /** A string that must be printable US-ASCII without spaces: names of methods, services, algorithms (RFC 4251 section 6). */
  name(): string {
    return printable(this.string(), "name");
  }

  /** A name-list. Empty names match nothing and are kept out; so the result may be empty. Linear in its length. */
  nameList(): string[] {
    const text = printable(this.string(), "name-list");
    return text === "" ? [] : text.split(",").filter((name) => name !== "");
  }

  /** A non-negative mpint's magnitude, without the sign byte; negative and padded ones are refused (RFC 4251 section 5: MUST NOT). */
  mpint(): Uint8Array {
    const value = this.string();
    const first = value[0] ?? 0;
    if (value.length === 0) return value;
    if (first >= 0x80 || (first === 0 && (value[1] ?? 0) < 0x80)) {
      throw new PeerFault("MALFORMED", "Cannot read mpint: negative, or with needless zeros");
    }
    return first === 0 ? value.subarray(1) : value;
  }

  /** A view of what is left, which is thereby consumed. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** Refuses bytes after the last field. */
  end(): void {
    if (this.remaining !== 0) {
      throw new PeerFault(
        "TRAILING_BYTES",
        `Cannot read message: ${this.remaining} bytes after its end`,
      );
    }
  }
}

/** One linear pass of the regular expression engine: a loop here took most of the time of a KEXINIT. */
function printable(bytes: Uint8Array, what: string): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  if (/[^\x21-\x7e]/.test(text)) {
    throw new PeerFault("MALFORMED", `Cannot read ${what}: a byte is not printable ASCII`);
  }
  return text;
}

/** Appends to a growing buffer. */
export class WireWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor(capacity = 128) {
    this.#buffer = new Uint8Array(capacity);
  }

  #room(count: number): number {
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#buffer.length));
      grown.set(this.#buffer);
      // What is written may be secret: no stale copy stays behind.
      this.#buffer.fill(0);
      this.#buffer = grown;
    }
    return at;
  }

  byte(value: number): this {
    const at = this.#room(1);
    this.#buffer[at] = value;
    return this;
  }

  bool(value: boolean): this {
    return this.byte(value ? 1 : 0);
  }

  uint32(value: number): this {
    const at = this.#room(4);
    const buffer = this.#buffer;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
    return this;
  }

  uint64(value: bigint): this {
    return this.uint32(Number((value >> 32n) & 0xffff_ffffn)).uint32(Number(value & 0xffff_ffffn));
  }

  /** Bytes as they are, without a length. */
  bytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  /** A string: bytes, or text of ours in latin1 (ASCII in practice). */
  string(value: Uint8Array | string): this {
    const bytes = typeof value === "string" ? Buffer.from(value, "latin1") : value;
    return this.uint32(bytes.length).bytes(bytes);
  }

  nameList(names: readonly string[]): this {
    return this.string(names.join(","));
  }

  /** A non-negative big-endian integer, leading zeros allowed, as an mpint. */
  mpint(magnitude: Uint8Array): this {
    return this.string(mpintContent(magnitude));
  }

  get length(): number {
    return this.#length;
  }

  /** A view of what was written; valid until the next write or `wipe`. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Overwrites what was written, and starts anew. */
  wipe(): void {
    this.#buffer.fill(0);
    this.#length = 0;
  }
}

/** The content of the mpint of a non-negative big-endian integer: minimal two's complement (RFC 4251 section 5). A copy. */
export function mpintContent(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length && magnitude[start] === 0) start += 1;
  const sign = (magnitude[start] ?? 0) >= 0x80 ? 1 : 0;
  const content = new Uint8Array(magnitude.length - start + sign);
  content.set(magnitude.subarray(start), sign);
  return content;
}
