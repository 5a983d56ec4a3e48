// The parts of a channel, each alone: windows, the queue of bytes, the queue of replies.
import t from "tap";
import { ByteQueue } from "../../session/ssh/byte-queue.ts";
import { maxDataBytes, ReceiveWindow, SendWindow } from "../../session/ssh/channel-window.ts";
import type { ByteStream } from "../../session/ssh/layers.ts";
import { ReplyQueue } from "../../session/ssh/reply-queue.ts";

t.test("SendWindow.widen() refuses what goes above 2^32 - 1, twice 0xffffffff above all", (t) => {
  const window = new SendWindow(0, 1000);
  window.widen(0xffff_ffff);
  t.throws(
    () => {
      window.widen(0xffff_ffff);
    },
    { code: "WINDOW_EXCEEDED" },
  );
  t.throws(
    () => {
      window.widen(1);
    },
    { code: "WINDOW_EXCEEDED" },
  );
  t.equal(window.bytes, 0xffff_ffff);
  t.end();
});

t.test("SendWindow.spend() refuses more than there is", (t) => {
  const window = new SendWindow(10, 1000);
  t.throws(() => {
    window.spend(11);
  }, RangeError);
  window.spend(10);
  t.equal(window.bytes, 0);
  t.end();
});

t.test("SendWindow takes the smaller maximum packet size of both sides", (t) => {
  t.equal(new SendWindow(0, 0xffff_ffff).maxDataBytes, maxDataBytes);
  t.equal(new SendWindow(0, 1).maxDataBytes, 1);
  t.end();
});

t.test("ReceiveWindow.receive() refuses the first byte beyond the window", (t) => {
  const window = new ReceiveWindow(100);
  window.receive(100);
  t.throws(
    () => {
      window.receive(1);
    },
    { code: "WINDOW_EXCEEDED" },
  );
  window.receive(0);
  t.end();
});

t.test("ReceiveWindow gives back exactly what was consumed, in pieces worth a message", (t) => {
  const window = new ReceiveWindow(100);
  window.receive(100);
  window.consume(49);
  t.equal(window.takeAdjustment(), 0);
  window.consume(1);
  t.equal(window.takeAdjustment(), 50);
  t.equal(window.takeAdjustment(), 0);
  window.receive(50);
  t.throws(
    () => {
      window.receive(1);
    },
    { code: "WINDOW_EXCEEDED" },
  );
  t.end();
});

/** Takes at most `most` bytes a call, and nothing when `most` is 0. */
function sink(most: () => number): ByteStream & { taken: number[] } {
  const taken: number[] = [];
  return {
    taken,
    read: () => -1,
    write: (buffer, offset, length) => {
      const count = Math.min(length, most());
      if (count === 0) return -1;
      taken.push(...buffer.subarray(offset, offset + count));
      return count;
    },
    wait: () => undefined,
    onReady: () => undefined,
    close: () => undefined,
  };
}

t.test("ByteQueue keeps order and content, however it is filled and emptied", (t) => {
  const queue = new ByteQueue();
  let next = 0;
  let size = 1;
  const stream = sink(() => (size * 7) % 1000);
  const expected: number[] = [];
  for (let i = 0; i < 300; i += 1) {
    size = (size * 31 + 7) % 997;
    const bytes = Uint8Array.from({ length: size }, () => (next += 1) & 0xff);
    queue.push(bytes, 1, bytes.length - 1);
    expected.push(...bytes.subarray(1));
    if (i % 3 === 0) queue.writeTo(stream);
  }
  while (queue.length > 0) {
    size += 1;
    queue.writeTo(stream);
  }
  t.ok(Buffer.from(stream.taken).equals(Buffer.from(expected)));
  t.end();
});

t.test("ByteQueue.writeTo() stops where there is no room, and says how much went", (t) => {
  const queue = new ByteQueue();
  queue.push(Buffer.from("abcdef"), 0, 6);
  let room = 2;
  const stream = sink(() => {
    const now = room;
    room = 0;
    return now;
  });
  t.equal(queue.writeTo(stream), 2);
  t.equal(queue.length, 4);
  queue.clear();
  t.equal(queue.length, 0);
  t.end();
});

t.test("ReplyQueue.expect() refuses more than may wait", (t) => {
  const queue = new ReplyQueue<number>(2, () => undefined);
  queue.expect(true);
  queue.expect(false);
  t.throws(() => queue.expect(true), { code: "FLOOD" });
  t.end();
});

t.test(
  "ReplyQueue sends answers in the order of the requests, and only those that are wanted",
  (t) => {
    const sent: number[] = [];
    const queue = new ReplyQueue<number>(10, (value) => sent.push(value));
    const [first, second, third] = [queue.expect(true), queue.expect(false), queue.expect(true)];
    third(3);
    second(2);
    t.same(sent, []);
    t.equal(queue.isEmpty, false);
    first(1);
    t.same(sent, [1, 3]);
    t.equal(queue.isEmpty, true);
    t.end();
  },
);
