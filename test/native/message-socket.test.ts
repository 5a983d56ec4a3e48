import t, { type Test } from "tap";
import { bytes, u32 } from "../../ipc/fields.ts";
import { encode, protocol, type Message } from "../../ipc/protocol.ts";
import { maxMessageBytes } from "../../ipc/limits.ts";
import type { PeerFault } from "../../ipc/peer-fault.ts";
import { closeFd, openFds, pipeFds, readFd, writeFd } from "../../native/descriptors.ts";
import { MessageSocket } from "../../native/message-socket.ts";
import { Poller } from "../../native/poller.ts";
import { receiveMessage, sendMessage, seqpacketPair } from "../../native/sockets.ts";

const words = protocol({
  say: { type: 1, descriptors: 0, meaning: "", fields: { number: u32() } },
  fill: { type: 2, descriptors: 0, meaning: "", fields: { content: bytes(64 * 1024) } },
  give: { type: 3, descriptors: 1, meaning: "", fields: {} },
});
type Words = Message<typeof words>;

function setUp(t: Test, takes?: (message: Words, fds: readonly number[]) => void) {
  const poller = new Poller();
  const [fd, theirFd] = seqpacketPair();
  const made = [theirFd];
  const seen: Words[] = [];
  const faults: PeerFault[] = [];
  const counts = { closed: 0, drained: 0 };
  const socket = new MessageSocket(poller, fd, words, words, {
    message: (message, fds) => {
      seen.push(message);
      takes?.(message, fds);
    },
    closed: () => {
      counts.closed += 1;
    },
    fault: (fault) => {
      faults.push(fault);
    },
    drained: () => {
      counts.drained += 1;
    },
  });
  t.teardown(() => {
    socket.close();
    poller.close();
    const open = new Set(openFds());
    for (const own of new Set(made)) if (open.has(own)) closeFd(own);
  });
  const put = (raw: Uint8Array, fds: number[] = []): boolean =>
    sendMessage(theirFd, raw, 0, raw.length, fds);
  const pipe = (): [number, number] => {
    const ends = pipeFds();
    made.push(ends[0]);
    return ends;
  };
  return { socket, theirFd, seen, faults, counts, put, poller, pipe };
}
const say = (number: number): Uint8Array => encode(words, "say", 1, { number });
/** Lets the event loop turn until `done`, or for long enough that it should have been. */
async function until(done: () => boolean): Promise<void> {
  for (let turns = 0; turns < 2000 && !done(); turns += 1)
    await new Promise((resolve) => setTimeout(resolve, 1));
}
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const buffer = new Uint8Array(maxMessageBytes + 1);

t.test(
  "MessageSocket hands over a fault for what its table does not have, and goes on",
  async (t) => {
    const { seen, faults, put } = setUp(t);
    put(Uint8Array.of(9, 0, 0, 0, 1)); // no such type
    put(Uint8Array.of(1)); // cut
    put(Buffer.concat([say(1), Uint8Array.of(0)]));
    put(say(7));
    await until(() => seen.length === 1);
    t.same(
      faults.map(({ code }) => code),
      ["UNKNOWN_TYPE", "TRUNCATED", "TRAILING_BYTES"],
    );
    t.match(seen, [{ name: "say", id: 1, body: { number: 7 } }]);
  },
);

t.test("MessageSocket refuses a message that is longer than the limit", async (t) => {
  const { faults, put } = setUp(t);
  put(new Uint8Array(maxMessageBytes + 2));
  await until(() => faults.length > 0);
  t.equal(faults[0]?.code, "OUT_OF_BOUNDS");
});

t.test("MessageSocket closes descriptors that do not belong to the message", async (t) => {
  const { faults, put, pipe } = setUp(t);
  const [reader, writer] = pipe();
  put(say(1), [writer]);
  put(encode(words, "give", 1, {}), [writer, writer]);
  put(encode(words, "give", 1, {}));
  closeFd(writer);
  await until(() => faults.length === 3);
  t.same(
    faults.map(({ code }) => code),
    ["DESCRIPTORS", "DESCRIPTORS", "DESCRIPTORS"],
  );
  t.equal(readFd(reader, buffer, 0, 1), 0, "nobody has the write end any more");
});

t.test("MessageSocket hands descriptors over, and they are the handler's", async (t) => {
  const given: number[] = [];
  const { put, pipe } = setUp(t, (_, fds) => given.push(...fds));
  const [reader, writer] = pipe();
  put(encode(words, "give", 1, {}), [writer]);
  closeFd(writer);
  await until(() => given.length > 0);
  writeFd(given[0] ?? -1, Uint8Array.of(5), 0, 1);
  t.equal(readFd(reader, buffer, 0, 1), 1);
});

