import t from "tap";
import {
  BAD_LENGTH,
  BAD_MAC,
  BAD_PADDING,
  NEED_MORE,
  cipherSizes,
  createOpener,
  createSealer,
} from "../../native/packet-cipher.ts";
import {
  fixedSpec,
  referenceOpen,
  referenceSeal,
  suites,
} from "../../fuzz/server/reference-cipher.ts";

const at = new Uint32Array(2);
const header = Uint8Array.of(94, 0, 0, 0, 1);

function named(cipher: string, mac: string): string {
  return mac === "" ? cipher : `${cipher} with ${mac}`;
}

t.test("cipherSizes() refuses unknown names, and a cipher without the MAC that it needs", (t) => {
  for (const [cipher, mac] of [
    ["aes128-cbc", "hmac-sha2-256"],
    ["aes128-ctr", ""],
    ["aes128-ctr", "none"],
    ["aes128-ctr", "hmac-md5"],
    ["none", "hmac-sha2-256"],
    ["", ""],
    ["AES128-CTR", "hmac-sha2-256"],
  ] as const) {
    t.throws(() => cipherSizes(cipher, mac), TypeError, named(cipher, mac));
  }
  t.end();
});

t.test("createSealer() and createOpener() refuse keys of another length", (t) => {
  for (const [cipher, mac] of suites) {
    for (const part of ["key", "iv", "macKey"] as const) {
      const spec = fixedSpec(cipher, mac);
      spec[part] = new Uint8Array(spec[part].length + 1);
      t.throws(() => createSealer(spec), RangeError);
      t.throws(() => createOpener(spec), RangeError);
    }
  }
  t.end();
});

for (const [cipher, mac] of suites) {
  const name = named(cipher, mac);
  const spec = fixedSpec(cipher, mac);
  const { tagBytes, blockBytes } = cipherSizes(cipher, mac);

  if (tagBytes > 0) {
    t.test(`${name}: open() refuses a change of any bit, and wipes what it had decrypted`, (t) => {
      const sealed = new Uint8Array(256);
      const data = new Uint8Array(40).fill(0x5a);
      const size = createSealer(spec).seal(sealed, 0, header, data, 0, data.length, 0);
      for (let bit = 0; bit < size * 8; bit += 3) {
        const forged = sealed.slice(0, size);
        forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const opener = createOpener(spec);
        const result = opener.open(forged, 0, size, 0, at);
        // A changed length is out of bounds, wants more, or is found out by the tag.
        t.ok(
          result === BAD_MAC || (bit < 32 && (result === BAD_LENGTH || result === NEED_MORE)),
          `bit ${bit}`,
        );
        t.notOk(Buffer.from(forged).includes(Buffer.from(data.subarray(0, 8))));
        if (result < 0) t.equal(opener.open(sealed.slice(), 0, size, 0, at), result, "for good");
      }
      t.end();
    });

    t.test(`${name}: open() refuses a packet that is replayed or out of order`, (t) => {
      const sealer = createSealer(spec);
      const [first, second] = [new Uint8Array(128), new Uint8Array(128)];
      const size = sealer.seal(first, 0, header, null, 0, 0, 0);
      sealer.seal(second, 0, header, null, 0, 0, 1);
      t.ok(
        [BAD_MAC, BAD_LENGTH, NEED_MORE].includes(createOpener(spec).open(second, 0, size, 0, at)),
      );
      const opener = createOpener(spec);
      t.equal(opener.open(first.slice(), 0, size, 0, at), size);
      t.ok([BAD_MAC, BAD_LENGTH, NEED_MORE].includes(opener.open(first, 0, size, 1, at)));
      t.end();
    });
  }

  t.test(`${name}: open() refuses lengths out of bounds or between blocks`, (t) => {
    for (const length of [0, 1, 5, blockBytes + 1, 35_000 + blockBytes, 0xffff_ffff, 0x8000_0000]) {
      const packet = referenceSeal(spec, new Uint8Array(blockBytes * 3 + 11), 0, { length });
      t.equal(
        createOpener(spec, 35_000).open(packet, 0, packet.length, 0, at),
        BAD_LENGTH,
        `${length}`,
      );
    }
    t.end();
  });

  t.test(`${name}: open() refuses padding below 4, and padding that leaves no payload`, (t) => {
    for (const padding of [0, 1, 2, 3, 255]) {
      const packet = referenceSeal(spec, new Uint8Array(64), 0, { padding });
      t.equal(createOpener(spec).open(packet, 0, packet.length, 0, at), BAD_PADDING, `${padding}`);
    }
    const empty = referenceSeal(spec, new Uint8Array(0), 0, {});
    const result = createOpener(spec).open(empty, 0, empty.length, 0, at);
    t.ok(result === BAD_PADDING || result === BAD_LENGTH, "an empty payload");
    t.end();
  });

  t.test(`${name}: seal() is opened by an independent implementation, packet after packet`, (t) => {
    const sealer = createSealer(spec);
    const data = Buffer.from(Array.from({ length: 4000 }, (_, i) => i * 7));
    let sequence = 0xffff_fffd; // and over its end
    const reference = referenceOpen(spec);
    for (let length = 0; length < 600; length += 23) {
      const out = new Uint8Array(length + header.length + sealer.overheadBytes);
      const size = sealer.seal(out, 0, header, data, 9, length, sequence);
      const opened = reference(out.subarray(0, size), sequence);
      t.same(Buffer.from(opened), Buffer.concat([header, data.subarray(9, 9 + length)]));
      sequence = (sequence + 1) >>> 0;
    }
    t.end();
  });

  t.test(`${name}: open() takes packets byte by byte from a buffer that moves`, (t) => {
    const sealer = createSealer(spec);
    const opener = createOpener(spec);
    const data = Buffer.from(Array.from({ length: 90 }, (_, i) => i + 1));
    for (let sequence = 0; sequence < 3; sequence += 1) {
      const whole = new Uint8Array(256);
      const size = sealer.seal(whole, 0, header, data, 0, data.length, sequence);
      let known = 0;
      for (let arrived = 0; arrived < size; arrived += 1) {
        const start = arrived % 7;
        const moved = new Uint8Array(start + size);
        moved.set(whole.subarray(0, size), start);
        t.equal(opener.open(moved, start, start + arrived, sequence, at), NEED_MORE);
        t.ok(at[1] === 0 || at[1] === size);
        t.ok((at[1] ?? 0) >= known, "once known, known");
        known = at[1] ?? 0;
      }
      t.equal(known, size);
      const last = new Uint8Array(size + 20);
      last.set(whole.subarray(0, size), 11);
      t.equal(opener.open(last, 11, size + 20, sequence, at), size);
      const payload = last.subarray(at[0], (at[0] ?? 0) + (at[1] ?? 0));
      t.same(Buffer.from(payload), Buffer.concat([header, data]));
    }
    t.end();
  });
}

