// The connection layer: refusals (attacks.md G and D2, the faults of ssh2 in feasibility.md), then global requests and channel opens.
import t from "tap";
import { verifySignature } from "../../ipc/signature.ts";
import { parsePublicKey } from "../../ipc/public-key.ts";
import { WireReader, WireWriter } from "../../session/ssh/wire.ts";
import {
  askedFor,
  hostKey,
  loggedIn,
  openChannel,
  reportedEnd,
  running,
  send,
  settled,
  strangeKey,
} from "./served-pair.ts";

t.test("Connection disconnects for messages on channels that do not exist", async (t) => {
  for (const type of [93, 94, 95, 96, 97, 98, 99, 100]) {
    const pair = await loggedIn();
    send(pair, type, (writer) => writer.uint32(0).uint32(5).string("").bool(false));
    await settled();
    t.equal(reportedEnd(pair), "protocol-fault", `message ${type}`);
    t.match(pair.ending?.text, /no channel 0/);
  }
});

t.test("Connection disconnects for answers to channels that it never opened", async (t) => {
  for (const type of [91, 92]) {
    const pair = await loggedIn();
    await running(pair);
    send(pair, type, (writer) => writer.uint32(0).uint32(0).uint32(1).uint32(1));
    await settled();
    t.match(pair.ending?.text, /we open no channels/);
  }
});

t.test("Connection refuses every channel type but session, and keeps nothing of it", async (t) => {
  const pair = await loggedIn();
  const types = ["direct-tcpip", "x11", "forwarded-tcpip", "auth-agent@openssh.com", "nonsense"];
  const channels = types.map((type) => openChannel(pair, { type }));
  await settled();
  t.same(
    channels.flatMap(({ seen }) => seen),
    [
      "refused 1 open failed",
      "refused 1 open failed",
      "refused 1 open failed",
      "refused 1 open failed",
      "refused 3 unknown channel type",
    ],
  );
  t.same(pair.worker.seen, []);
});

t.test("Connection answers ten thousand opens of an unknown type", async (t) => {
  const pair = await loggedIn();
  let refused = 0;
  for (let i = 0; i < 10_000; i += 1) {
    pair.client.openChannel({ openFailed: () => (refused += 1) }, { type: "nonsense" });
    if (i % 500 === 0) await settled(1);
  }
  await settled(50);
  t.equal(refused, 10_000);
  t.equal(pair.ending, null);
});

t.test("Connection refuses a channel whose maximum packet size is 0", async (t) => {
  const pair = await loggedIn();
  const { seen } = openChannel(pair, { maxPacket: 0 });
  await settled();
  t.same(seen, ["refused 2 maximum packet size is 0"]);
});

t.test(
  "Connection grants no more sessions than the broker said, none when it said none",
  async (t) => {
    const pair = await loggedIn({ monitor: { granted: { maxSessions: 2 } } });
    const channels = [1, 2, 3].map(() => openChannel(pair));
    await settled();
    t.same(
      channels.flatMap(({ seen }) => seen),
      ["opened", "opened", "refused 2 open failed"],
    );
    channels[0]?.channel.close();
    await settled();
    const again = openChannel(pair);
    await settled();
    t.same(again.seen, ["opened"]);
    t.equal(again.channel.remote, 0, "the lowest number that is free");
    const none = await loggedIn({ monitor: { granted: { maxSessions: 0 } } });
    const refused = openChannel(none);
    await settled();
    t.same(refused.seen, ["refused 2 open failed"]);
  },
);

t.test("Connection disconnects who opens a session after no-more-sessions", async (t) => {
  const pair = await loggedIn();
  const first = openChannel(pair);
  const answers: unknown[] = [];
  pair.client.globalRequest("no-more-sessions@openssh.com", undefined, (content) => {
    answers.push(content?.length);
  });
  await settled();
  t.same(answers, [0]);
  t.same(first.seen, ["opened"]);
  openChannel(pair);
  await settled();
  t.match(pair.ending?.text, /^Possible attack/);
});

