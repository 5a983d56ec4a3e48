import { createConnection } from "node:net";
import t, { type Test } from "tap";
import { closeFd, openFds, pipeFds, readFd, writeFd } from "../../native/descriptors.ts";
import { currentPid, waitReadable } from "../../native/process.ts";
import {
  accept,
  connectDatagram,
  listenTcp,
  peerCredentials,
  receiveMessage,
  sendMessage,
  seqpacketPair,
  setKeepAlive,
  setNoDelay,
  setReceiveBuffer,
  setSendBuffer,
  setTypeOfService,
  socketAddresses,
} from "../../native/sockets.ts";

function closingAtEnd(t: Test, fds: readonly number[]): void {
  t.teardown(() => {
    const open = new Set(openFds());
    for (const fd of fds) if (open.has(fd)) closeFd(fd);
  });
}
function pair(t: Test): [number, number] {
  const ends = seqpacketPair();
  closingAtEnd(t, ends);
  return ends;
}

t.test("sendMessage() refuses an empty message, which would read as a close", (t) => {
  const [a] = pair(t);
  t.throws(() => sendMessage(a, new Uint8Array(1), 0, 0, []), { code: "EINVAL" });
  t.end();
});

t.test("sendMessage() refuses a ninth descriptor", (t) => {
  const [a] = pair(t);
  t.throws(() => sendMessage(a, new Uint8Array(1), 0, 1, new Array<number>(9).fill(a)), RangeError);
  t.end();
});

t.test("sendMessage() throws EPIPE when the other end is closed, read or unread", (t) => {
  for (const unread of [false, true]) {
    const [a, b] = pair(t);
    if (unread) sendMessage(a, new Uint8Array(1), 0, 1, []);
    closeFd(b);
    t.throws(() => sendMessage(a, new Uint8Array(1), 0, 1, []), { code: "EPIPE" });
  }
  t.end();
});

t.test("receiveMessage() gives all that was said before a reset, and then its length 0", (t) => {
  const [a, b] = seqpacketPair();
  const buffer = new Uint8Array(8);
  sendMessage(a, buffer, 0, 1, []); // unread: the close below resets
  sendMessage(b, Uint8Array.of(1, 2), 0, 2, []);
  sendMessage(b, Uint8Array.of(3), 0, 1, []);
  closeFd(b);
  t.equal(receiveMessage(a, buffer)?.length, 2);
  t.equal(buffer[1], 2);
  t.equal(receiveMessage(a, buffer)?.length, 1);
  t.equal(receiveMessage(a, buffer)?.length, 0);
  closeFd(a);
  t.end();
});
t.test("receiveMessage() gives length 0 for a close and for a reset, null for nothing yet", (t) => {
  const [a, b] = pair(t);
  const buffer = new Uint8Array(16);
  t.equal(receiveMessage(a, buffer), null);
  sendMessage(a, buffer, 0, 1, []); // unread: the close below resets
  closeFd(b);
  t.equal(receiveMessage(a, buffer)?.length, 0);
  const [c, d] = pair(t);
  closeFd(d);
  t.equal(receiveMessage(c, buffer)?.length, 0);
  t.end();
});

t.test("receiveMessage() says that a message was longer than the buffer", (t) => {
  const [a, b] = pair(t);
  sendMessage(a, new Uint8Array(100), 0, 100, []);
  sendMessage(a, Uint8Array.of(5), 0, 1, []);
  const buffer = new Uint8Array(99);
  t.match(receiveMessage(b, buffer), { length: 99, truncated: true });
  t.match(receiveMessage(b, buffer), { length: 1, truncated: false }, "the rest is gone, not next");
  t.end();
});

