// The session process's layers against the broker's own monitor: whatever a client does, the session process breaks none of its rules.
import * as fc from "fast-check";
import t from "tap";
import type { ConnectionFacts } from "../../broker/monitor.ts";
import { Monitor } from "../../broker/monitor.ts";
import type { World } from "../../broker/world.ts";
import { loadConfig } from "../../config/load.ts";
import { answers, requests, type Request } from "../../ipc/monitor.ts";
import { decode, encode } from "../../ipc/protocol.ts";
import type { MonitorClient, MonitorPort } from "../../session/monitor-client.ts";
import { publicKeyRequest } from "../../session/client-userauth.ts";
import { exchangeHash } from "../../session/ssh/exchange-hash.ts";
import type { ExchangeParts } from "../../session/ssh/layers.ts";
import { kexMethod } from "../../session/ssh/kex-methods.ts";
import { WireWriter } from "../../session/ssh/wire.ts";
import { established, hostKey, settled, strangeKey, userKey, type Served } from "./served-pair.ts";

const facts: ConnectionFacts = {
  connection: 1,
  remoteAddress: "192.0.2.7",
  remotePort: 4711,
  localAddress: "192.0.2.1",
  localPort: 22,
};
const authorizedKeys = `ssh-ed25519 ${Buffer.from(userKey.blob).toString("base64")} alice\n`;

interface Watched {
  /** What the monitor refused: must stay empty. */
  violations: string[];
  lines: string[];
  connectMonitor: ConstructorParameters<typeof MonitorClient>[0];
}

/** The monitor in a world of one user, alice, with one key; failures are not delayed. */
function watchedMonitor(overrides: readonly string[] = []): Watched {
  const watched: Omit<Watched, "connectMonitor"> = { violations: [], lines: [] };
  const connectMonitor: Watched["connectMonitor"] = (handlers) => {
    const answer = (
      name: keyof typeof answers,
      id: number,
      body: never,
      fds: number[] = [],
    ): void => {
      const message = decode(answers, encode(answers, name, id, body), fds.length);
      queueMicrotask(() => {
        handlers.message(message, fds);
      });
    };
    let sessionId = new Uint8Array(0);
    const world: World = {
      nowMs: () => 0,
      elapsedMs: () => 0,
      delaySecret: new Uint8Array(32),
      later: (_ms, action) => {
        queueMicrotask(action);
      },
      lookupUser: (name) =>
        name === "alice"
          ? {
              name,
              uid: 1000,
              gid: 1000,
              groups: [1000],
              groupNames: ["alice"],
              home: "/home/alice",
              shell: "/bin/sh",
            }
          : null,
      readKeyFile: () => ({ text: authorizedKeys }),
      readBanner: () => Buffer.from("welcome\n"),
      sign: (kind, body, done) => {
        if (kind === "exchange") {
          const parts = body as unknown as ExchangeParts; // what `kind` says
          const hash = exchangeHash(
            kexMethod(parts.kex).hash,
            parts,
            hostKey.blob,
          ) as Uint8Array<ArrayBuffer>;
          if (sessionId.length === 0) sessionId = hash;
          queueMicrotask(() => {
            done({ exchangeHash: hash, signature: hostKey.sign(hash) });
          });
        } else {
          const { blob } = body as unknown as { blob: Uint8Array }; // likewise
          const proof = new WireWriter(512).string("hostkeys-prove-00@openssh.com");
          const data = proof.string(sessionId).string(blob).finish();
          queueMicrotask(() => {
            done({ exchangeHash: new Uint8Array(0), signature: hostKey.sign(data) });
          });
        }
      },
      log: ({ text }) => watched.lines.push(text),
      answer: (name, id, body) => {
        answer(name, id, body as never); // its own table's type
      },
      authenticated: (id, _identity, body) => {
        answer("authenticated", id, body as never, [100]);
      },
      end: () => undefined,
    };
    const config = loadConfig({ file: "none", overrides: [...overrides, "StrictModes no"] });
    const monitor = new Monitor(world, config, [hostKey]);
    monitor.begin(facts);
    const waiting: Request[] = [];
    const next = (): void => {
      while (!monitor.isBusy && monitor.phase !== "ended") {
        const request = waiting.shift();
        if (request === undefined) return;
        try {
          monitor.handle(request);
        } catch (error) {
          watched.violations.push(`${request.name}: ${String(error)}`);
        }
      }
    };
    monitor.onIdle = next;
    const port: MonitorPort = {
      isDrained: true,
      send: (name, id, body) => {
        waiting.push(decode(requests, encode(requests, name, id, body), 0));
        next();
      },
    };
    port.send("confined", 0, { missing: [] });
    port.send("adopted", 0, {});
    return port;
  };
  return { ...watched, connectMonitor };
}

t.test("The monitor refuses nothing of a login by query and signature", async (t) => {
  const watched = watchedMonitor();
  const pair = await established({ connectMonitor: watched.connectMonitor });
  pair.client.authenticateNone();
  pair.client.queryKey(userKey);
  pair.client.authenticate(userKey);
  await settled(20);
  t.same(pair.seen.slice(1, 4), ["failure publickey", "key acceptable", "authenticated"]);
  t.same(watched.violations, []);
  t.ok(watched.lines.some((line) => line.startsWith("Accepted publickey for alice")));
});

