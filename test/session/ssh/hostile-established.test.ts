// Attacks after the first key exchange: attacks.md B1, B3, C1, D11, D12; RFC 4253 sections 7.1, 9 and 11, RFC 8308.
import t from "tap";
import { WireWriter } from "../../../session/ssh/wire.ts";
import { attack, faultOf } from "./raw-client.ts";

const ignore = new WireWriter().byte(2).string("").finish();
const ping = new WireWriter().byte(192).string("x").finish();
const data = new WireWriter().byte(94).uint32(0).string("data").finish();
const extInfo = new WireWriter().byte(7).uint32(1).string("a").string("b").finish();

/** A raw client that has gone through the first key exchange and, as the server believes, userauth. */
async function authenticated() {
  const attacked = attack();
  await attacked.raw.handshake();
  attacked.server.transport.markAuthenticated();
  return attacked;
}

t.test(
  "Transport queues no PONG before authentication, and ends a flood of PINGs (C1)",
  async (t) => {
    const { raw, server } = attack();
    await raw.handshake();
    for (let i = 0; i < 64; i += 1) await raw.send(ping);
    t.equal(faultOf(server), "still running");
    t.notOk(raw.types.includes(193));
    await raw.send(ping);
    t.equal(faultOf(server), "FLOOD");
  },
);

t.test("Transport ends a flood of IGNOREs before the key exchange", async (t) => {
  const { raw, server } = attack();
  await raw.raw("SSH-2.0-raw\r\n");
  for (let i = 0; i < 65; i += 1) await raw.send(ignore);
  t.equal(faultOf(server), "FLOOD");
});

t.test("Transport refuses messages that no layer knows before authentication (D2)", async (t) => {
  for (const type of [8, 22, 200, 255]) {
    const { raw, server } = attack();
    await raw.handshake();
    await raw.send(new WireWriter().byte(type).string("").finish());
    t.equal(faultOf(server), "OUT_OF_PHASE", `message ${type}`);
  }
});

t.test(
  "Transport answers UNIMPLEMENTED with the packet's number after authentication",
  async (t) => {
    const { raw } = await authenticated();
    await raw.send(ignore);
    await raw.send(new WireWriter().byte(200).finish());
    // Strict kex: numbers start anew at NEWKEYS, so IGNORE was 0.
    t.same(raw.last(3), new WireWriter().byte(3).uint32(1).finish());
  },
);

t.test("Transport refuses key exchange messages outside of an exchange", async (t) => {
  for (const type of [21, 30, 31, 49]) {
    const { raw, server } = await authenticated();
    await raw.send(new WireWriter().byte(type).string("").finish());
    t.equal(faultOf(server), "OUT_OF_PHASE", `message ${type}`);
  }
});

t.test(
  "Transport answers PING after authentication with the same bytes, but not during a rekey (C1)",
  async (t) => {
    const { raw, server } = await authenticated();
    await raw.send(ping);
    t.same(raw.last(193), new WireWriter().byte(193).string("x").finish());
    server.transport.rekey();
    await raw.send(ping);
    await raw.exchange({ kex: ["curve25519-sha256"] });
    t.same(raw.types.filter((type) => type === 193).length, 1);
    t.equal(faultOf(server), "still running");
  },
);

t.test("Transport refuses PINGs whose length lies", async (t) => {
  const { raw, server } = await authenticated();
  await raw.send(Buffer.from("c000000002aa", "hex"));
  t.equal(faultOf(server), "TRUNCATED");
});

t.test(
  "Transport refuses data after the client's own KEXINIT (B3, RFC 4253 section 7.1)",
  async (t) => {
    const { raw, server } = await authenticated();
    await raw.sendKexInit({ kex: ["curve25519-sha256"] });
    await raw.send(data);
    t.equal(faultOf(server), "OUT_OF_PHASE");
    t.same(server.received, []);
  },
);

t.test("Transport refuses a second KEXINIT inside a rekey (B4)", async (t) => {
  const { raw, server } = await authenticated();
  await raw.sendKexInit({ kex: ["curve25519-sha256"] });
  await raw.sendKexInit({ kex: ["curve25519-sha256"] });
  t.equal(faultOf(server), "OUT_OF_PHASE");
});

t.test(
  "Transport rekeys with packets before KEXINIT and without markers, and stays strict (B1)",
  async (t) => {
    const { raw, server } = await authenticated();
    const { sessionId } = server.transport;
    await raw.send(ignore);
    for (let i = 0; i < 3; i += 1) {
      // The marker of the other side and our own must mean nothing now.
      await raw.exchange({ kex: ["curve25519-sha256", "kex-strict-c-v00@openssh.com"] });
      await raw.send(data);
    }
    t.equal(server.received.length, 3);
    t.equal(faultOf(server), "still running");
    t.equal(server.transport.sessionId, sessionId, "the session id stays the first H");
    t.same(server.kex, [true, false, true, false, true, false, true, false]);
    const offers = raw.received.filter((payload) => payload[0] === 20);
    t.ok(Buffer.from(offers[0] ?? []).includes("kex-strict-s-v00@openssh.com"));
    t.notOk(
      Buffer.from(offers[1] ?? []).includes("kex-strict"),
      "markers are in the first KEXINIT only",
    );
  },
);