t.test("Connection bears answers to nothing", async (t) => {
  const pair = await loggedIn();
  const { seen } = await running(pair);
  send(pair, 81, (writer) => writer);
  send(pair, 82, (writer) => writer);
  send(pair, 99, (writer) => writer.uint32(0));
  send(pair, 100, (writer) => writer.uint32(0));
  await settled();
  t.equal(pair.ending, null);
  t.same(seen, ["opened"]);
});

t.test("Connection answers UNIMPLEMENTED to what no layer knows after success", async (t) => {
  const pair = await loggedIn();
  for (const type of [51, 60, 150]) send(pair, type, (writer) => writer.string("x"));
  await settled();
  t.equal(pair.ending, null);
});

t.test(
  "Connection refuses forwarding and unknown global requests, when a reply is wanted",
  async (t) => {
    const pair = await loggedIn();
    const answers: (number | null)[] = [];
    const address = new WireWriter().string("localhost").uint32(80).finish();
    for (const name of ["tcpip-forward", "cancel-tcpip-forward", "streamlocal-forward@openssh.com"])
      pair.client.globalRequest(name, address, (content) => answers.push(content?.length ?? null));
    pair.client.globalRequest("keepalive@openssh.com", undefined, (content) =>
      answers.push(content?.length ?? null),
    );
    pair.client.globalRequest("tcpip-forward", address);
    await settled();
    t.same(answers, [null, null, null, null]);
  },
);

t.test("Connection announces its host keys, and proves each once", async (t) => {
  const pair = await loggedIn();
  t.equal(pair.seen.at(-1), "global hostkeys-00@openssh.com");
  const replies: (Uint8Array | null)[] = [];
  const ask = async (...blobs: Uint8Array[]): Promise<void> => {
    const writer = new WireWriter(512);
    for (const blob of blobs) writer.string(blob);
    pair.client.globalRequest("hostkeys-prove-00@openssh.com", writer.finish(), (content) => {
      replies.push(content?.slice() ?? null);
    });
    await settled();
  };
  await ask();
  await ask(strangeKey.blob);
  await ask(hostKey.blob, hostKey.blob);
  t.same(replies, [null, null, null]);
  t.notOk(askedFor(pair).includes("proveHostKey"));
  await ask(hostKey.blob);
  await ask(hostKey.blob);
  t.equal(replies[4], null, "a second proof is never asked of the broker");
  t.equal(askedFor(pair).filter((name) => name === "proveHostKey").length, 1);
  const proof = new WireReader(replies[3] ?? new Uint8Array(0));
  const signature = proof.string();
  proof.end();
  const signed = new WireWriter(512)
    .string("hostkeys-prove-00@openssh.com")
    .string(pair.client.transport.sessionId)
    .string(hostKey.blob)
    .finish();
  t.ok(verifySignature(parsePublicKey(hostKey.blob), "ssh-ed25519", signature, signed));
});

t.test("Connection asks for no proof when nobody wants to know", async (t) => {
  const pair = await loggedIn();
  const blob = new WireWriter(128).string(hostKey.blob).finish();
  pair.client.globalRequest("hostkeys-prove-00@openssh.com", blob);
  await settled();
  t.notOk(askedFor(pair).includes("proveHostKey"));
});

t.test(
  "Connection keeps the order of replies behind a proof, and bounds how many wait",
  async (t) => {
    const pair = await loggedIn();
    pair.monitor.isHolding = true;
    const order: string[] = [];
    const blob = new WireWriter(128).string(hostKey.blob).finish();
    pair.client.globalRequest("hostkeys-prove-00@openssh.com", blob, () => order.push("proof"));
    pair.client.globalRequest("keepalive@openssh.com", undefined, () => order.push("keepalive"));
    await settled();
    t.same(order, []);
    pair.monitor.release();
    await settled();
    t.same(order, ["proof", "keepalive"]);

    const flood = await loggedIn();
    flood.monitor.isHolding = true;
    flood.client.globalRequest("hostkeys-prove-00@openssh.com", blob, () => undefined);
    for (let i = 0; i < 64; i += 1)
      flood.client.globalRequest("keepalive@openssh.com", undefined, () => undefined);
    await settled();
    t.equal(reportedEnd(flood), "protocol-fault");
  },
);

