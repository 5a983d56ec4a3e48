// Session channels: EOF and CLOSE of RFC 4254 section 5.3, apart and in both directions; how programs end.
import t from "tap";
import {
  loggedIn,
  openChannel,
  openTerminal,
  running,
  settled,
  shell,
  kilobytes,
} from "./served-pair.ts";

const openSsh = "SSH-2.0-OpenSSH_9.2p1";

t.test("SessionChannel keeps the client's EOF and the server's apart", async (t) => {
  const pair = await loggedIn();
  const { channel, program, seen } = await running(pair);
  channel.write(Buffer.from("question"));
  channel.eof();
  await settled();
  program.read();
  t.ok(program.inputEnded);
  program.write("answer");
  await settled();
  program.end(3);
  await settled();
  t.same(seen, ["opened", "data 6", "eof", "exit-status 3", "closed"]);
});

t.test("SessionChannel goes on taking input after the program has closed its output", async (t) => {
  const pair = await loggedIn();
  const { channel, program, seen } = await running(pair);
  program.closeOutput();
  await settled();
  t.same(seen, ["opened"], "errors may still come: EOF would end them too");
  program.write("last words", true);
  program.closeErrors();
  await settled();
  t.same(seen, ["opened", "errors 10", "eof"]);
  channel.write(Buffer.from("still read"));
  await settled();
  program.read();
  t.equal(program.received, "still read");
  program.closeInput();
  program.exit(0);
  await settled();
  t.same(seen.slice(3), ["exit-status 0", "closed"]);
});

t.test(
  "SessionChannel says how the program ended before CLOSE, and CLOSE after the last output",
  async (t) => {
    const pair = await loggedIn();
    const { channel, program, seen } = await running(pair, { windowBytes: 10, isReading: false });
    program.write("x".repeat(25));
    program.end(7);
    await settled();
    t.same(seen, ["opened", "data 10", "exit-status 7"]);
    channel.adjust(10);
    await settled();
    channel.adjust(10);
    await settled();
    t.same(seen.slice(2), ["exit-status 7", "data 15", "eof", "closed"]);
  },
);

t.test(
  "SessionChannel waits for the pipes' ends where others hold them, as sshd does",
  async (t) => {
    const pair = await loggedIn();
    const { program, seen } = await running(pair);
    program.exit(0);
    await settled();
    t.same(seen, ["opened", "exit-status 0"]);
    program.write("from the background");
    program.closeOutput();
    program.closeErrors();
    await settled();
    t.same(seen.slice(2), ["data 19", "eof", "closed"]);
  },
);

t.test("SessionChannel ends a terminal with its program, after what it wrote", async (t) => {
  const pair = await loggedIn();
  const { program, seen } = await shell(pair);
  program.write("x".repeat(50_000));
  program.exit(0);
  await settled();
  t.same(seen, ["opened", "data 50000", "exit-status 0", "eof", "closed"]);
});

t.test("SessionChannel does not follow a terminal that others fill for ever", async (t) => {
  const pair = await loggedIn();
  const { program, seen } = await shell(pair);
  program.exit(0);
  for (let i = 0; i < 500 && seen.at(-1) !== "closed"; i += 1) {
    try {
      program.write(kilobytes(32));
    } catch {
      break;
    }
    await settled(1);
  }
  await settled();
  t.equal(seen.at(-1), "closed");
});

t.test("SessionChannel tells a signal", async (t) => {
  const pair = await loggedIn();
  const { program, seen } = await running(pair);
  program.closeOutput();
  program.closeErrors();
  program.exit(0, "TERM");
  await settled();
  t.same(seen, ["opened", "eof", "exit-signal TERM", "closed"]);
});

t.test("SessionChannel drops what nobody reads any more, and tells OpenSSH so", async (t) => {
  for (const version of ["SSH-2.0-other", openSsh]) {
    const pair = await loggedIn({ version });
    const { channel, program, seen } = await running(pair);
    program.closeInput();
    const data = kilobytes(3000);
    let written = 0;
    for (let i = 0; i < 1000 && written < data.length; i += 1) {
      written += channel.write(data, written);
      await settled(1);
    }
    t.equal(written, data.length, "the window is given back");
    t.same(seen, version === openSsh ? ["opened", "eow@openssh.com"] : ["opened"]);
    program.closeOutput();
    program.closeErrors();
    program.exit(0);
    await settled();
    t.same(seen.slice(-3), ["eof", "exit-status 0", "closed"]);
  }
});

t.test(
  "SessionChannel closes a program's output when the client wants no more (yes | head)",
  async (t) => {
    const pair = await loggedIn({ version: openSsh });
    const { channel, program } = await running(pair);
    program.write("y\n");
    channel.request("eow@openssh.com");
    await settled();
    t.throws(() => program.write("y\n"), { code: "EPIPE" });
    program.write("still heard", true);
    await settled();
    t.equal(pair.ending, null);
  },
);

