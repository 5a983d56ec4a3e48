// RFC 4251 section 5.
import t from "tap";
import fc from "fast-check";
import { mpintContent, WireReader, WireWriter } from "../../../session/ssh/wire.ts";

const reader = (hex: string) => new WireReader(Buffer.from(hex, "hex"));

t.test("WireReader refuses every field that is longer than what is left", (t) => {
  for (const [hex, read] of [
    ["", (r: WireReader) => r.byte()],
    ["", (r: WireReader) => r.bool()],
    ["000000", (r: WireReader) => r.uint32()],
    ["00000000000000", (r: WireReader) => r.uint64()],
    ["0000", (r: WireReader) => r.string()],
    ["0000000201", (r: WireReader) => r.string()],
    ["8000000001", (r: WireReader) => r.string()],
    ["ffffffff01", (r: WireReader) => r.string()],
    ["ffffffff", (r: WireReader) => r.nameList()],
    ["00000001", (r: WireReader) => r.mpint()],
    ["01", (r: WireReader) => r.bytes(2)],
  ] as const) {
    t.throws(() => read(reader(hex)), { code: "TRUNCATED" }, hex);
  }
  t.end();
});

t.test("WireReader.end() refuses trailing bytes", (t) => {
  const r = reader("0102");
  r.byte();
  t.throws(
    () => {
      r.end();
    },
    { code: "TRAILING_BYTES" },
  );
  r.byte();
  t.doesNotThrow(() => {
    r.end();
  });
  t.end();
});

t.test("WireReader.mpint() refuses negative numbers and needless zeros", (t) => {
  for (const hex of ["0000000180", "00000002ff7f", "000000020001", "0000000100"]) {
    t.throws(() => reader(hex).mpint(), { code: "MALFORMED" }, hex);
  }
  t.same(reader("00000000").mpint(), new Uint8Array(0));
  t.same(reader("000000020080").mpint(), Uint8Array.of(0x80));
  t.end();
});

t.test("WireReader refuses names that are not printable ASCII", (t) => {
  for (const byte of [0, 9, 10, 13, 27, 32, 127, 128, 255]) {
    const bytes = new WireWriter().string(Uint8Array.of(97, byte)).finish();
    t.throws(() => new WireReader(bytes).name(), { code: "MALFORMED" });
    t.throws(() => new WireReader(bytes).nameList(), { code: "MALFORMED" });
  }
  t.end();
});

t.test("WireReader.nameList() leaves empty names out", (t) => {
  t.same(new WireReader(new WireWriter().string(",a,,b,").finish()).nameList(), ["a", "b"]);
  t.same(new WireReader(new WireWriter().string("").finish()).nameList(), []);
  t.end();
});

t.test("WireReader reads back what WireWriter wrote", (t) => {
  fc.assert(
    fc.property(
      fc.nat(255),
      fc.boolean(),
      fc.nat(0xffff_ffff),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.uint8Array({ maxLength: 500 }),
      (byte, bool, uint32, uint64, bytes) => {
        const writer = new WireWriter(1)
          .byte(byte)
          .bool(bool)
          .uint32(uint32)
          .uint64(uint64)
          .string(bytes)
          .mpint(bytes);
        const r = new WireReader(writer.finish());
        t.ok(r.byte() === byte && r.bool() === bool && r.uint32() === uint32);
        t.ok(r.uint64() === uint64 && Buffer.compare(r.string(), bytes) === 0);
        const magnitude = Buffer.from(r.mpint()).toString("hex");
        r.end();
        return (
          magnitude ===
          Buffer.from(bytes)
            .toString("hex")
            .replace(/^(00)+/, "")
        );
      },
    ),
    { seed: 4251, numRuns: 200 },
  );
  t.end();
});

t.test("mpintContent() gives the examples of RFC 4251 section 5", (t) => {
  t.same(mpintContent(Uint8Array.of(0, 0)), new Uint8Array(0));
  t.same(
    mpintContent(Buffer.from("09a378f9b2e332a7", "hex")),
    Buffer.from("09a378f9b2e332a7", "hex"),
  );
  t.same(mpintContent(Uint8Array.of(0, 0x80)), Uint8Array.of(0, 0x80));
  t.end();
});

t.test("WireWriter.wipe() leaves nothing of what was written", (t) => {
  const writer = new WireWriter(4).string("secret");
  const view = writer.finish();
  writer.wipe();
  t.ok(view.every((byte) => byte === 0));
  t.equal(writer.length, 0);
  t.end();
});
