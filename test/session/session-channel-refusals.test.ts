// Session channels: what is refused (attacks.md G, the faults of ssh2 in feasibility.md).
import t from "tap";
import { maxDataBytes, sessionWindowBytes } from "../../session/ssh/channel-window.ts";
import {
  loggedIn,
  openChannel,
  openTerminal,
  reportedEnd,
  running,
  send,
  settled,
  kilobytes,
} from "./served-pair.ts";

t.test(
  "SessionChannel disconnects for one byte beyond the window, also when little of it is left",
  async (t) => {
    const pair = await loggedIn();
    await running(pair);
    const chunk = kilobytes(32);
    for (let sent = 0; sent < sessionWindowBytes; sent += chunk.length) {
      send(pair, 94, (writer) => writer.uint32(0).string(chunk));
      await settled(1);
    }
    await settled();
    t.equal(pair.ending, null, "the whole window, of which the pipe took 64 KiB");
    // What the pipe took has not been given back: it is not worth an adjustment.
    send(pair, 94, (writer) => writer.uint32(0).string("x"));
    await settled();
    t.match(pair.ending?.text, /1 bytes, the window is 0/);
  },
);

t.test("SessionChannel disconnects for data of more than its maximum packet size", async (t) => {
  const pair = await loggedIn();
  await running(pair);
  send(pair, 94, (writer) => writer.uint32(0).string(new Uint8Array(maxDataBytes + 1)));
  await settled();
  t.match(pair.ending?.text, /maximum packet size/);
});

t.test("SessionChannel counts extended data, and drops it", async (t) => {
  const pair = await loggedIn();
  const { program } = await running(pair);
  for (let i = 0; i < 65; i += 1) {
    send(pair, 95, (writer) => writer.uint32(0).uint32(1).string(kilobytes(32)));
    await settled(1);
  }
  await settled();
  t.equal(pair.ending, null, "dropped bytes are given back");
  program.read();
  t.equal(program.receivedBytes, 0);
  send(pair, 95, (writer) =>
    writer
      .uint32(0)
      .uint32(1)
      .string(new Uint8Array(maxDataBytes + 1)),
  );
  await settled();
  t.equal(reportedEnd(pair), "protocol-fault");
});

t.test("SessionChannel disconnects for a window above 2^32 - 1", async (t) => {
  const pair = await loggedIn();
  await running(pair, { windowBytes: 1000 });
  send(pair, 93, (writer) => writer.uint32(0).uint32(0xffff_ffff - 1000));
  await settled();
  t.equal(pair.ending, null);
  send(pair, 93, (writer) => writer.uint32(0).uint32(1));
  await settled();
  t.match(pair.ending?.text, /above 2\^32 - 1/);
});

t.test("SessionChannel disconnects for data after EOF, and for anything after CLOSE", async (t) => {
  const eof = await loggedIn();
  const first = await running(eof);
  first.channel.eof();
  send(eof, 94, (writer) => writer.uint32(0).string("x"));
  await settled();
  t.match(eof.ending?.text, /its EOF has come/);
  for (const type of [94, 95, 96, 97, 98]) {
    const pair = await loggedIn();
    const { channel } = await running(pair);
    // The program has not read all yet: the channel is still there on our side.
    channel.write(kilobytes(100));
    channel.close();
    send(pair, type, (writer) => writer.uint32(0).string("").bool(false));
    await settled();
    t.match(pair.ending?.text, /its CLOSE has come/, `message ${type}`);
  }
});

t.test("SessionChannel refuses a second program, and requests that come too late", async (t) => {
  const pair = await loggedIn();
  const { channel } = await running(pair);
  const granted: boolean[] = [];
  const add = (isGranted: boolean): void => void granted.push(isGranted);
  channel.exec("another", add);
  channel.request("shell", undefined, add);
  channel.request("env", (writer) => writer.string("A").string("b"), add);
  openTerminal(channel, add);
  await settled();
  t.same(granted, [false, false, false, false]);
  t.equal(pair.programs.length, 1);
});

t.test("SessionChannel refuses two programs that are asked for at once", async (t) => {
  const pair = await loggedIn();
  const { channel } = openChannel(pair);
  await settled();
  const granted: boolean[] = [];
  channel.exec("one", (isGranted) => granted.push(isGranted));
  channel.exec("two", (isGranted) => granted.push(isGranted));
  await settled();
  t.same(granted, [true, false]);
  t.same(
    pair.programs.map(({ command }) => command),
    ["one"],
  );
});

t.test(
  "SessionChannel refuses what it does not offer, and what is beyond the worker's bounds",
  async (t) => {
    const pair = await loggedIn();
    const { channel } = openChannel(pair);
    await settled();
    const granted: boolean[] = [];
    const add = (isGranted: boolean): void => void granted.push(isGranted);
    channel.request("x11-req", (w) => w.bool(false).string("").string("").uint32(0), add);
    channel.request("auth-agent-req@openssh.com", undefined, add);
    channel.request("nonsense", (writer) => writer.string("x"), add);
    channel.exec(kilobytes(128), add);
    channel.request("env", (writer) => writer.string("A").string(kilobytes(33)), add);
    channel.request("env", (writer) => writer.string(kilobytes(2)).string(""), add);
    channel.request("signal", (writer) => writer.string("TERM"), add);
    channel.request("break", (writer) => writer.uint32(5), add);
    await settled();
    t.same(granted, Array(8).fill(false));
    t.same(pair.worker.seen, []);
  },
);

t.test("SessionChannel ends a flood of requests that wait for the worker", async (t) => {
  const pair = await loggedIn();
  const { channel } = openChannel(pair);
  await settled();
  pair.worker.isHolding = true;
  for (let i = 0; i < 160; i += 1) channel.request("env", (w) => w.string(`A${i}`).string("b"));
  await settled();
  t.equal(pair.ending, null);
  t.equal(pair.worker.seen.length, 64, "no more are on their way to the worker at once");
  channel.request("env", (writer) => writer.string("one").string("more"));
  await settled();
  t.match(pair.ending?.text, /160 wait/);
});
