// Fields of a message, as data: what each carries and its bound. Reading and writing are pairs; docs/protocol.md, the fuzzer's
// grammar and the viewer's names are made from the same tables.
import { PeerFault } from "./peer-fault.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Appends to a growing buffer, big-endian as on the SSH wire. */
export class FieldWriter {
  #buffer: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity);
    this.#view = new DataView(this.#buffer.buffer);
  }

  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#buffer.length * 2));
      grown.set(this.#buffer);
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }
  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
  }
  u64(value: number): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value));
  }
  bytes(value: Uint8Array): void {
    this.u32(value.length);
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
  }
  /** The bytes written so far; valid until the next write. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

/** Consumes a message's bytes; every shortage and every left-over is a fault of the peer. */
export class FieldReader {
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(buffer: Uint8Array, at = 0) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.#at = at;
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#buffer.length - at) {
      throw new PeerFault(
        "TRUNCATED",
        `Cannot read field: ${bytes} bytes wanted, ${this.#buffer.length - at} left`,
      );
    }
    this.#at = at + bytes;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }
  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new PeerFault("OUT_OF_BOUNDS", "Cannot read field: number above 2^53");
    }
    return Number(value);
  }
  /** A copy. The length is checked against `max` before anything is allocated. */
  bytes(max: number): Uint8Array {
    const length = this.#boundedLength(max);
    const at = this.#take(length);
    return this.#buffer.slice(at, at + length);
  }
  /** UTF-8, or MALFORMED; `max` is in bytes. */
  text(max: number): string {
    const length = this.#boundedLength(max);
    const at = this.#take(length);
    try {
      return decoder.decode(this.#buffer.subarray(at, at + length));
    } catch (cause) {
      throw new PeerFault("MALFORMED", "Cannot read text: not UTF-8", { cause });
    }
  }
  #boundedLength(max: number): number {
    const length = this.u32();
    if (length > max) {
      throw new PeerFault("OUT_OF_BOUNDS", `Cannot read field: ${length} bytes, limit is ${max}`);
    }
    return length;
  }
  end(): void {
    const left = this.#buffer.length - this.#at;
    if (left !== 0)
      throw new PeerFault("TRAILING_BYTES", `Cannot read message: ${left} bytes after its end`);
  }
}

/** A field of any type: what tables are made of. */
export interface AnyField {
  readonly kind: "bool" | "u8" | "u32" | "u64" | "bytes" | "text" | "list";
  readonly max: number;
  readonly item?: AnyField;
  write(writer: FieldWriter, value: never): void;
  read(reader: FieldReader): unknown;
}
/** One field: how it is written and read, and what a person or a fuzzer must know of it. */
export interface Field<T> extends AnyField {
  /** Largest value, or largest length in bytes, or most items. */
  readonly max: number;
  write(writer: FieldWriter, value: T): void;
  read(reader: FieldReader): T;
}

/** What a view would write in silence as another number (-1, 1.5) is our own bug. */
const isCount = (value: number, max: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= max;
const outOfBounds = (kind: string, value: number, max: number): never => {
  throw new RangeError(`Cannot write ${kind}: ${value}, limit is ${max}`);
};
const bounded = (kind: string, value: number, max: number): number => {
  if (value > max)
    throw new PeerFault("OUT_OF_BOUNDS", `Cannot read ${kind}: ${value}, limit is ${max}`);
  return value;
};

/** 0 or 1; anything else is refused. */
export const bool: Field<boolean> = {
  kind: "bool",
  max: 1,
  write: (writer, value) => {
    writer.u8(value ? 1 : 0);
  },
  read: (reader) => bounded("bool", reader.u8(), 1) === 1,
};
export const u8 = (max = 255): Field<number> => ({
  kind: "u8",
  max,
  write: (writer, value) => {
    writer.u8(isCount(value, max) ? value : outOfBounds("u8", value, max));
  },
  read: (reader) => bounded("u8", reader.u8(), max),
});
export const u32 = (max = 0xffff_ffff): Field<number> => ({
  kind: "u32",
  max,
  write: (writer, value) => {
    writer.u32(isCount(value, max) ? value : outOfBounds("u32", value, max));
  },
  read: (reader) => bounded("u32", reader.u32(), max),
});
export const u64 = (): Field<number> => ({
  kind: "u64",
  max: Number.MAX_SAFE_INTEGER,
  write: (writer, value) => {
    if (!isCount(value, Number.MAX_SAFE_INTEGER))
      outOfBounds("u64", value, Number.MAX_SAFE_INTEGER);
    writer.u64(value);
  },
  read: (reader) => reader.u64(),
});
export const bytes = (max: number): Field<Uint8Array> => ({
  kind: "bytes",
  max,
  write: (writer, value) => {
    if (value.length > max) outOfBounds("bytes", value.length, max);
    writer.bytes(value);
  },
  read: (reader) => reader.bytes(max),
});
/** UTF-8 made by ourselves (names of algorithms, addresses, log lines), never user names, commands or paths: those are bytes. */
export const text = (max: number): Field<string> => ({
  kind: "text",
  max,
  write: (writer, value) => {
    const encoded = encoder.encode(value);
    if (encoded.length > max) outOfBounds("text", encoded.length, max);
    writer.bytes(encoded);
  },
  read: (reader) => reader.text(max),
});
/** A count, then that many items. */
export const list = <T>(item: Field<T>, max: number): Field<T[]> => ({
  kind: "list",
  max,
  item,
  write: (writer, values) => {
    writer.u32(values.length <= max ? values.length : outOfBounds("list", values.length, max));
    for (const value of values) item.write(writer, value);
  },
  read: (reader) => {
    const count = bounded("list", reader.u32(), max);
    return Array.from({ length: count }, () => item.read(reader));
  },
});