t.test("seal() refuses what does not fit, and arguments out of bounds", (t) => {
  const spec = fixedSpec("aes128-gcm@openssh.com", "");
  const sealer = createSealer(spec);
  const data = new Uint8Array(100);
  const seal = (room: number, offset: number, from: number, length: number) => () =>
    sealer.seal(new Uint8Array(room), offset, header, data, from, length, 0);
  t.throws(seal(100, 0, 0, 100), RangeError);
  t.throws(seal(200, 201, 0, 1), RangeError);
  t.throws(seal(200, 0, 1, 100), RangeError);
  t.throws(seal(200, 0, 101, 0), RangeError);
  t.throws(seal(200, -1, 0, 1), TypeError);
  t.throws(seal(200, 0, 0, 2 ** 32), TypeError);
  t.throws(() => sealer.seal.call({} as never, data, 0, header, null, 0, 0, 0), TypeError);
  const fit = new Uint8Array(100 + header.length + sealer.overheadBytes);
  t.ok(sealer.seal(fit, 0, header, data, 0, 100, 0) <= fit.length);
  t.end();
});

t.test("open() refuses arguments out of bounds", (t) => {
  const opener = createOpener(fixedSpec("none", ""));
  const buffer = new Uint8Array(32);
  t.throws(() => opener.open(buffer, 0, 33, 0, at), RangeError);
  t.throws(() => opener.open(buffer, 3, 2, 0, at), RangeError);
  t.throws(() => opener.open(buffer, 0, 32, 0, new Uint32Array(1)), RangeError);
  t.throws(() => opener.open(buffer, 0, 32, 0, new Uint8Array(8) as never), TypeError);
  t.throws(() => createSealer({} as never), TypeError);
  t.end();
});

t.test("two sealers with one key never share their padding", (t) => {
  const spec = fixedSpec("none", "");
  const paddings = [createSealer(spec), createSealer(spec)].map((sealer) => {
    let all = "";
    for (let i = 0; i < 4; i += 1) {
      const out = new Uint8Array(64);
      const size = sealer.seal(out, 0, header, null, 0, 0, i);
      all += Buffer.from(out.subarray(5 + header.length, size)).toString("hex");
    }
    return all;
  });
  t.not(paddings[0], paddings[1]);
  t.end();
});
