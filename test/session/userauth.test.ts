// Userauth: refusals (attacks.md C2, C3, C7, D1-D3, D10-D12, E1), then RFC 4252 and host-bound authentication.
import t from "tap";
import { maxAuthRequests } from "../../ipc/limits.ts";
import { publicKeyRequest } from "../../session/client-userauth.ts";
import { Userauth } from "../../session/ssh/userauth.ts";
import { WireWriter } from "../../session/ssh/wire.ts";
import {
  askedFor,
  established,
  hostKey,
  loggedIn,
  reportedEnd,
  send,
  settled,
  strangeKey,
  userKey,
  type Served,
} from "./served-pair.ts";

const none = (user: string | Uint8Array, service = "ssh-connection"): Uint8Array =>
  new WireWriter().byte(50).string(user).string(service).string("none").finish();
/** The reason and text of the disconnect that the client saw. */
function toldClient(pair: Served): string {
  const end = pair.clientEnd;
  if (end === null) return "still connected";
  return end.end === "peerDisconnect"
    ? `${end.reason} ${Buffer.from(end.text).toString("latin1")}`
    : end.end;
}
async function sendAll(pair: Served, ...payloads: Uint8Array[]): Promise<void> {
  for (const payload of payloads) pair.client.transport.send(payload);
  await settled();
}

t.test("Userauth disconnects for every message from 80 on before success (D2)", async (t) => {
  for (const state of ["established", "failed"]) {
    for (let type = 80; type <= 255; type += 1) {
      if (type === 192 || type === 193) continue; // PING is the transport's, and silent here
      const pair = await established();
      if (state === "failed") {
        pair.client.authenticateNone();
        await settled();
      }
      send(pair, type, (writer) => writer.string("session").uint32(0).uint32(1).uint32(1));
      await settled();
      t.match(toldClient(pair), /^2 /, `message ${type} when ${state}`);
      t.notOk(askedFor(pair).some((name) => name.startsWith("publickey")));
      t.same(pair.worker.seen, []);
      if (state === "failed" && type > 100) break;
    }
  }
});

t.test("Userauth disconnects for messages that only a server sends (D1, D3)", async (t) => {
  for (const type of [6, 51, 52, 53, 60, 61]) {
    const pair = await established();
    send(pair, type, (writer) => writer.string("publickey").bool(false));
    await settled();
    t.match(toldClient(pair), /^2 /, `message ${type}`);
    t.equal(reportedEnd(pair), "protocol-fault");
  }
});

t.test("Userauth refuses a request before the service was asked for", (t) => {
  const never = (): never => {
    throw new Error("Nobody is to be asked or answered");
  };
  const userauth = new Userauth({
    sender: { send: never, hasRoom: true, sessionId: new Uint8Array(32), disconnect: never },
    authenticator: { lookupUser: never, attempt: never },
    hostKeyBlob: hostKey.blob,
    fail: never,
  });
  t.throws(() => userauth.receive(none("alice")), { code: "OUT_OF_PHASE" });
  t.end();
});

t.test("Userauth refuses every service but its own (D12)", async (t) => {
  const pair = await established();
  send(pair, 5, (writer) => writer.string("ssh-connection"));
  await settled();
  t.equal(toldClient(pair), "2 bad service request ssh-connection");
});

t.test("Userauth refuses a change of user or service in sshd's words (D10)", async (t) => {
  const user = await established();
  await sendAll(user, none("a"), none("b"));
  t.equal(
    toldClient(user),
    "2 Change of username or service not allowed: (a,ssh-connection) -> (b,ssh-connection)",
  );
  t.equal(askedFor(user).filter((name) => name === "lookupUser").length, 1);
  const service = await established();
  await sendAll(service, none("a"), none("a", "other"));
  t.match(toldClient(service), /\(a,ssh-connection\) -> \(a,other\)$/);
});

t.test(
  "Userauth refuses a service that it does not know before anybody is looked up",
  async (t) => {
    const pair = await established();
    await sendAll(pair, none("a", "ssh-agent"));
    t.match(toldClient(pair), /^7 /);
    t.notOk(askedFor(pair).includes("lookupUser"));
  },
);

t.test("Userauth ends a flood of requests ahead of the answers", async (t) => {
  const pair = await established();
  pair.monitor.isHolding = true;
  for (let i = 0; i < 9; i += 1) pair.client.transport.send(none("a"));
  await settled();
  t.equal(toldClient(pair), "still connected");
  await sendAll(pair, none("a"));
  t.match(pair.ending?.text, /too many wait/);
  t.equal(askedFor(pair).filter((name) => name === "lookupUser").length, 1);
});

t.test("Userauth bounds what it keeps of requests ahead of the answers", async (t) => {
  const pair = await established();
  pair.monitor.isHolding = true;
  const large = new WireWriter().byte(50).string("a").string("ssh-connection").string("password");
  large.bool(false).string(new Uint8Array(100 * 1024));
  await sendAll(pair, none("a"), large.finish(), large.finish());
  t.match(pair.ending?.text, /too many wait/);
});

t.test("Userauth ends the connection before the broker's permits do (C7, C8)", async (t) => {
  const pair = await established();
  // Its client has asked for the service already.
  for (let i = 1; i < maxAuthRequests; i += 1) {
    pair.client.queryKey(userKey);
    await settled(2);
  }
  t.equal(toldClient(pair), "still connected");
  pair.client.queryKey(userKey);
  await settled();
  t.equal(toldClient(pair), "2 Too many authentication failures");
});

