// Attacks on key exchange and framing: docs/reference "attacks.md" A6, B, D; RFC 4253 section 7, OpenSSH PROTOCOL section 1.10.
import t from "tap";
import { encodeKexInit } from "../../../session/ssh/kexinit.ts";
import { WireWriter } from "../../../session/ssh/wire.ts";
import { attack, faultOf } from "./raw-client.ts";

const identify = "SSH-2.0-raw\r\n";
const strict = ["curve25519-sha256", "ext-info-c", "kex-strict-c-v00@openssh.com"];
const lax = ["curve25519-sha256", "ext-info-c"];
const ignore = new WireWriter().byte(2).string("").finish();

t.test("Transport refuses IGNORE before a strict KEXINIT (B1, Terrapin)", async (t) => {
  const { raw, server } = attack();
  await raw.raw(identify);
  await raw.send(ignore);
  t.equal(faultOf(server), "still running", "not yet known to be strict");
  await raw.sendKexInit({ kex: strict });
  t.equal(faultOf(server), "STRICT_KEX");
});

t.test("Transport refuses every other message inside a strict key exchange (B1)", async (t) => {
  for (let type = 2; type < 256; type += 1) {
    if (type === 20 || type === 21 || (type >= 30 && type <= 49)) continue;
    const { raw, server } = attack();
    await raw.raw(identify);
    await raw.sendKexInit({ kex: strict });
    await raw.send(new WireWriter().byte(type).string("").finish());
    t.equal(faultOf(server), "STRICT_KEX", `message ${type}`);
  }
});

t.test("Transport takes IGNORE and DEBUG inside a key exchange that is not strict", async (t) => {
  const { raw, server } = attack();
  raw.isStrict = false;
  await raw.raw(identify);
  await raw.send(ignore);
  await raw.sendKexInit({ kex: lax });
  await raw.send(new WireWriter().byte(4).bool(true).string("hello").string("").finish());
  await raw.sendInit();
  await raw.sendNewKeys();
  t.equal(faultOf(server), "still running");
  t.ok(server.isEstablished);
});

t.test(
  "Transport refuses userauth and connection messages before the first NEWKEYS (D2, D11)",
  async (t) => {
    for (const type of [5, 6, 7, 8, 19, 22, 29, 50, 52, 60, 80, 90, 98, 193, 255]) {
      for (const place of ["before KEXINIT", "after KEXINIT", "before NEWKEYS"]) {
        const { raw, server } = attack();
        raw.isStrict = false;
        await raw.raw(identify);
        if (place !== "before KEXINIT") await raw.sendKexInit({ kex: lax });
        if (place === "before NEWKEYS") await raw.sendInit();
        await raw.send(new WireWriter().byte(type).string("").finish());
        t.equal(faultOf(server), "OUT_OF_PHASE", `message ${type} ${place}`);
        t.same(server.received, [], "nothing reached the layer above");
      }
    }
  },
);

t.test("Transport refuses kex messages of the wrong direction and out of turn (D3)", async (t) => {
  for (const type of [21, 31, 32, 49]) {
    const { raw, server } = attack();
    await raw.raw(identify);
    await raw.sendKexInit({ kex: strict });
    await raw.send(new WireWriter().byte(type).string("").finish());
    t.equal(faultOf(server), "OUT_OF_PHASE", `${type} instead of 30`);
  }
  const { raw, server } = attack();
  await raw.raw(identify);
  await raw.send(new WireWriter().byte(30).string("").finish());
  t.equal(faultOf(server), "OUT_OF_PHASE", "30 before KEXINIT");
});

t.test("Transport refuses a second KEXINIT inside an exchange (B4, CVE-2016-8858)", async (t) => {
  const { raw, server } = attack();
  await raw.raw(identify);
  await raw.sendKexInit({ kex: strict });
  await raw.sendKexInit({ kex: strict });
  t.equal(faultOf(server), "OUT_OF_PHASE");
});