t.test("MessageSocket takes an empty packet for the end, and calls nobody after it", async (t) => {
  const { counts, seen, put, socket, theirFd } = setUp(t);
  writeFd(theirFd, new Uint8Array(1), 0, 0);
  put(say(1));
  await until(() => counts.closed > 0);
  await turn();
  t.same(counts, { closed: 1, drained: 0 });
  t.equal(seen.length, 0);
  t.notOk(socket.isOpen);
});

t.test("MessageSocket lets timers have their turn while a peer floods it", async (t) => {
  let taken = 0;
  let timerAfter = -1;
  const { put } = setUp(t, () => {
    taken += 1;
    put(say(taken)); // there is always one more
  });
  put(say(0));
  setTimeout(() => {
    timerAfter = taken;
  }, 1);
  await until(() => timerAfter >= 0);
  t.ok(timerAfter > 0, `the timer fired after ${timerAfter} messages`);
});

t.test(
  "MessageSocket.pause() leaves messages where they are, also those that came with the last one",
  async (t) => {
    const { socket, seen, put } = setUp(t, () => {
      socket.pause();
    });
    put(say(1));
    put(say(2));
    await until(() => seen.length > 0);
    await turn();
    t.equal(seen.length, 1);
    socket.resume();
    await until(() => seen.length === 2);
    t.equal(seen.length, 2);
  },
);

t.test(
  "MessageSocket does not spin while paused and hung up, and tells the end when resumed",
  async (t) => {
    const { socket, seen, counts, put, theirFd, poller } = setUp(t);
    put(say(1));
    socket.pause();
    closeFd(theirFd);
    let calls = 0;
    const set = poller.set.bind(poller);
    poller.set = (...given) => {
      calls += 1;
      set(...given);
    };
    await turn();
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { user, system } = process.cpuUsage(before);
    t.ok(user + system < 80_000, "the loop sleeps");
    t.equal(calls, 0);
    socket.resume();
    await until(() => counts.closed > 0);
    t.equal(seen.length, 1, "what was sent before the end is not lost");
    t.equal(counts.closed, 1);
  },
);

t.test(
  "MessageSocket keeps the order for a peer that does not read, and tells when all is sent",
  async (t) => {
    const { socket, theirFd, counts } = setUp(t);
    const content = new Uint8Array(32 * 1024);
    while (socket.isDrained) socket.send("fill", 0, { content });
    socket.send("say", 1, { number: 1 });
    socket.send("say", 2, { number: 2 });
    t.equal(counts.drained, 0);
    const numbers: number[] = [];
    const read = (): void => {
      for (
        let got = receiveMessage(theirFd, buffer);
        got !== null;
        got = receiveMessage(theirFd, buffer)
      )
        if (buffer[0] === 1) numbers.push(buffer[got.length - 1] ?? -1);
    };
    await until(() => {
      read();
      return numbers.length === 2;
    });
    t.same(numbers, [1, 2]);
    t.equal(counts.drained, 1);
    t.ok(socket.isDrained);
  },
);

t.test("MessageSocket.send() refuses when a peer has not read for too long", (t) => {
  const { socket, pipe } = setUp(t);
  const content = new Uint8Array(32 * 1024);
  const fill = (): void => {
    for (let i = 0; i < 1000; i += 1) socket.send("fill", 0, { content });
  };
  t.notOk(socket.isCrowded);
  t.throws(fill, RangeError);
  t.ok(socket.isCrowded);
  const [reader, writer] = pipe();
  t.throws(() => {
    socket.send("give", 0, {}, [writer]);
  }, RangeError);
  t.equal(readFd(reader, buffer, 0, 1), 0, "the descriptor is closed all the same");
  t.end();
});

t.test(
  "MessageSocket.send() closes the descriptors of a message that nobody will get",
  async (t) => {
    const { socket, theirFd, counts, pipe } = setUp(t);
    closeFd(theirFd);
    const [reader, writer] = pipe();
    socket.send("give", 0, {}, [writer]);
    t.equal(readFd(reader, buffer, 0, 1), 0);
    await until(() => counts.closed > 0);
    const [again, end] = pipe();
    socket.send("give", 0, {}, [end]);
    t.equal(readFd(again, buffer, 0, 1), 0);
  },
);

t.test("MessageSocket.close() closes what still waited to be sent", (t) => {
  const { socket, theirFd, pipe } = setUp(t);
  const content = new Uint8Array(32 * 1024);
  while (socket.isDrained) socket.send("fill", 0, { content });
  const [reader, writer] = pipe();
  socket.send("give", 0, {}, [writer]);
  socket.close();
  t.equal(readFd(reader, buffer, 0, 1), 0);
  t.notOk(socket.isOpen);
  socket.close();
  closeFd(theirFd);
  t.end();
});
