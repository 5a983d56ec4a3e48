// Session channels: requests and data, windows both ways, a slow client and a slow program.
import t from "tap";
import { sessionWindowBytes } from "../../session/ssh/channel-window.ts";
import { loggedIn, openChannel, running, settled, kilobytes } from "./served-pair.ts";

t.test(
  "SessionChannel answers every request that wants it, in order, also after EOF",
  async (t) => {
    const pair = await loggedIn();
    const { channel } = openChannel(pair);
    await settled();
    const order: string[] = [];
    const add =
      (name: string) =>
      (isGranted: boolean): void =>
        void order.push(`${name} ${isGranted}`);
    pair.worker.isHolding = true;
    channel.request("env", (writer) => writer.string("A").string("b"), add("env"));
    channel.request("nonsense", undefined, add("nonsense"));
    channel.exec("command", add("exec"));
    channel.eof();
    channel.request("window-change", (w) => w.uint32(1).uint32(1).uint32(1).uint32(1), add("size"));
    await settled();
    t.same(order, []);
    pair.worker.release();
    await settled();
    t.same(order, ["env true", "nonsense false", "exec true", "size true"]);
    channel.request("signal", (writer) => writer.string("TERM"), add("signal"));
    channel.request("break", (writer) => writer.uint32(5), add("break"));
    await settled();
    t.same(order.slice(4), ["signal true", "break true"]);
  },
);

t.test("SessionChannel keeps what came before the program was started", async (t) => {
  const pair = await loggedIn();
  const { channel } = openChannel(pair);
  await settled();
  pair.worker.isHolding = true;
  channel.write(Buffer.from("early "));
  channel.exec("command");
  channel.write(Buffer.from("data"));
  channel.eof();
  await settled();
  pair.worker.release();
  await settled();
  const [program] = pair.programs;
  program?.read();
  t.equal(program?.received, "early data");
  t.equal(program?.inputEnded, true);
});

t.test("SessionChannel gives the window back only for what the program has taken", async (t) => {
  const pair = await loggedIn();
  const { channel, program } = await running(pair);
  const data = kilobytes(2048);
  let written = 0;
  for (let i = 0; i < 50; i += 1) {
    written += channel.write(data, written);
    await settled(1);
  }
  t.equal(written, sessionWindowBytes, "no more than the window");
  t.equal(channel.sendWindowBytes, 0);
  program.read();
  await settled();
  t.equal(channel.sendWindowBytes, 0, "64 KiB and a pipe are not worth a message yet");
  for (let i = 0; i < 5; i += 1) {
    program.read();
    await settled();
  }
  const given = channel.sendWindowBytes;
  t.ok(given >= 256 * 1024 && given <= 7 * 64 * 1024, `the window is ${given}`);
  for (let i = 0; i < 200; i += 1) {
    program.read();
    await settled(1);
  }
  t.equal(program.receivedBytes, written);
});

t.test(
  "SessionChannel takes data while the program reads it, beyond the first window",
  async (t) => {
    const pair = await loggedIn();
    const { channel, program } = await running(pair);
    const data = kilobytes(5000);
    let written = 0;
    for (let i = 0; i < 2000 && program.receivedBytes < data.length; i += 1) {
      written += channel.write(data, written);
      if (written === data.length) channel.eof();
      await settled(1);
      program.read();
    }
    t.equal(program.receivedBytes, data.length);
    await settled();
    program.read();
    t.ok(program.inputEnded);
  },
);

t.test("SessionChannel stops reading from a program whose client has stopped", async (t) => {
  const pair = await loggedIn();
  const { program, outputBytes, channel } = await running(pair, {
    windowBytes: 100_000,
    isReading: false,
  });
  let taken = 0;
  for (let i = 0; i < 100; i += 1) {
    taken += program.write(kilobytes(16));
    await settled(1);
  }
  t.equal(outputBytes(), 100_000);
  t.ok(taken <= 100_000 + 64 * 1024, `the program could write ${taken}: the window and a pipe`);
  channel.adjust(50_000);
  await settled();
  t.equal(outputBytes(), 150_000);
});

t.test("SessionChannel cuts data into what the client takes", async (t) => {
  for (const maxPacket of [1, 1000, 40_000]) {
    const pair = await loggedIn();
    const { program, outputBytes } = await running(pair, { maxPacket });
    program.write(Buffer.from("x".repeat(5000)));
    // The client throws when one is larger.
    await settled(1000);
    t.equal(outputBytes(), 5000);
  }
});

t.test("SessionChannel gives neither output nor errors the whole of a narrow window", async (t) => {
  const pair = await loggedIn();
  const { channel, program, seen } = await running(pair, { windowBytes: 1000, isReading: false });
  program.write(kilobytes(60));
  program.write(kilobytes(60), true);
  for (let i = 0; i < 20; i += 1) {
    channel.adjust(1000);
    await settled();
  }
  const sum = (kind: string): number =>
    seen
      .filter((line) => line.startsWith(kind))
      .reduce((total, line) => total + Number(line.split(" ")[1]), 0);
  t.equal(sum("data") + sum("errors"), 21_000);
  t.ok(sum("data") >= 9000 && sum("errors") >= 9000, seen.join());
});

t.test("SessionChannel loses and doubles nothing of output and errors together", async (t) => {
  const pair = await loggedIn();
  const { program, outputBytes, seen } = await running(pair, { windowBytes: 70_000 });
  let out = 0;
  let errors = 0;
  while (out < 1_000_000 || errors < 300_000) {
    if (out < 1_000_000) out += program.write(kilobytes(10));
    if (errors < 300_000) errors += program.write(kilobytes(3), true);
    await settled(1);
  }
  program.end(0);
  await settled(50);
  const sum = seen
    .filter((line) => line.startsWith("errors"))
    .reduce((total, line) => total + Number(line.split(" ")[1]), 0);
  t.equal(outputBytes(), out);
  t.equal(sum, errors);
  t.equal(seen.at(-1), "closed");
});
