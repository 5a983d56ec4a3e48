import { constants } from "node:fs";
import t, { type Test } from "tap";
import {
  WOULD_BLOCK,
  closeFd,
  dupFd,
  isatty,
  memfd,
  openFd,
  openFds,
  growPipe,
  pipeFds,
  readFd,
  setCloseOnExec,
  setNonBlocking,
  writeFd,
} from "../../native/descriptors.ts";

function pipe(t: Test): [number, number] {
  const ends = pipeFds();
  t.teardown(() => {
    const open = new Set(openFds());
    for (const fd of ends) if (open.has(fd)) closeFd(fd);
  });
  return ends;
}

t.test("closeFd() throws EBADF for a descriptor that is not open", (t) => {
  const [reader] = pipe(t);
  closeFd(reader);
  t.throws(
    () => {
      closeFd(reader);
    },
    { code: "EBADF", syscall: "close" },
  );
  t.end();
});

t.test("readFd() and writeFd() refuse offsets and lengths outside the buffer", (t) => {
  const [reader, writer] = pipe(t);
  const buffer = new Uint8Array(8);
  for (const [offset, length] of [
    [0, 9],
    [8, 1],
    [9, 0],
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [Number.NaN, 1],
    [0, 2 ** 53],
  ] as const) {
    t.throws(() => readFd(reader, buffer, offset, length), RangeError);
    t.throws(() => writeFd(writer, buffer, offset, length), RangeError);
  }
  t.throws(() => readFd(-1, buffer, 0, 1), RangeError);
  t.throws(() => readFd(reader, new Int32Array(8) as unknown as Uint8Array, 0, 1), TypeError);
  t.end();
});

t.test("writeFd() throws EPIPE, without a signal, when nobody can read", (t) => {
  const [reader, writer] = pipe(t);
  closeFd(reader);
  t.throws(() => writeFd(writer, Uint8Array.of(1), 0, 1), { code: "EPIPE", syscall: "write" });
  t.end();
});

t.test("readFd() tells nothing yet, bytes, and the end apart", (t) => {
  const [reader, writer] = pipe(t);
  setNonBlocking(reader, true);
  const buffer = new Uint8Array(8);
  t.equal(readFd(reader, buffer, 0, 8), WOULD_BLOCK);
  t.equal(writeFd(writer, Uint8Array.of(0, 7, 8, 9), 1, 2), 2);
  t.equal(readFd(reader, buffer, 3, 5), 2);
  t.same([...buffer], [0, 0, 0, 7, 8, 0, 0, 0]);
  closeFd(writer);
  t.equal(readFd(reader, buffer, 0, 8), 0);
  t.end();
});

t.test("writeFd() says when there is no room, after a short write", (t) => {
  const [, writer] = pipe(t);
  setNonBlocking(writer, true);
  const much = new Uint8Array(1 << 20);
  t.ok(writeFd(writer, much, 0, much.length) < much.length);
  t.equal(writeFd(writer, much, 0, much.length), WOULD_BLOCK);
  t.end();
});

t.test("memfd() gives bytes that nobody can change any more", (t) => {
  const content = Buffer.from("host key");
  const fd = memfd("test", content);
  t.teardown(() => {
    closeFd(fd);
  });
  t.throws(() => writeFd(fd, content, 0, 1), { code: "EPERM" });
  // A new open file of the same memory may be writable; the seals are the memory's.
  const again = openFd(`/proc/self/fd/${fd}`, constants.O_RDWR, 0);
  t.throws(() => writeFd(again, content, 0, 1), { code: "EPERM" });
  closeFd(again);
  const buffer = new Uint8Array(64);
  t.equal(readFd(fd, buffer, 0, 64), content.length);
  t.same(Buffer.from(buffer.subarray(0, content.length)), content);
  t.end();
});

t.test("every descriptor is close-on-exec from birth", async (t) => {
  const { readFileSync } = await import("node:fs");
  const [reader, writer] = pipe(t);
  const made = [reader, writer, dupFd(reader), openFd("/dev/null", 0, 0), memfd("x", content())];
  const closesOnExec = (fd: number): boolean => {
    const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return (Number.parseInt(flags ?? "0", 8) & 0o2000000) !== 0;
  };
  for (const fd of made) t.ok(closesOnExec(fd));
  setCloseOnExec(reader, false);
  t.notOk(closesOnExec(reader));
  for (const fd of made.slice(2)) closeFd(fd);
});

t.test("openFds() lists what is open and not the descriptor that lists", (t) => {
  const before = openFds();
  const [reader, writer] = pipe(t);
  t.same(
    openFds(),
    [...before, reader, writer].sort((a, b) => a - b),
  );
  t.equal(isatty(reader), false);
  t.throws(() => openFd("/nonexistent/x", 0, 0), { code: "ENOENT", message: /nonexistent/ });
  t.throws(() => openFd("/etc/passwd\0.txt", 0, 0), TypeError);
  t.end();
});

function content(): Uint8Array {
  return new Uint8Array(3);
}

t.test("growPipe() gives a pipe more room, and says so when it cannot", (t) => {
  const [reader, writer] = pipe(t);
  setNonBlocking(writer, true);
  const block = new Uint8Array(64 * 1024);
  const fill = (): number => {
    let written = 0;
    for (let count = 0; count >= 0; count = writeFd(writer, block, 0, block.length))
      written += count;
    return written;
  };
  t.equal(fill(), 64 * 1024);
  t.equal(growPipe(reader, 4096), false, "less than it holds");
  t.equal(growPipe(writer, 256 * 1024), true);
  t.equal(fill(), 192 * 1024);
  t.end();
});
