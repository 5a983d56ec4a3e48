// Streams over the worker's descriptors, with real pipes and a real Poller.
import t, { type Test } from "tap";
import {
  closeFd,
  openFd,
  pipeFds,
  readFd,
  setNonBlocking,
  writeFd,
} from "../../native/descriptors.ts";
import { Poller } from "../../native/poller.ts";
import { PipeStream } from "../../session/pipe-stream.ts";
import { settled } from "./served-pair.ts";

/** Ends of a pipe, non-blocking; the one in `streamOf` is a stream. */
function pipe(t: Test, streamOf: "read" | "write") {
  const poller = new Poller();
  const [readEnd, writeEnd] = pipeFds();
  setNonBlocking(readEnd, true);
  setNonBlocking(writeEnd, true);
  const stream = new PipeStream(poller, streamOf === "read" ? readEnd : writeEnd);
  let calls = 0;
  stream.onReady(() => {
    calls += 1;
  });
  t.teardown(() => {
    stream.close();
    poller.close();
  });
  return { stream, other: streamOf === "read" ? writeEnd : readEnd, calls: () => calls };
}

t.test("PipeStream says nothing of a closed pipe to who does not wait", async (t) => {
  for (const direction of ["read", "write"] as const) {
    const { stream, other, calls } = pipe(t, direction);
    stream.wait(direction === "read", direction === "write");
    stream.wait(false, false);
    closeFd(other);
    await settled(20);
    t.equal(calls(), 0, `its end to ${direction}`);
    stream.wait(direction === "read", direction === "write");
    await settled(20);
    t.ok(calls() > 0, "and tells as soon as somebody waits");
  }
});

t.test("PipeStream throws EPIPE when nobody reads, and reads 0 when nobody writes", (t) => {
  const writing = pipe(t, "write");
  closeFd(writing.other);
  t.throws(() => writing.stream.write(Buffer.from("x"), 0, 1), { code: "EPIPE" });
  const reading = pipe(t, "read");
  const buffer = new Uint8Array(8);
  t.equal(reading.stream.read(buffer, 0, 8), -1);
  writeFd(reading.other, Buffer.from("abc"), 0, 3);
  t.equal(reading.stream.read(buffer, 2, 6), 3);
  closeFd(reading.other);
  t.equal(reading.stream.read(buffer, 0, 8), 0);
  t.same([...buffer.subarray(0, 6)], [0, 0, 97, 98, 99, 0]);
  t.end();
});

t.test("PipeStream does nothing any more once it is closed", (t) => {
  const { stream, other } = pipe(t, "write");
  stream.wait(false, true);
  stream.close();
  stream.close();
  stream.wait(false, true);
  t.equal(stream.write(Buffer.from("x"), 0, 1), -1);
  t.equal(readFd(other, new Uint8Array(1), 0, 1), 0);
  closeFd(other);
  t.end();
});

t.test("PipeStream refuses what cannot be waited for, and leaves it to the caller", (t) => {
  const poller = new Poller();
  t.teardown(() => {
    poller.close();
  });
  const fd = openFd("/etc/passwd", 0, 0);
  t.throws(() => new PipeStream(poller, fd), { code: "EPERM" });
  closeFd(fd);
  t.end();
});