t.test(
  "Transport keeps answers during a rekey within a bound, then ends the connection (B3)",
  async (t) => {
    const { raw, server } = await authenticated();
    server.transport.rekey();
    t.notOk(server.transport.hasRoom, "sources stop");
    const answer = new Uint8Array(1000).fill(99);
    // The peer goes on asking and never sends its KEXINIT; the layer above answers each.
    for (let i = 0; i < 400; i += 1) server.transport.send(answer);
    await raw.step();
    t.equal(faultOf(server), "still running");
    t.notOk(raw.types.includes(99), "nothing but the key exchange goes out");
    for (let i = 0; i < 200; i += 1) server.transport.send(answer);
    t.equal(faultOf(server), "FLOOD");
  },
);

t.test("Transport releases what it kept once its NEWKEYS is out, in order", async (t) => {
  const { raw, server } = await authenticated();
  server.transport.rekey();
  for (let i = 0; i < 5; i += 1) server.transport.send(Uint8Array.of(90, i));
  server.transport.send(Uint8Array.of(94), Uint8Array.of(1, 2, 3, 4), 1, 2);
  await raw.step();
  await raw.exchange({ kex: ["curve25519-sha256"] });
  t.same(
    raw.received.slice(-6).map((payload) => [...payload]),
    [
      [90, 0],
      [90, 1],
      [90, 2],
      [90, 3],
      [90, 4],
      [94, 2, 3],
    ],
  );
  t.equal(server.roomCalls, 0, "nobody had asked for room");
});

t.test("Transport.rekey() does nothing before authentication", async (t) => {
  const { raw, server } = attack();
  await raw.handshake();
  server.transport.rekey();
  await raw.step();
  t.equal(raw.types.filter((type) => type === 20).length, 1);
});

t.test(
  "Transport refuses EXT_INFO that comes twice, too late, or lies about its count (D11)",
  async (t) => {
    const twice = attack();
    await twice.raw.handshake();
    await twice.raw.send(extInfo);
    t.same([...twice.server.transport.peerExtensions], [["a", Buffer.from("b")]]);
    await twice.raw.send(extInfo);
    t.equal(faultOf(twice.server), "OUT_OF_PHASE", "twice");

    const late = await authenticated();
    await late.raw.send(extInfo);
    t.equal(faultOf(late.server), "OUT_OF_PHASE", "after authentication");

    for (const [hex, code] of [
      ["0700000002", "TRUNCATED"],
      ["07ffffffff", "OUT_OF_BOUNDS"],
      ["0700000000ff", "TRAILING_BYTES"],
      ["0700000002000000016100000000000000016100000000", "MALFORMED"],
    ] as const) {
      const { raw, server } = attack();
      await raw.handshake();
      await raw.send(Buffer.from(hex, "hex"));
      t.equal(faultOf(server), code, hex);
    }
  },
);

t.test("Transport sends EXT_INFO to who asked for it, first thing after NEWKEYS", async (t) => {
  const asked = attack();
  await asked.raw.handshake();
  t.same(asked.raw.types, [20, 31, 21, 7]);
  const silent = attack();
  await silent.raw.handshake(["curve25519-sha256"]);
  t.same(silent.raw.types, [20, 31, 21]);
});

t.test("Transport reports the peer's DISCONNECT, bytes as bytes and cut (D12)", async (t) => {
  const { raw, server } = attack();
  await raw.handshake();
  const text = Buffer.from(`\x1b]0;\xff${"x".repeat(5000)}`, "latin1");
  await raw.send(new WireWriter().byte(1).uint32(11).string(text).string("").finish());
  t.same(server.end, { end: "peerDisconnect", reason: 11, text: text.subarray(0, 1024) });
  // Nothing is heard after it.
  await raw.send(data);
  t.same(server.received, []);
});

t.test(
  "Transport refuses a DISCONNECT, DEBUG, IGNORE or UNIMPLEMENTED that is cut short (A6)",
  async (t) => {
    for (const hex of [
      "01",
      "010000000b",
      "010000000bffffffff",
      "04",
      "040000000001",
      "02",
      "0200000001",
      "03",
      "030000",
    ]) {
      const { raw, server } = attack();
      await raw.handshake();
      await raw.send(Buffer.from(hex, "hex"));
      t.equal(faultOf(server), "TRUNCATED", hex);
    }
  },
);