t.test("SessionChannel writes what came before CLOSE, and answers it then", async (t) => {
  const pair = await loggedIn();
  const { channel, program, seen } = await running(pair);
  const data = kilobytes(200);
  t.equal(channel.write(data), data.length);
  channel.close();
  await settled();
  t.same(seen, ["opened"]);
  t.throws(() => program.write("nobody"), { code: "EPIPE" }, "output is closed at once");
  for (let i = 0; i < 20; i += 1) {
    program.read();
    await settled(1);
  }
  t.equal(program.receivedBytes, data.length);
  t.ok(program.inputEnded);
  t.same(seen, ["opened"], "as sshd waits: how it ends is to be said yet");
  program.exit(4);
  await settled();
  t.same(seen, ["opened", "exit-status 4", "closed"]);
  t.equal(pair.worker.seen.at(-1)?.name, "closeChannel");
});

t.test(
  "SessionChannel says how a program ended that outlives both EOFs and the client's CLOSE",
  async (t) => {
    for (const start of [running, shell]) {
      const pair = await loggedIn({ version: openSsh });
      const { channel, program, seen } = await start(pair);
      channel.eof();
      program.closeOutput();
      if (start === running) program.closeErrors();
      await settled();
      t.same(seen, ["opened", "eof"]);
      channel.close();
      await settled();
      t.same(seen, ["opened", "eof"]);
      program.exit(7);
      await settled();
      t.same(seen, ["opened", "eof", "exit-status 7", "closed"]);
      t.equal(pair.worker.seen.at(-1)?.name, "closeChannel");
    }
  },
);

t.test("SessionChannel hangs a terminal up at once when the client closes", async (t) => {
  const pair = await loggedIn();
  const { channel, seen } = await shell(pair);
  channel.write(kilobytes(100));
  channel.close();
  await settled();
  t.same(seen, ["opened", "closed"]);
  t.equal(pair.worker.seen.at(-1)?.name, "closeChannel");
});

t.test(
  "SessionChannel frees its number when the worker has answered, and not before",
  async (t) => {
    const pair = await loggedIn({ monitor: { granted: { maxSessions: 1 } } });
    const first = openChannel(pair);
    await settled();
    pair.worker.isHolding = true;
    openTerminal(first.channel);
    first.channel.exec("command");
    first.channel.close();
    await settled();
    const second = openChannel(pair);
    await settled();
    t.same(second.seen, ["refused 2 open failed"]);
    pair.worker.release();
    await settled();
    t.same(first.seen, ["opened", "closed"]);
    t.same(
      pair.worker.seen.map(({ name }) => name),
      ["openPty", "start", "closeChannel"],
    );
    const third = openChannel(pair);
    await settled();
    t.same(third.seen, ["opened"]);
  },
);

t.test("SessionChannel closes what a late answer brings to a channel that is closed", async (t) => {
  const pair = await loggedIn();
  const { channel, seen } = openChannel(pair);
  await settled();
  pair.worker.isHolding = true;
  channel.write(Buffer.from("input"));
  channel.exec("command");
  channel.close();
  await settled();
  pair.worker.release();
  await settled();
  const [program] = pair.programs;
  program?.read();
  t.equal(program?.received, "input", "what came before CLOSE is not lost");
  t.ok(program?.inputEnded);
  t.throws(() => program?.write("x"), { code: "EPIPE" });
  program?.exit(0);
  await settled();
  t.same(seen, ["opened", "exit-status 0", "closed"]);
});

t.test("SessionChannel lets a client try again after a refusal", async (t) => {
  const pair = await loggedIn();
  const { channel } = openChannel(pair);
  await settled();
  const granted: boolean[] = [];
  const add = (isGranted: boolean): void => void granted.push(isGranted);
  channel.request("subsystem", (writer) => writer.string("refuse me"), add);
  await settled();
  channel.exec("command", add);
  await settled();
  t.same(granted, [false, true]);
});

t.test("SessionChannel carries data through key re-exchanges of either side", async (t) => {
  const pair = await loggedIn({ monitor: { granted: { rekeyBytes: 300_000 } } });
  const { channel, program, outputBytes } = await running(pair);
  const data = kilobytes(2000);
  let written = 0;
  let echoed = 0;
  for (let i = 0; i < 4000 && outputBytes() < data.length; i += 1) {
    written += channel.write(data, written);
    if (i === 20) pair.client.transport.rekey();
    await settled(1);
    program.read();
    echoed += program.write(kilobytes(2000).subarray(0, program.receivedBytes - echoed));
  }
  t.equal(outputBytes(), data.length);
  t.ok(pair.monitor.seen.filter(({ name }) => name === "sign").length > 5);
});