t.test("The monitor answers a user that there is not like one whose key is wrong", async (t) => {
  const said: string[][] = [];
  for (const user of ["alice", "nobody-of-that-name"]) {
    const { connectMonitor, violations } = watchedMonitor();
    const pair = await established({ connectMonitor });
    pair.client.transport.send(publicKeyRequest(user, strangeKey, false, null));
    pair.client.transport.send(publicKeyRequest(user, strangeKey, false, hostKey.blob));
    await settled(20);
    said.push(pair.seen.slice(1));
    t.same(violations, []);
  }
  t.same(said[0], ["failure publickey", "failure publickey"]);
  t.same(said[0], said[1]);
});

t.test("The monitor ends it after MaxAuthTries, by the session process's disconnect", async (t) => {
  const watched = watchedMonitor(["MaxAuthTries 2"]);
  const pair = await established({ connectMonitor: watched.connectMonitor });
  pair.client.authenticate(strangeKey);
  pair.client.authenticate(strangeKey);
  await settled(20);
  t.match(pair.clientEnd, { end: "peerDisconnect", reason: 2 });
  t.same(watched.violations, []);
  t.match(watched.lines.at(-1), /^Disconnecting authenticating user alice .*Too many/);
});

/** What a client may do before and after it is authenticated; most of it is not what an honest one does. */
const keyBlob = fc.oneof(
  fc.constantFrom(userKey.blob, strangeKey.blob),
  fc.uint8Array({ maxLength: 80 }),
  fc.constant(new Uint8Array(17 * 1024)),
);
const payload = (fill: (writer: WireWriter) => WireWriter): Uint8Array =>
  fill(new WireWriter(256)).finish().slice();
const request = fc
  .record({
    user: fc.constantFrom("alice", "alice", "alice", "bob", "", "x".repeat(1200)),
    method: fc.constantFrom("none", "password", "keyboard-interactive", "publickey"),
  })
  .map(({ user, method }) =>
    payload((w) => w.byte(50).string(user).string("ssh-connection").string(method)),
  );
const keyRequest = fc
  .record({
    blob: keyBlob,
    algorithm: fc.constantFrom("ssh-ed25519", "rsa-sha2-512", "ssh-rsa", "", "y".repeat(70)),
    isSigned: fc.boolean(),
    hostKey: fc.constantFrom(null, hostKey.blob, hostKey.blob, strangeKey.blob),
    signature: fc.uint8Array({ maxLength: 100 }),
  })
  .map(({ signature, isSigned, hostKey: bound, ...key }) => {
    const bytes = publicKeyRequest("alice", key, isSigned, bound);
    return payload((w) => (isSigned ? w.bytes(bytes).string(signature) : w.bytes(bytes)));
  });
const proofs = fc
  .array(fc.constantFrom(hostKey.blob, strangeKey.blob), { maxLength: 3 })
  .map((blobs) =>
    payload((w) => {
      w.byte(80).string("hostkeys-prove-00@openssh.com").bool(true);
      for (const one of blobs) w.string(one);
      return w;
    }),
  );
const other = fc
  .record({ type: fc.integer({ min: 2, max: 255 }), rest: fc.uint8Array({ maxLength: 40 }) })
  .map(({ type, rest }) => payload((w) => w.byte(type).bytes(rest)));
type Step = Uint8Array | "log in" | "rekey" | "wait";
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: request },
  { weight: 4, arbitrary: keyRequest },
  { weight: 2, arbitrary: proofs },
  { weight: 1, arbitrary: other },
  { weight: 3, arbitrary: fc.constantFrom("log in", "rekey", "wait") },
);

async function play(pair: Served, steps: readonly Step[]): Promise<void> {
  for (const next of steps) {
    if (next === "log in") pair.client.authenticate(userKey);
    else if (next === "rekey") pair.client.transport.rekey();
    else if (next === "wait") await settled();
    else pair.client.transport.send(next);
  }
  await settled(20);
}

t.test(
  "The session process never breaks the monitor's rules, whatever its client does",
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { connectMonitor, violations } = watchedMonitor(["MaxAuthTries 6"]);
        const pair = await established({ connectMonitor });
        await play(pair, steps);
        if (violations.length > 0) throw new Error(violations.join("; "));
      }),
      { numRuns: 300, seed: 4252 },
    );
    t.pass("no violation");
  },
);

t.test("The session process stops a client before the monitor's permits are spent", async (t) => {
  const { connectMonitor, violations } = watchedMonitor(["MaxAuthTries 1000"]);
  const pair = await established({ connectMonitor });
  for (let i = 0; i < 300 && pair.clientEnd === null; i += 1) {
    pair.client.queryKey(i % 2 === 0 ? userKey : strangeKey);
    await settled(8);
  }
  t.match(pair.clientEnd, { end: "peerDisconnect", reason: 2 });
  t.same(violations, []);
});