t.test("Userauth disconnects when the broker says that it was too often", async (t) => {
  const pair = await established({ monitor: { failure: "tooMany" } });
  pair.client.authenticateNone();
  await settled();
  t.equal(toldClient(pair), "2 Too many authentication failures");
  t.equal(reportedEnd(pair), "we-disconnected");
});

t.test(
  "Userauth refuses truncated and over-long fields, whoever the user is (A6, E1)",
  async (t) => {
    const whole = publicKeyRequest("alice", userKey, true, hostKey.blob);
    const request = new WireWriter(1024).bytes(whole).string(userKey.sign(whole)).finish().slice();
    for (let length = 1; length < request.length; length += 7) {
      const pair = await established();
      await sendAll(pair, request.slice(0, length));
      t.match(toldClient(pair), /^2 Protocol error/, `${length} bytes`);
      t.notOk(askedFor(pair).includes("lookupUser"));
    }
    const trailing = await established();
    await sendAll(trailing, Buffer.concat([request, Buffer.of(0)]));
    t.match(toldClient(trailing), /^2 Protocol error/);
    for (const length of [0x8000_0000, 0xffff_ffff, request.length]) {
      const pair = await established();
      const changed = Buffer.from(request);
      changed.writeUInt32BE(length, 1);
      await sendAll(pair, changed);
      t.match(toldClient(pair), /^2 Protocol error/, `user of ${length} bytes`);
    }
  },
);

t.test("Userauth refuses a user name beyond the broker's bound", async (t) => {
  const pair = await established();
  await sendAll(pair, none("x".repeat(1025)));
  t.match(toldClient(pair), /^2 /);
  t.notOk(askedFor(pair).includes("lookupUser"));
});

t.test("Userauth lets a key beyond the bounds fail like any other (C3)", async (t) => {
  const pair = await established();
  const key = { algorithm: "ssh-rsa", blob: new Uint8Array(17 * 1024) };
  await sendAll(pair, publicKeyRequest("alice", key, false, null));
  const named = { algorithm: "x".repeat(65), blob: userKey.blob };
  await sendAll(pair, publicKeyRequest("alice", named, false, null));
  t.same(pair.seen.slice(1), ["failure publickey", "failure publickey"]);
  t.same(askedFor(pair).slice(-2), ["authUnsupported", "authUnsupported"]);
});

t.test(
  "Userauth refuses authentication bound to another host key, query and signature",
  async (t) => {
    for (const isSigned of [false, true]) {
      const pair = await established();
      const request = publicKeyRequest("alice", userKey, isSigned, strangeKey.blob);
      const writer = new WireWriter(512).bytes(request);
      await sendAll(pair, isSigned ? writer.string(new Uint8Array(64)).finish() : request);
      t.match(toldClient(pair), /^2 Protocol error/);
      t.notOk(askedFor(pair).some((name) => name.startsWith("publickey")));
    }
  },
);

t.test("Userauth passes on methods that it does not know without reading them (C2)", async (t) => {
  const pair = await established();
  const writer = new WireWriter().byte(50).string("alice").string("ssh-connection");
  await sendAll(pair, writer.string("gssapi-with-mic").uint32(0xffff_ffff).finish());
  t.same(pair.seen.slice(1), ["failure publickey"]);
  t.equal(pair.monitor.seen.at(-1)?.name, "authUnsupported");
});

t.test("Userauth is silent about requests after success (D12)", async (t) => {
  const pair = await loggedIn();
  const before = pair.seen.length;
  await sendAll(pair, none("alice"), none("bob"));
  t.equal(pair.seen.length, before);
  t.equal(toldClient(pair), "still connected");
  t.equal(pair.monitor.seen.at(-1)?.name, "publickeySign");
});

t.test("Userauth drops requests that were sent ahead of the one that succeeds", async (t) => {
  const pair = await established();
  pair.client.authenticate(userKey);
  await sendAll(pair, none("alice"), none("mallory"));
  t.ok(pair.seen.includes("authenticated"));
  t.notOk(pair.seen.some((line) => line.startsWith("failure")));
  t.equal(toldClient(pair), "still connected");
});

t.test("Userauth serves requests sent ahead one after the other", async (t) => {
  const pair = await established();
  await sendAll(pair, none("alice"), none("alice"), none("alice"));
  t.same(pair.seen.slice(1), ["failure publickey", "failure publickey", "failure publickey"]);
});

t.test("Userauth accepts the service as often as a client asks", async (t) => {
  const pair = await established();
  send(pair, 5, (writer) => writer.string("ssh-userauth"));
  await settled();
  t.equal(pair.seen.filter((line) => line === "ready").length, 2);
});

t.test("Userauth sends the banner before the first answer, once", async (t) => {
  const pair = await established({ monitor: { banner: Buffer.from("no trespassing\n") } });
  pair.client.authenticateNone();
  pair.client.authenticateNone();
  await settled();
  t.same(pair.seen.slice(1), ["banner no trespassing", "failure publickey", "failure publickey"]);
});

t.test("Userauth tells partial success", async (t) => {
  const pair = await established({ monitor: { failure: "partial" } });
  pair.client.authenticateNone();
  await settled();
  t.same(pair.seen.slice(1), ["partial publickey"]);
});

t.test("Userauth answers a query, and logs in with and without a bound host key", async (t) => {
  for (const isHostBound of [true, false]) {
    const pair = await established();
    pair.client.queryKey(strangeKey);
    pair.client.queryKey(userKey);
    pair.client.authenticate(userKey, isHostBound);
    await settled();
    t.same(pair.seen.slice(1, 4), ["failure publickey", "key acceptable", "authenticated"]);
    const sign = pair.monitor.seen.at(-1);
    t.match(sign, { name: "publickeySign", body: { hostBound: isHostBound } });
  }
});
