// Two transports, a server and a client, joined in memory: every algorithm, every cut of the stream, rekeying, bounded memory.
import t from "tap";
import fc from "fast-check";
import { prepareKex } from "../../../session/ssh/prepared-kex.ts";
import { kexMethodNames } from "../../../session/ssh/kex-methods.ts";
import type { Side } from "./transport-pair.ts";
import { algorithms, ciphers, hostKeys, macs, makePair, settled } from "./transport-pair.ts";

const payload = (length: number, fill: number): Uint8Array => {
  const bytes = new Uint8Array(length).fill(fill);
  bytes[0] = 94;
  return bytes;
};
/** Compared by hand: a deep comparison of megabytes is slow and its report unreadable. */
const isSame = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((bytes, i) => Buffer.compare(bytes, b[i] ?? bytes) === 0);

async function exchangeData(server: Side, client: Side): Promise<boolean> {
  server.received.length = 0;
  client.received.length = 0;
  const sent = [payload(1, 0), payload(37, 1), payload(32_768, 2)];
  for (const bytes of sent) {
    server.transport.send(bytes);
    client.transport.send(bytes.subarray(0, 1), bytes, 1, bytes.length - 1);
  }
  await settled(8);
  return isSame(server.received, sent) && isSame(client.received, sent);
}

t.test(
  "Transport agrees with itself by every key exchange method and host key, and carries data",
  async (t) => {
    for (const kex of kexMethodNames) {
      for (const hostKey of algorithms.hostKey) {
        const { server, client } = makePair({
          client: { algorithms: { ...algorithms, kex: [kex], hostKey: [hostKey] } },
        });
        await settled();
        t.match(server.transport.negotiated, { kex, hostKey });
        t.same(server.transport.sessionId, client.transport.sessionId);
        t.same(client.transport.hostKeyBlob, server.transport.hostKeyBlob);
        t.ok(await exchangeData(server, client), `${kex} ${hostKey}`);
      }
    }
  },
);

t.test(
  "Transport carries data under every cipher and MAC, different ones in each direction",
  async (t) => {
    for (const cipher of ciphers) {
      for (const mac of macs) {
        const mine = { ...algorithms, ciphers: [cipher], macs: [mac] };
        const { server, client } = makePair({ client: { algorithms: mine } });
        await settled();
        const expected = cipher.endsWith("-ctr") ? mac : "";
        t.match(server.transport.negotiated, {
          cipherClientToServer: cipher,
          cipherServerToClient: cipher,
          macClientToServer: expected,
          macServerToClient: expected,
        });
        t.ok(await exchangeData(server, client), `${cipher} ${mac}`);
      }
    }
  },
);

t.test("Transport does not mind where the stream is cut", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), async (cuts) => {
      let i = 0;
      const segment = () => cuts[i++ % cuts.length] ?? 1;
      const { server, client } = makePair({ stream: { capacityBytes: 5000, segment } });
      await settled(60);
      return (
        server.isEstablished && client.isEstablished && (await exchangeDataSlowly(server, client))
      );
    }),
    { numRuns: 25, seed: 20 },
  );
  t.pass("25 ways");
});
async function exchangeDataSlowly(server: Side, client: Side): Promise<boolean> {
  const sent = [payload(1, 0), payload(700, 1)];
  for (const bytes of sent) server.transport.send(bytes);
  for (const bytes of sent) client.transport.send(bytes);
  await settled(20);
  return isSame(server.received, sent) && isSame(client.received, sent);
}

t.test("Transport takes the stream one byte at a time", async (t) => {
  const { server, client } = makePair({ stream: { capacityBytes: 64, segment: () => 1 } });
  for (let i = 0; i < 100 && !(server.isEstablished && client.isEstablished); i += 1)
    await settled(50);
  t.ok(server.isEstablished && client.isEstablished);
});

t.test("Transport uses what was prepared for it, and other values the next time", async (t) => {
  const cookies = new Set<string>();
  for (let i = 0; i < 3; i += 1) {
    const prepared = prepareKex("server", algorithms, hostKeys);
    cookies.add(Buffer.from(prepared.kexInit.subarray(1, 17)).toString("hex"));
    cookies.add(Buffer.from(prepared.ephemeral.public).toString("hex"));
    const { server, client } = makePair({ server: { prepared } });
    await settled();
    t.ok(await exchangeData(server, client));
    server.transport.markAuthenticated();
    client.transport.markAuthenticated();
    server.transport.rekey();
    await settled();
    t.ok(await exchangeData(server, client), "after a rekey with fresh values");
  }
  t.equal(cookies.size, 6);
});