t.test("Transport refuses a second INIT after its reply", async (t) => {
  const { raw, server } = attack();
  await raw.raw(identify);
  await raw.sendKexInit({ kex: strict });
  await raw.sendInit();
  await raw.send(new WireWriter().byte(30).string(new Uint8Array(32).fill(9)).finish());
  t.equal(faultOf(server), "OUT_OF_PHASE");
});

t.test("Transport refuses KEXINIT between the first NEWKEYS and authentication (B8)", async (t) => {
  const { raw, server } = attack();
  await raw.handshake();
  t.ok(server.isEstablished);
  await raw.sendKexInit({ kex: strict });
  t.equal(faultOf(server), "OUT_OF_PHASE");
});

t.test(
  "Transport ignores a wrong guess and takes the right message after it (B4, CVE-2025-8277)",
  async (t) => {
    const { raw, server } = attack();
    await raw.raw(identify);
    await raw.sendKexInit({ kex: strict, firstKexPacketFollows: true });
    await raw.send(new WireWriter().byte(30).string("a guess of another method").finish());
    t.equal(faultOf(server), "still running");
    await raw.sendInit();
    await raw.sendNewKeys();
    t.ok(server.isEstablished);
  },
);

t.test("Transport ignores one packet for a wrong guess, not two", async (t) => {
  const { raw, server } = attack();
  await raw.raw(identify);
  await raw.sendKexInit({ kex: strict, firstKexPacketFollows: true });
  const guess = new WireWriter().byte(30).string("a guess of another method").finish();
  await raw.send(guess);
  await raw.send(guess);
  t.equal(faultOf(server), "BAD_KEX_VALUE");
});

t.test("Transport takes a right guess at once", async (t) => {
  const { raw, server } = attack();
  await raw.raw(identify);
  await raw.sendKexInit({ kex: ["mlkem768x25519-sha256"], firstKexPacketFollows: true });
  await raw.sendInit("mlkem768x25519-sha256");
  t.ok(raw.types.includes(31));
  t.equal(faultOf(server), "still running");
});

t.test("Transport refuses KEXINITs that are malformed (A6, B7)", async (t) => {
  const good = () => encodeKexInit(attack().raw.offer()).slice();
  const cases: Record<string, Uint8Array> = {
    empty: Uint8Array.of(20),
    "cut in the cookie": good().subarray(0, 10),
    "cut in a list": good().subarray(0, 60),
    "without its end": good().subarray(0, -1),
    "with a byte more": Buffer.concat([good(), Buffer.of(0)]),
    "list of 2^32-1 bytes": Buffer.concat([good().subarray(0, 17), Buffer.from("ffffffff", "hex")]),
    "a control character in a name": encodeKexInit(attack().raw.offer({ kex: ["a\nb"] })),
    "a name that is not ASCII": encodeKexInit(attack().raw.offer({ hostKey: ["s\xe9"] })),
    "36,000 bytes": encodeKexInit(attack().raw.offer({ kex: ["x".repeat(36_000)] })),
    "100,000 names": encodeKexInit(
      attack().raw.offer({ kex: Array.from({ length: 100_000 }, () => "a") }),
    ),
  };
  for (const [name, payload] of Object.entries(cases)) {
    const { raw, server } = attack();
    await raw.raw(identify);
    await raw.send(payload);
    t.match(faultOf(server), /TRUNCATED|TRAILING_BYTES|MALFORMED|OUT_OF_BOUNDS/, name);
  }
});

t.test(
  "Transport ignores the reserved field, empty names and names that come twice (B7)",
  async (t) => {
    const { raw, server } = attack();
    await raw.raw(identify);
    const payload = encodeKexInit(
      raw.offer({ kex: ["", "", "a", "a", "curve25519-sha256", ""] }),
    ).slice();
    payload.fill(0xff, -4);
    await raw.send(payload);
    await raw.sendInit();
    t.ok(raw.types.includes(31));
    t.equal(faultOf(server), "still running");
  },
);

