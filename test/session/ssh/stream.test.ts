// DescriptorStream over real descriptors, MemoryStream against the same contract.
import t from "tap";
import {
  closeFd,
  openFds,
  pipeFds,
  readFd,
  setNonBlocking,
  writeFd,
} from "../../../native/descriptors.ts";
import { Poller } from "../../../native/poller.ts";
import type { ByteStream } from "../../../session/ssh/layers.ts";
import { memoryStreamPair } from "../../../session/ssh/memory-stream.ts";
import { DescriptorStream } from "../../../session/ssh/stream.ts";
import { clientRole, makeSide, serverRole, settled, type Side } from "./transport-pair.ts";

type Seen = [boolean, boolean, boolean];
const until = async (isDone: () => boolean): Promise<void> => {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
};

/** A stream whose two directions are pipes, and the far ends. */
function piped(poller: Poller) {
  const [input, farOutput] = pipeFds();
  const [farInput, output] = pipeFds();
  for (const fd of [input, output, farInput, farOutput]) setNonBlocking(fd, true);
  return { stream: new DescriptorStream(poller, input, output), farInput, farOutput };
}

t.test(
  "DescriptorStream refuses to read or write after close, and closes its descriptors once",
  (t) => {
    const poller = new Poller();
    const before = openFds();
    const { stream, farInput, farOutput } = piped(poller);
    stream.onReady(() => undefined);
    stream.close();
    stream.close();
    t.equal(stream.read(new Uint8Array(1), 0, 1), -1);
    t.equal(stream.write(new Uint8Array(1), 0, 1), -1);
    t.doesNotThrow(() => {
      stream.wait(true, true);
    });
    closeFd(farInput);
    closeFd(farOutput);
    t.same(openFds(), before);
    poller.close();
    t.end();
  },
);

t.test(
  "DescriptorStream says that it is readable or writable only when it was asked",
  async (t) => {
    const poller = new Poller();
    const { stream, farInput, farOutput } = piped(poller);
    const seen: Seen[] = [];
    stream.onReady((...bits) => {
      seen.push(bits);
      stream.wait(false, false);
    });
    writeFd(farOutput, Buffer.from("hello"), 0, 5);
    await settled(5);
    t.same(seen, []);
    stream.wait(true, false);
    await until(() => seen.length > 0);
    t.same(seen, [[true, false, false]]);
    stream.wait(false, true);
    await until(() => seen.length > 1);
    t.same(seen[1], [false, true, false]);
    const buffer = new Uint8Array(10);
    t.equal(stream.read(buffer, 2, 8), 5);
    t.equal(Buffer.from(buffer.subarray(2, 7)).toString(), "hello");
    t.equal(stream.read(buffer, 0, 8), -1);
    t.equal(stream.write(buffer, 2, 5), 5);
    t.equal(readFd(farInput, buffer, 0, 10), 5);
    // The far end closes: the end of the input, and a hang-up.
    closeFd(farOutput);
    stream.wait(true, false);
    await until(() => seen.length > 2);
    t.ok(seen[2]?.[2]);
    t.equal(stream.read(buffer, 0, 8), 0);
    stream.close();
    closeFd(farInput);
    poller.close();
  },
);

t.test(
  "Transport goes through a key exchange over descriptors, and ends when the other side does",
  async (t) => {
    const poller = new Poller();
    const [clientIn, serverOut] = pipeFds();
    const [serverIn, clientOut] = pipeFds();
    for (const fd of [clientIn, serverOut, serverIn, clientOut]) setNonBlocking(fd, true);
    const server = makeSide(new DescriptorStream(poller, serverIn, serverOut), serverRole());
    const client = makeSide(new DescriptorStream(poller, clientIn, clientOut), clientRole());
    server.transport.start();
    client.transport.start();
    await until(() => server.isEstablished && client.isEstablished);
    // More than a pipe holds.
    const payload = new Uint8Array(32_768).fill(94);
    for (let i = 0; i < 20; i += 1) server.transport.send(payload);
    await until(() => client.received.length === 20);
    t.ok(client.received.every((got) => Buffer.compare(got, payload) === 0));
    client.transport.disconnect(11, "bye");
    await until(() => server.end !== null);
    t.same(server.end, { end: "peerDisconnect", reason: 11, text: Buffer.from("bye") });
    poller.close();
  },
);

t.test(
  "MemoryStream keeps to what it holds, and throws EPIPE when the other end is closed",
  (t) => {
    const [a, b] = memoryStreamPair({ capacityBytes: 10 });
    const bytes = Buffer.from("0123456789abcdef");
    t.equal(a.write(bytes, 0, 16), 10);
    t.equal(a.write(bytes, 0, 16), -1);
    const got = new Uint8Array(16);
    t.equal(b.read(got, 0, 4), 4);
    t.equal(a.write(bytes, 10, 6), 4, "around the end of the ring");
    t.equal(b.read(got, 0, 16), 10);
    t.equal(Buffer.from(got.subarray(0, 10)).toString(), "456789abcd");
    t.equal(b.read(got, 0, 16), -1);
    a.close();
    t.equal(b.read(got, 0, 16), 0);
    t.throws(() => b.write(bytes, 0, 1), { code: "EPIPE" });
    t.end();
  },
);

t.test(
  "MemoryStream carries two transports without an event loop when it is driven by hand",
  (t) => {
    const tasks: (() => void)[] = [];
    const [a, b] = memoryStreamPair({
      capacityBytes: 65_536,
      schedule: (task) => tasks.push(task),
    });
    const sides: Side[] = [makeSide(a, serverRole()), makeSide(b, clientRole())];
    for (const side of sides) side.transport.start();
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
    t.ok(sides.every((side) => side.isEstablished));
    const streams: ByteStream[] = [a, b];
    for (const stream of streams) stream.close();
    t.end();
  },
);