t.test(
  "Transport offers only what its host keys can sign, and refuses unknown methods",
  async (t) => {
    const role = {
      ...(await import("./transport-pair.ts")).serverRole(),
      hostKeys: hostKeys.slice(0, 1),
    };
    const { server, client } = makePair({
      server: { role },
      client: { algorithms: { ...algorithms, hostKey: ["ecdsa-sha2-nistp256"] } },
    });
    await settled();
    t.match(server.end, { end: "fault", fault: { code: "NO_COMMON_ALGORITHM" } });
    t.match(client.end, { end: "fault", fault: { code: "NO_COMMON_ALGORITHM" } });
    t.throws(() => prepareKex("server", { ...algorithms, kex: ["made-up"] }, hostKeys), RangeError);
  },
);

t.test("Transport refuses a server whose signature or host key is wrong", async (t) => {
  for (const [role, code] of [
    [{ verifyHostKey: () => false }, "BAD_HOST_KEY"],
    [{ verifyHostKey: () => true }, "BAD_SIGNATURE"],
  ] as const) {
    const { signParts } = await import("./host-keys.ts");
    const { serverRole } = await import("./transport-pair.ts");
    const { client } = makePair({
      server: {
        role: {
          ...serverRole(),
          signExchange(parts, done) {
            const signed = signParts(hostKeys, parts);
            const signature = signed.signature.slice();
            signature.set([(signature.at(-1) ?? 0) ^ 1], signature.length - 1);
            done({ ...signed, signature });
          },
        },
      },
      client: { role: { side: "client", ...role } },
    });
    await settled();
    t.match(client.end, { end: "fault", fault: { code } });
  }
});

t.test(
  "Transport rekeys by bytes in either direction and by either side without losing a byte",
  async (t) => {
    for (const limits of [
      { server: { rekeyLimit: { bytes: 50_000, seconds: 0 } } },
      { client: { rekeyLimit: { bytes: 50_000, seconds: 0 } } },
      {
        server: { rekeyLimit: { bytes: 50_000, seconds: 0 } },
        client: { rekeyLimit: { bytes: 30_000, seconds: 0 } },
      },
    ]) {
      const { server, client } = makePair(limits);
      await settled();
      server.transport.markAuthenticated();
      client.transport.markAuthenticated();
      const sent: Uint8Array[] = [];
      for (let i = 0; i < 40; i += 1) {
        const bytes = payload(10_000 + i, i);
        sent.push(bytes);
        server.transport.send(bytes);
        client.transport.send(bytes);
        await settled(2);
      }
      await settled(10);
      t.equal(server.end, null);
      t.equal(client.end, null);
      t.ok(isSame(server.received, sent) && isSame(client.received, sent));
      t.ok(server.kex.length > 8, `${server.kex.length / 2} exchanges`);
    }
  },
);

t.test("Transport rekeys after a time, also when idle", async (t) => {
  const { server, client } = makePair({ server: { rekeyLimit: { bytes: 0, seconds: 0.01 } } });
  await settled();
  client.transport.markAuthenticated();
  server.transport.markAuthenticated();
  while (client.kex.length < 6) await new Promise((resolve) => setTimeout(resolve, 5));
  t.ok(await exchangeData(server, client));
  server.transport.disconnect(11, "done");
});

t.test(
  "Transport stops its sources when the peer does not read, and calls them when it does",
  async (t) => {
    const stuck = makePair({ stream: { capacityBytes: 10_000 } });
    await settled();
    let sent = 0;
    while (stuck.server.transport.hasRoom && sent < 1000) {
      stuck.server.transport.send(payload(32_768, 1));
      sent += 1;
    }
    t.ok(sent >= 8 && sent <= 12, `${sent} packets until there is no room`);
    await settled(100);
    t.equal(stuck.client.received.length, sent);
    t.ok(stuck.server.roomCalls >= 1);
    t.ok(stuck.server.transport.hasRoom);
  },
);
