// Connections are forked from one process: what they draw as random must be their own all the same.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import t from "tap";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const count = 30;
const server = await TestServer.start(t, { config: ["MaxStartups 100", "WarmPairs 8"] });

const string = (content: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
/** An unencrypted packet (RFC 4253 section 6). */
function packet(payload: Uint8Array): Buffer {
  const padding = 16 - ((payload.length + 5) % 8);
  const bytes = Buffer.alloc(5 + payload.length + padding);
  bytes.writeUInt32BE(bytes.length - 4);
  bytes[4] = padding;
  bytes.set(payload, 5);
  return bytes;
}
/** A KEXINIT that leaves the server no choice, without strict kex. */
function kexInit(): Buffer {
  const lists = [
    "curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", "",
  ]; // prettier-ignore
  return Buffer.concat([Buffer.of(20), randomBytes(16), ...lists.map(string), Buffer.alloc(5)]);
}
const { publicKey } = generateKeyPairSync("x25519");
const point = publicKey.export({ format: "der", type: "spki" }).subarray(-32);

/** The server's packets so far, as payloads. */
function payloads(received: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = received.indexOf("\n") + 1;
  while (at > 0 && received.length >= at + 5) {
    const length = received.readUInt32BE(at);
    if (received.length < at + 4 + length) break;
    found.push(received.subarray(at + 5, at + 4 + length - (received[at + 4] ?? 0)));
    at += 4 + length;
    if (found.length === 2) break; // what follows NEWKEYS is encrypted
  }
  return found;
}

t.test("Thirty connections at once have thirty cookies and thirty ephemeral keys", async (t) => {
  const peers = Array.from({ length: count }, () => {
    const socket: Socket = connect({ port: server.port, host: "127.0.0.1" });
    const peer = { socket, received: Buffer.alloc(0) };
    socket.on("data", (chunk: Buffer) => (peer.received = Buffer.concat([peer.received, chunk])));
    socket.on("error", () => undefined);
    t.teardown(() => socket.destroy());
    socket.write("SSH-2.0-sibling\r\n");
    socket.write(packet(kexInit()));
    socket.write(packet(Buffer.concat([Buffer.of(30), string(point)])));
    return peer;
  });
  const cookies = new Set<string>();
  const keys = new Set<string>();
  for (const peer of peers) {
    const [init, reply] = await until("the server's KEXINIT and reply", () => {
      const found = payloads(peer.received);
      return found.length === 2 && found;
    });
    cookies.add((init ?? Buffer.alloc(0)).subarray(1, 17).toString("hex"));
    // byte 31, string K_S, string Q_S (RFC 8731 section 3.1)
    t.equal(reply?.[0], 31);
    const at = 1 + 4 + (reply?.readUInt32BE(1) ?? 0);
    keys.add((reply ?? Buffer.alloc(0)).subarray(at + 4, at + 36).toString("hex"));
    peer.socket.destroy();
  }
  t.equal(cookies.size, count);
  t.equal(keys.size, count);
});