t.test("messages stay whole, and descriptors arrive once, close-on-exec, in order", (t) => {
  const [a, b] = pair(t);
  const pipes = Array.from({ length: 4 }, () => pipeFds()).flat();
  closingAtEnd(t, pipes);
  t.equal(sendMessage(a, Uint8Array.of(1, 2, 3, 4), 1, 2, pipes), true);
  const before = openFds();
  const buffer = new Uint8Array(16);
  const got = receiveMessage(b, buffer);
  closingAtEnd(t, got?.fds ?? []);
  t.match(got, { length: 2, truncated: false });
  t.same([...buffer.subarray(0, 2)], [2, 3]);
  t.equal(got?.fds.length, 8);
  t.equal(openFds().length, before.length + 8);
  writeFd(got?.fds[1] ?? -1, Uint8Array.of(42), 0, 1);
  t.equal(readFd(pipes[0] ?? -1, buffer, 0, 16), 1);
  t.equal(buffer[0], 42);
  t.end();
});

t.test("peerCredentials() names who made the pair", (t) => {
  const [a] = pair(t);
  t.same(peerCredentials(a), { pid: currentPid(), uid: 0, gid: 0 });
  t.end();
});

for (const [address, shown] of [
  ["127.0.0.1", "127.0.0.1"],
  ["::1", "::1"],
] as const) {
  t.test(`accept() gives both ends' addresses on ${address}, and null when nobody waits`, (t) => {
    const listener = listenTcp(address, 0, 16);
    closingAtEnd(t, [listener.fd]);
    t.equal(accept(listener.fd), null);
    const client = createConnection(listener.port, address);
    client.on("error", () => undefined);
    client.on("connect", () => {
      const taken = accept(listener.fd);
      if (taken === null) throw new Error("nobody");
      closingAtEnd(t, [taken.fd]);
      t.match(taken, { address: shown, localAddress: shown, localPort: listener.port });
      t.equal(taken.port, client.localPort);
      t.same({ fd: taken.fd, ...socketAddresses(taken.fd) }, taken);
      setNoDelay(taken.fd);
      setKeepAlive(taken.fd);
      setReceiveBuffer(taken.fd, 65536);
      setSendBuffer(taken.fd, 65536);
      setTypeOfService(taken.fd, 0x10);
      client.destroy();
      t.end();
    });
  });
}

t.test("listenTcp() refuses names, ports out of range, and an address in use", (t) => {
  t.throws(() => listenTcp("localhost", 0, 1), { code: "EINVAL" });
  t.throws(() => listenTcp("127.0.0.1", 65536, 1), RangeError);
  const first = listenTcp("127.0.0.1", 0, 1);
  closingAtEnd(t, [first.fd]);
  t.throws(() => listenTcp("127.0.0.1", first.port, 1), {
    code: "EADDRINUSE",
    message: new RegExp(`127.0.0.1 port ${first.port}`),
  });
  t.end();
});

t.test("socketAddresses() is null for a pipe, a unix socket and an unconnected socket", (t) => {
  const [a] = pair(t);
  const ends = pipeFds();
  const listener = listenTcp("127.0.0.1", 0, 1);
  closingAtEnd(t, [...ends, listener.fd]);
  t.equal(socketAddresses(a), null);
  t.equal(socketAddresses(ends[0]), null);
  t.equal(socketAddresses(listener.fd), null);
  t.end();
});

t.test("connectDatagram() throws where nobody listens and for a path that does not fit", (t) => {
  t.throws(() => connectDatagram("/nonexistent/log"), { code: "ENOENT" });
  t.throws(() => connectDatagram(`/${"x".repeat(200)}`), { code: "ENAMETOOLONG" });
  t.end();
});

t.test("waitReadable() returns what is readable or hung up, and nothing after its time", (t) => {
  const [a, b] = pair(t);
  const [c, d] = pair(t);
  t.same(waitReadable(Int32Array.of(a, c), 0), []);
  sendMessage(b, Uint8Array.of(1), 0, 1, []);
  t.same(waitReadable(Int32Array.of(a, c), 1000), [a]);
  closeFd(d);
  t.same(waitReadable(Int32Array.of(a, c), -1), [a, c]);
  t.end();
});
