// Attacks on framing: attacks.md A4, A5, B9; RFC 4253 section 6.
import t from "tap";
import { createSealer } from "../../../native/packet-cipher.ts";
import { deriveSpec } from "../../../session/ssh/derive-keys.ts";
import type { ByteStream } from "../../../session/ssh/layers.ts";
import { PacketReader } from "../../../session/ssh/packet-reader.ts";
import { PacketWriter } from "../../../session/ssh/packet-writer.ts";
import { attack, faultOf } from "./raw-client.ts";
import { ciphers, macs } from "./transport-pair.ts";

const identify = "SSH-2.0-raw\r\n";

/** A stream that gives these bytes, `step` at a time, and then the end. */
function reading(bytes: Uint8Array, step = bytes.length): ByteStream {
  let at = 0;
  return {
    read(buffer, offset, length) {
      const chunk = bytes.subarray(at, at + Math.min(step, length));
      buffer.set(chunk, offset);
      at += chunk.length;
      return chunk.length;
    },
    write: () => -1,
    wait: () => undefined,
    onReady: () => undefined,
    close: () => undefined,
  };
}
const specOf = (cipher: string, mac: string) => {
  const bytes = new Uint8Array(32).fill(7);
  const source = {
    hash: "sha256",
    sharedSecret: bytes,
    exchangeHash: bytes,
    sessionId: bytes,
  } as const;
  return deriveSpec(source, "clientToServer", cipher, mac);
};
const suites = ciphers.flatMap((cipher): [string, string][] =>
  cipher.endsWith("-ctr") ? macs.map((mac) => [cipher, mac]) : [[cipher, ""]],
);
const sealed = (cipher: string, mac: string, payload: Uint8Array): Uint8Array => {
  const out = new Uint8Array(payload.length + 512);
  return out.slice(0, createSealer(specOf(cipher, mac)).seal(out, 0, payload, null, 0, 0, 0));
};

t.test(
  "Transport refuses packet lengths out of bounds before anything is allocated (A4, A5)",
  async (t) => {
    const lengths = [
      "ffffffff",
      "00040001",
      "00000000",
      "00000001",
      "00000004",
      "0000000b",
      "80000000",
    ];
    for (const length of lengths) {
      const { raw, server } = attack();
      await raw.raw(identify);
      await raw.raw(Buffer.from(length, "hex"));
      await raw.raw(new Uint8Array(8));
      t.equal(faultOf(server), "BAD_PACKET_LENGTH", length);
      t.same(raw.disconnect, { reason: 2, text: "Packet corrupt" });
    }
  },
);

t.test("Transport refuses padding out of range and packets without payload (A5)", async (t) => {
  for (const [padding, code] of [
    [0, "BAD_PADDING"],
    [3, "BAD_PADDING"],
    [12, "BAD_PADDING"],
    [255, "BAD_PADDING"],
    [11, "MALFORMED"],
  ] as const) {
    const { raw, server } = attack();
    await raw.raw(identify);
    const packet = new Uint8Array(16);
    packet[3] = 12;
    packet[4] = padding;
    await raw.raw(packet);
    t.match(faultOf(server), new RegExp(`${code}|BAD_PADDING`), `padding ${padding}`);
  }
});

t.test("PacketReader.next() refuses every packet of which one bit was flipped (B9)", (t) => {
  for (const [cipher, mac] of suites) {
    const packet = sealed(cipher, mac, Buffer.from("payload"));
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      const reader = new PacketReader();
      reader.useKeys(specOf(cipher, mac), false);
      const forged = Buffer.concat([packet, new Uint8Array(300_000)]);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      reader.fill(reading(forged));
      // A flipped length may ask for more than there is; then nothing may come out.
      try {
        if (reader.next() !== null) t.fail(`${cipher} ${mac}: bit ${bit} accepted`);
      } catch (fault) {
        t.match(fault, { code: /BAD_MAC|BAD_PACKET_LENGTH|BAD_PADDING/ });
      }
    }
    t.pass(`${cipher} ${mac}`);
  }
  t.end();
});

t.test("PacketReader.next() refuses a packet under another sequence number", (t) => {
  for (const [cipher, mac] of suites) {
    // GCM's nonce is a counter of its own and the sequence number is not in it (RFC 5647 section 7.1).
    if (cipher.includes("gcm")) continue;
    const reader = new PacketReader();
    reader.useKeys(specOf(cipher, mac), false);
    const first = sealed(cipher, mac, Buffer.from("payload"));
    reader.fill(reading(Buffer.concat([first, first])));
    t.same(reader.next(), Buffer.from("payload"));
    t.throws(() => reader.next(), { code: /BAD_MAC|BAD_PACKET_LENGTH|BAD_PADDING/ }, cipher);
  }
  t.end();
});

t.test(
  "PacketReader.next() refuses a sequence number that wraps in the first key exchange",
  (t) => {
    for (const isInitialKex of [true, false]) {
      const reader = new PacketReader(0xffff_ffff);
      reader.isInitialKex = isInitialKex;
      const packet = sealed("none", "", Uint8Array.of(2));
      reader.fill(reading(packet));
      if (isInitialKex) t.throws(() => reader.next(), { code: "SEQUENCE_WRAPPED" });
      else t.same(reader.next(), Uint8Array.of(2));
    }
    t.end();
  },
);

t.test("PacketReader.next() gives the payloads back however the packets are cut", (t) => {
  const payloads = [1, 2, 100, 32_768, 70_000, 262_000].map((length) =>
    new Uint8Array(length).fill(length),
  );
  for (const [cipher, mac] of suites) {
    for (const step of [1000, 4096, 1_000_000]) {
      const writer = new PacketWriter();
      writer.useKeys(specOf(cipher, mac), false);
      const chunks: Uint8Array[] = [];
      for (const payload of payloads) {
        writer.seal(payload, null, 0, 0);
        writer.flush({
          ...reading(new Uint8Array(0)),
          write(buffer, offset, length) {
            chunks.push(buffer.slice(offset, offset + length));
            return length;
          },
        });
      }
      const stream = reading(Buffer.concat(chunks), step);
      const reader = new PacketReader();
      reader.useKeys(specOf(cipher, mac), false);
      const got: Uint8Array[] = [];
      while (reader.fill(stream) > 0) {
        for (let next = reader.next(); next !== null; next = reader.next()) got.push(next.slice());
      }
      t.ok(
        got.length === payloads.length &&
          got.every((payload, i) => Buffer.compare(payload, payloads[i] ?? payload) === 0),
        `${cipher} ${mac} by ${step}`,
      );
    }
  }
  t.end();
});

t.test("PacketWriter.seal() refuses to keep more than its bound", (t) => {
  const writer = new PacketWriter();
  const payload = new Uint8Array(100_000);
  let sealedPackets = 0;
  t.throws(
    () => {
      for (; sealedPackets < 1000; sealedPackets += 1) writer.seal(payload, null, 0, 0);
    },
    { code: "FLOOD" },
  );
  t.ok(writer.pending <= 2 * 1024 * 1024 && sealedPackets >= 20);
  t.end();
});