t.test("Transport says what could not be agreed on in sshd's words", async (t) => {
  for (const [changes, text] of [
    [{ kex: ["diffie-hellman-group14-sha256", "ext-info-c"] }, "key exchange method"],
    [{ kex: ["ext-info-s", "kex-strict-s-v00@openssh.com"] }, "key exchange method"],
    [{ hostKey: ["ssh-rsa"] }, "host key type"],
    [{ cipherClientToServer: ["3des-cbc"] }, "cipher"],
    [{ cipherServerToClient: [] }, "cipher"],
    [{ macServerToClient: ["hmac-md5"] }, "MAC"],
    [{ compressionClientToServer: ["zlib"] }, "compression method"],
  ] as const) {
    const { raw, server } = attack();
    await raw.raw(identify);
    await raw.sendKexInit(changes);
    t.equal(faultOf(server), "NO_COMMON_ALGORITHM");
    t.same(raw.disconnect, { reason: 3, text: `no matching ${text} found` });
    const offer = Object.values(changes)[0]?.join(",") ?? "";
    const message = server.end?.end === "fault" ? server.end.fault.message : "";
    t.equal(message, `no matching ${text} found. Their offer: ${offer}`);
  }
});

t.test("Transport refuses invalid public values with one text for all (B5)", async (t) => {
  const lowOrder = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
  const offCurve = Buffer.concat([Buffer.of(4), new Uint8Array(64).fill(1)]);
  const cases: [string, Uint8Array][] = [
    ["curve25519-sha256", new Uint8Array(32)],
    ["curve25519-sha256", Buffer.from(lowOrder, "hex")],
    ["curve25519-sha256", Buffer.from(`01${"00".repeat(31)}`, "hex")],
    ["curve25519-sha256", new Uint8Array(31).fill(9)],
    ["curve25519-sha256", new Uint8Array(33).fill(9)],
    ["curve25519-sha256", new Uint8Array(0)],
    ["ecdh-sha2-nistp256", offCurve],
    ["ecdh-sha2-nistp256", Uint8Array.of(0)],
    ["ecdh-sha2-nistp384", new Uint8Array(97)],
    ["ecdh-sha2-nistp521", offCurve],
    ["mlkem768x25519-sha256", new Uint8Array(1183 + 32).fill(1)],
    ["mlkem768x25519-sha256", new Uint8Array(1185 + 32).fill(1)],
    // Every coefficient 0xfff: above the modulus 3329.
    ["mlkem768x25519-sha256", new Uint8Array(1184 + 32).fill(0xff)],
    // A good key with a zero X25519 share.
    ["mlkem768x25519-sha256", new Uint8Array(1184 + 32)],
  ];
  for (const [method, value] of cases) {
    const { raw, server } = attack();
    await raw.raw(identify);
    await raw.sendKexInit({ kex: [method] });
    await raw.send(new WireWriter().byte(30).string(value).finish());
    t.equal(faultOf(server), "BAD_KEX_VALUE", `${method}, ${value.length} bytes`);
    t.same(raw.disconnect, { reason: 3, text: "Key exchange failed" });
  }
});

t.test(
  "Transport refuses an INIT with a length that lies or bytes after its end (A6)",
  async (t) => {
    for (const hex of [
      "1e",
      "1e0000",
      "1effffffff",
      "1e80000000",
      "1e00000021" + "09".repeat(32),
    ]) {
      const { raw, server } = attack();
      await raw.raw(identify);
      await raw.sendKexInit({ kex: strict });
      await raw.send(Buffer.from(hex, "hex"));
      t.equal(faultOf(server), "TRUNCATED", hex);
    }
    const { raw, server } = attack();
    await raw.raw(identify);
    await raw.sendKexInit({ kex: strict });
    await raw.send(Buffer.from(`1e00000020${"09".repeat(33)}`, "hex"));
    t.equal(faultOf(server), "TRAILING_BYTES");
  },
);
