// How a connection ends: by faults, by the signer, by disconnect(), by the stream.
import t from "tap";
import { PeerFault } from "../../../ipc/peer-fault.ts";
import type { ByteStream } from "../../../session/ssh/layers.ts";
import { WireWriter } from "../../../session/ssh/wire.ts";
import { attack, faultOf } from "./raw-client.ts";
import { hostKeys, makePair, makeSide, serverRole, settled } from "./transport-pair.ts";

const identify = "SSH-2.0-raw\r\n";
const data = new WireWriter().byte(94).uint32(0).string("data").finish();

/** A raw client that has gone through the first key exchange and, as the server believes, userauth. */
async function authenticated() {
  const attacked = attack();
  await attacked.raw.handshake();
  attacked.server.transport.markAuthenticated();
  return attacked;
}

/** A stream that does as told, and lets the test say when it is ready. */
function scripted(script: Partial<ByteStream>) {
  let ready: ((readable: boolean, writable: boolean, hungUp: boolean) => void) | undefined;
  const waits: [boolean, boolean][] = [];
  const stream: ByteStream = {
    read: () => -1,
    write: (_buffer, _offset, length) => length,
    wait: (readable, writable) => waits.push([readable, writable]),
    onReady(callback) {
      ready = callback;
    },
    close: () => undefined,
    ...script,
  };
  const say = (readable: boolean, writable: boolean, hungUp: boolean) =>
    ready?.(readable, writable, hungUp);
  return { stream, waits, say };
}

t.test("Transport ends with the fault that the layer above throws or reports", async (t) => {
  const fault = new PeerFault("CHANNEL_STATE", "Cannot write channel 3: closed", {
    disconnectReason: 2,
  });
  const { raw, server } = await authenticated();
  server.transport.setReceiver({
    receive() {
      throw fault;
    },
    roomAvailable: () => undefined,
  });
  await raw.send(data);
  t.same(server.end, { end: "fault", fault });
  t.same(raw.disconnect, { reason: 2, text: "Protocol error" }, "the peer is not told which");
});

t.test("Transport passes on what is no fault of the peer, and does not swallow it", (t) => {
  let ready: ((readable: boolean, writable: boolean, hungUp: boolean) => void) | undefined;
  const line = Buffer.from(identify);
  const stream: ByteStream = {
    read(buffer, offset) {
      buffer.set(line, offset);
      return line.length;
    },
    write: (_buffer, _offset, length) => length,
    wait: () => undefined,
    onReady(callback) {
      ready = callback;
    },
    close: () => undefined,
  };
  const { transport } = makeSide(stream, serverRole(), {
    onIdentified() {
      throw new RangeError("our own bug");
    },
  });
  transport.start();
  t.throws(() => ready?.(true, false, false), new RangeError("our own bug"));
  t.end();
});

t.test("Transport reads nothing while its signer works, and ends when it refuses", async (t) => {
  let answer: ((signed: null) => void) | undefined;
  const { raw, server } = attack({
    role: {
      side: "server",
      hostKeys,
      signExchange(_parts, done) {
        answer = done;
      },
      serverSigAlgs: [],
    },
  });
  raw.isStrict = false;
  await raw.raw(identify);
  await raw.sendKexInit({ kex: ["curve25519-sha256"] });
  await raw.sendInit();
  // Would be a fault if it were read.
  await raw.send(data);
  t.equal(faultOf(server), "still running");
  answer?.(null);
  t.equal(faultOf(server), "failed");
  await settled();
  raw.collect();
  t.same(raw.disconnect, { reason: 3, text: "Key exchange failed" });
  t.doesNotThrow(() => answer?.(null), "a second answer finds nobody");
});

t.test("Transport ends when the signer hashed something else", async (t) => {
  const { raw, server } = attack({
    role: {
      side: "server",
      hostKeys,
      signExchange(_parts, done) {
        done({ exchangeHash: new Uint8Array(32), signature: new Uint8Array(4) });
      },
      serverSigAlgs: [],
    },
  });
  await raw.raw(identify);
  await raw.sendKexInit({ kex: ["curve25519-sha256"] });
  await raw.sendInit();
  t.equal(faultOf(server), "failed");
  t.notOk(raw.types.includes(31));
});
t.test(
  "Transport ends with closed when the peer closes, and says whether it had a name",
  async (t) => {
    const nameless = attack();
    await nameless.raw.raw("SSH-2.0-");
    nameless.raw.close();
    await settled();
    t.same(nameless.server.end, { end: "closed", identified: false });

    const named = attack();
    await named.raw.handshake();
    named.raw.close();
    await settled();
    t.same(named.server.end, { end: "closed", identified: true });
  },
);

t.test("Transport ends with the stream's error when reading or writing fails", (t) => {
  const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  const fail = () => {
    throw reset;
  };
  for (const script of [{ read: fail }, { write: fail }]) {
    const { stream, say } = scripted(script);
    const side = makeSide(stream, serverRole());
    side.transport.start();
    say(true, true, false);
    t.same(side.end, { end: "failed", error: reset });
  }
  t.end();
});

t.test("Transport still hears a DISCONNECT behind which the peer has closed its end", async (t) => {
  const { raw, server } = await authenticated();
  // Both before the server looks: the answer to the first fails with EPIPE.
  raw.writer.seal(new WireWriter().byte(192).string("x").finish(), null, 0, 0);
  raw.writer.seal(
    new WireWriter().byte(1).uint32(11).string("bye").string("").finish(),
    null,
    0,
    0,
  );
  raw.close();
  await settled();
  t.same(server.end, { end: "peerDisconnect", reason: 11, text: Buffer.from("bye") });
});

t.test(
  "Transport ends when the pipe that it writes to has lost its reader and nothing is to be read",
  (t) => {
    const { stream, say } = scripted({});
    const side = makeSide(stream, serverRole());
    side.transport.start();
    say(false, false, true);
    t.same(side.end, { end: "closed", identified: false });
    t.end();
  },
);

t.test("Transport waits for room only while something is left to write", (t) => {
  let room = 5;
  const { stream, waits, say } = scripted({
    write(_buffer, _offset, length) {
      const taken = Math.min(room, length);
      room -= taken;
      return taken === 0 ? -1 : taken;
    },
  });
  const side = makeSide(stream, serverRole());
  side.transport.start();
  t.same(waits.at(-1), [true, true]);
  room = 1000;
  say(false, true, false);
  t.same(waits.at(-1), [true, false]);
  t.equal(side.transport.bytesSent, "SSH-2.0-test_server\r\n".length);
  t.end();
});

t.test("Transport.disconnect() tells the peer and ends once", async (t) => {
  const { server, client } = makePair();
  await settled();
  server.transport.disconnect(11, "enough");
  server.transport.disconnect(2, "again");
  t.same(server.end, { end: "disconnected", reason: 11, description: "enough" });
  await settled();
  t.same(client.end, { end: "peerDisconnect", reason: 11, text: Buffer.from("enough") });
  t.doesNotThrow(() => {
    server.transport.send(data);
  }, "what is sent after the end is swallowed");
  t.notOk(server.transport.hasRoom);
});
