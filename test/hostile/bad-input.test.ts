// Bytes that no client sends, over TCP, to the whole server: one clean end and one event each, and the server lives on.
import { connect, type Socket } from "node:net";
import t, { type Test } from "tap";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const user = makeUser(t);
const server = await TestServer.start(t, { config: ["MaxStartups 100"] });

/** One TCP connection, and all that the server said on it. */
class Peer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  isClosed = false;
  constructor(t: Test) {
    this.socket = connect({ port: server.port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk]))); // prettier-ignore
    // A reset is one way for the server to end.
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => (this.isClosed = true));
    t.teardown(() => this.socket.destroy());
  }
  send(...parts: readonly (string | Uint8Array)[]): void {
    for (const part of parts) this.socket.write(part);
  }
  closed(): Promise<true> {
    return until("the server closes", () => this.isClosed);
  }
  /** The payload of the server's first packet, its SSH_MSG_KEXINIT. */
  kexInit(): Promise<Buffer> {
    return until("the server's KEXINIT", () => {
      const start = this.received.indexOf("\n") + 1;
      if (start === 0 || this.received.length < start + 5) return false;
      const length = this.received.readUInt32BE(start);
      const padding = this.received[start + 4] ?? 0;
      if (this.received.length < start + 4 + length) return false;
      return this.received.subarray(start + 5, start + 4 + length - padding);
    });
  }
}
const identification = "SSH-2.0-hostile\r\n";
/** An unencrypted packet (RFC 4253 section 6); length and padding can be lied about. */
function packet(
  payload: readonly number[],
  lie: { length?: number; padding?: number } = {},
): Buffer {
  const padding = 16 - ((payload.length + 5) % 8);
  const bytes = Buffer.alloc(5 + payload.length + padding);
  bytes.writeUInt32BE(lie.length ?? bytes.length - 4);
  bytes[4] = lie.padding ?? padding;
  bytes.set(payload, 5);
  return bytes;
}

/** Sends it; the server must close by itself, with one event that says why and one that says it is over. */
async function ends(t: Test, parts: readonly (string | Uint8Array)[], code: string): Promise<void> {
  const before = await server.endedConnections();
  const peer = new Peer(t);
  peer.send(...parts);
  await peer.closed();
  const events = await server.connection(before);
  const codes = events.map((event) => event.code);
  t.equal(codes.filter((found) => found === code).length, 1, codes.join());
  t.equal(codes.filter((found) => found === "connection.ended").length, 1);
  t.notOk(events.some(({ level }) => level === "fatal"), codes.join()); // prettier-ignore
  t.equal(events.find((event) => event.code === "connection.ended")?.fields["end"], "no-auth");
}

const identifications: readonly (readonly [name: string, bytes: string])[] = [
  ["of 300 bytes", `SSH-2.0-${"x".repeat(290)}\r\n`],
  ["without an end", "x".repeat(100_000)],
  ["that is HTTP", "GET / HTTP/1.0\r\n\r\n"],
];
for (const [name, bytes] of identifications)
  t.test(`An identification line ${name} ends the connection`, (t) =>
    ends(t, [bytes], "connection.bad-identification"),
  );
t.test("Protocol version 1 ends the connection", (t) =>
  ends(t, ["SSH-1.5-old\r\n"], "connection.version-mismatch"),
);

const packets: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["length 0", packet([20], { length: 0 })],
  ["length 2^32-1", packet([20], { length: 0xff_ff_ff_ff })],
  ["length 256 KiB + 1", packet([20], { length: (256 << 10) + 1 })],
  ["a length that is no multiple of the block", packet([20], { length: 13 })],
  ["padding of 0", packet([20], { padding: 0 })],
  ["padding of 3", packet([20], { padding: 3 })],
  ["padding longer than the packet", packet([20], { padding: 255 })],
  ["a KEXINIT that is cut off", packet([20, 1, 2, 3])],
  ["a KEXINIT whose list is longer than it", packet([20, ...new Array<number>(16).fill(7), 0xff, 0xff, 0xff, 0xff])], // prettier-ignore
  ["SERVICE_REQUEST before key exchange", packet([5, 0, 0, 0, 1, 65])],
  ["USERAUTH_REQUEST before key exchange", packet([50, 0, 0, 0, 0])],
  ["USERAUTH_SUCCESS, which is the server's", packet([52])],
  ["KEX_REPLY, which is the server's", packet([31, 0, 0, 0, 0])],
  ["NEWKEYS without keys", packet([21])],
  ["CHANNEL_OPEN before authentication", packet([90, 0, 0, 0, 0])],
  ["an unknown message", packet([255])],
];
for (const [name, bytes] of packets)
  t.test(`A packet with ${name} ends the connection`, (t) =>
    ends(t, [identification, bytes], "connection.protocol-fault"),
  );

t.test("An identification line byte by byte is taken", async (t) => {
  const peer = new Peer(t);
  for (const byte of identification) {
    peer.send(byte);
    await new Promise(setImmediate);
  }
  t.equal((await peer.kexInit())[0], 20);
});

t.test("Fifty connections have fifty cookies", async (t) => {
  const peers = Array.from({ length: 50 }, () => new Peer(t));
  for (const peer of peers) peer.send(identification);
  const cookies: string[] = [];
  for (const peer of peers) cookies.push((await peer.kexInit()).subarray(1, 17).toString("hex"));
  t.equal(new Set(cookies).size, 50);
  for (const peer of peers) peer.socket.destroy();
});

t.test("A user logs in after all that, no process has crashed, nothing is left", async (t) => {
  await server.endedConnections();
  const ended = await ssh(server, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  t.same(server.events("connection.ended").filter(({ fields }) => !["ok", "no-auth"].includes(String(fields["end"]))).map(({ msg }) => msg), []); // prettier-ignore
  await server.stop();
  await server.isGone();
});