t.test("Connection refuses truncated and over-long messages (A6)", async (t) => {
  const open = new WireWriter().string("session").uint32(9).uint32(1).uint32(1).finish().slice();
  const global = new WireWriter()
    .string("no-more-sessions@openssh.com")
    .bool(true)
    .finish()
    .slice();
  const request = new WireWriter().uint32(0).string("pty-req").bool(true).string("xterm");
  const pty = request.uint32(1).uint32(1).uint32(1).uint32(1).string("\0").finish().slice();
  for (const [type, body] of [
    [90, open],
    [80, global],
    [98, pty],
  ] as const) {
    const lengths = [...Array(body.length).keys(), body.length + 1];
    for (const length of lengths) {
      const pair = await loggedIn();
      if (type === 98) openChannel(pair);
      await settled();
      const changed = new Uint8Array(length);
      changed.set(body.subarray(0, length));
      send(pair, type, (writer) => writer.bytes(changed));
      await settled();
      t.equal(reportedEnd(pair), "protocol-fault", `message ${type}, ${length} bytes`);
      t.equal(pair.worker.seen.length, 0);
    }
  }
});

t.test(
  "Connection bears a late adjustment or reply on a channel that is gone, as sshd does",
  async (t) => {
    const pair = await loggedIn();
    const { channel, seen } = openChannel(pair);
    await settled();
    channel.close();
    await settled();
    t.same(seen, ["opened", "closed"]);
    send(pair, 93, (writer) => writer.uint32(0).uint32(5));
    send(pair, 100, (writer) => writer.uint32(0));
    await settled();
    t.equal(pair.ending, null);
    send(pair, 93, (writer) => writer.uint32(1).uint32(5));
    await settled();
    t.match(pair.ending?.text, /no channel 1/);
  },
);

t.test("Connection ends with words when the worker dies", async (t) => {
  const pair = await loggedIn();
  const { program } = await running(pair);
  pair.worker.die();
  await settled();
  t.equal(reportedEnd(pair), "we-disconnected");
  t.match(pair.clientEnd, { end: "peerDisconnect", reason: 11 });
  t.throws(() => program.write("x"), { code: "EPIPE" });
});

t.test("Connection is ended by the broker, with words or without", async (t) => {
  const pair = await loggedIn();
  pair.served.stop({ reason: 11, text: "Going down" });
  await settled();
  t.match(pair.clientEnd, { end: "peerDisconnect", reason: 11 });
  t.equal(reportedEnd(pair), "stopped");
  const silent = await loggedIn();
  silent.served.stop({ reason: 0, text: "" });
  t.equal(reportedEnd(silent), "stopped");
});

t.test("Connection logs sessions in sshd's words, and shows terminals in its title", async (t) => {
  const pair = await loggedIn();
  const { channel } = openChannel(pair);
  await settled();
  channel.request("pty-req", (w) =>
    w.string("xterm").uint32(80).uint32(24).uint32(0).uint32(0).string("\0"),
  );
  channel.request("shell");
  await settled();
  channel.close();
  await settled();
  const lines = pair.monitor.seen.flatMap((request) =>
    request.name === "log" ? Buffer.from(request.body.text).toString() : [],
  );
  t.same(lines, [
    "Starting session: shell on pts/9 for rehearsal from 192.0.2.7 port 4711 id 0",
    "Close session: user rehearsal from 192.0.2.7 port 4711 id 0",
  ]);
  t.same(pair.titles, ["[preauth]", "rehearsal@notty", "rehearsal@pts/9", "rehearsal@notty"]);
});

t.test("Connection logs a subsystem that there is not, in sshd's words", async (t) => {
  const pair = await loggedIn();
  const { channel } = openChannel(pair);
  await settled();
  const granted: boolean[] = [];
  channel.request(
    "subsystem",
    (writer) => writer.string("refuse me"),
    (isGranted) => granted.push(isGranted),
  );
  await settled();
  t.same(granted, [false]);
  const line = pair.monitor.seen.findLast(({ name }) => name === "log");
  t.match(
    line?.name === "log" ? Buffer.from(line.body.text).toString() : "",
    /^subsystem request for refuse me by user rehearsal failed, subsystem not found$/,
  );
});
