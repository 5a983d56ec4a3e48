import t from "tap";
import {
  bool,
  bytes,
  FieldReader,
  FieldWriter,
  list,
  text,
  u32,
  u64,
  u8,
  type Field,
} from "../../ipc/fields.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";

const read = <T>(field: Field<T>, raw: readonly number[]): T =>
  field.read(new FieldReader(Uint8Array.from(raw)));
function written<T>(field: Field<T>, value: T): number[] {
  const writer = new FieldWriter(1);
  field.write(writer, value);
  return [...writer.finish()];
}
const code = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    if (error instanceof PeerFault) return error.code;
    throw error;
  }
  return undefined;
};
const length = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

t.test("Field.read() refuses numbers above their bound", (t) => {
  t.equal(
    code(() => read(bool, [2])),
    "OUT_OF_BOUNDS",
  );
  t.equal(
    code(() => read(bool, [255])),
    "OUT_OF_BOUNDS",
  );
  t.equal(
    code(() => read(u8(5), [6])),
    "OUT_OF_BOUNDS",
  );
  t.equal(
    code(() => read(u32(65_535), [0, 1, 0, 0])),
    "OUT_OF_BOUNDS",
  );
  t.equal(
    code(() => read(u64(), [0, 0x20, 0, 0, 0, 0, 0, 0])),
    "OUT_OF_BOUNDS",
  );
  t.equal(read(u64(), [0, 0x1f, 255, 255, 255, 255, 255, 255]), Number.MAX_SAFE_INTEGER);
  t.end();
});

t.test("Field.read() refuses lengths above their bound before it looks for the bytes", (t) => {
  for (const claimed of [9, 2 ** 31, 2 ** 32 - 1]) {
    t.equal(
      code(() => read(bytes(8), length(claimed))),
      "OUT_OF_BOUNDS",
    );
    t.equal(
      code(() => read(text(8), length(claimed))),
      "OUT_OF_BOUNDS",
    );
    t.equal(
      code(() => read(list(u8(), 8), length(claimed))),
      "OUT_OF_BOUNDS",
    );
  }
  t.end();
});

t.test("Field.read() refuses what ends too early", (t) => {
  t.equal(
    code(() => read(u8(), [])),
    "TRUNCATED",
  );
  t.equal(
    code(() => read(u32(), [0, 0, 0])),
    "TRUNCATED",
  );
  t.equal(
    code(() => read(u64(), [0, 0, 0, 0, 0, 0, 0])),
    "TRUNCATED",
  );
  t.equal(
    code(() => read(bytes(8), [0, 0, 0])),
    "TRUNCATED",
  );
  t.equal(
    code(() => read(bytes(8), [...length(2), 1])),
    "TRUNCATED",
  );
  t.equal(
    code(() => read(list(u8(), 8), [...length(2), 1])),
    "TRUNCATED",
  );
  t.end();
});

t.test("text().read() refuses what is not UTF-8, and keeps a byte order mark", (t) => {
  for (const raw of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]])
    t.equal(
      code(() => read(text(8), [...length(raw.length), ...raw])),
      "MALFORMED",
    );
  t.equal(read(text(8), [...length(3), 0xef, 0xbb, 0xbf]), "\ufeff");
  t.end();
});

t.test("Field.write() refuses what its own read() would, and numbers that would wrap", (t) => {
  t.throws(() => written(bytes(2), Uint8Array.of(1, 2, 3)), RangeError);
  t.throws(() => written(text(2), "€"), RangeError);
  t.throws(() => written(list(u8(), 1), [1, 2]), RangeError);
  for (const value of [-1, 1.5, NaN, Infinity, 256]) {
    t.throws(() => written(u8(), value), RangeError);
    t.throws(() => written(u32(255), value), RangeError);
  }
  for (const value of [-1, 0.5, 2 ** 53]) t.throws(() => written(u64(), value), RangeError);
  t.end();
});

t.test("Field.write() and read() are pairs", (t) => {
  const pair = <T>(field: Field<T>, value: T): void => {
    const reader = new FieldReader(Uint8Array.from(written(field, value)));
    t.same(field.read(reader), value);
    reader.end();
  };
  for (const value of [true, false]) pair(bool, value);
  for (const value of [0, 1, 255]) pair(u8(), value);
  for (const value of [0, 65_536, 0xffff_ffff]) pair(u32(), value);
  for (const value of [0, 2 ** 32, Number.MAX_SAFE_INTEGER]) pair(u64(), value);
  for (const value of [new Uint8Array(), Uint8Array.of(0, 255)]) pair(bytes(8), value);
  for (const value of ["", "a\0b", "héllo"]) pair(text(8), value);
  for (const value of [[], ["a", "", "b"]]) pair(list(text(4), 3), value);
  t.end();
});

t.test("bytes().read() gives a copy: the buffer of the next message is the same", (t) => {
  const raw = Uint8Array.of(0, 0, 0, 1, 7);
  const value = bytes(8).read(new FieldReader(raw));
  raw.fill(9);
  t.same([...value], [7]);
  t.end();
});

t.test("FieldReader reads a view of a larger buffer at its place", (t) => {
  const whole = Uint8Array.of(9, 9, 0, 0, 0, 5, 9);
  const reader = new FieldReader(whole.subarray(2, 6));
  t.equal(reader.u32(), 5);
  t.equal(
    code(() => reader.u8()),
    "TRUNCATED",
    "it does not read on behind the view",
  );
  t.end();
});
