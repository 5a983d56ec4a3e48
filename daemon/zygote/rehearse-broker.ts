// The broker's part of the rehearsal: a monitor goes through a whole login in memory, so that its code is compiled, and OpenSSL's
// algorithms are fetched, before the first fork. Nothing that it makes is kept.
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { Monitor, type HostKeyFacts } from "../../broker/monitor.ts";
import { readKeyFile } from "../../broker/key-file.ts";
import { composeSignedData } from "../../broker/signed-data.ts";
import { lookupUser } from "../../broker/users.ts";
import type { World } from "../../broker/world.ts";
import type { Config } from "../../config/load.ts";
import { brokerOrders, brokerReports, logLevels } from "../../ipc/listener.ts";
import { answers, requests, type Request } from "../../ipc/monitor.ts";
import type { Protocol } from "../../ipc/protocol.ts";
import { FieldWriter } from "../../ipc/fields.ts";
import { signatureAnswers, signatureRequests } from "../../ipc/signer.ts";
import { MessageSocket } from "../../native/message-socket.ts";
import type { Poller, Readiness } from "../../native/poller.ts";
import { currentPid } from "../../native/process.ts";
import { seqpacketPair } from "../../native/sockets.ts";
import { verifySessionProcess } from "../../sandbox/verify.ts";
import type { SessionConfinement } from "../../sandbox/confine-session.ts";

const user = new TextEncoder().encode("root");
const service = new TextEncoder().encode("ssh-connection");
const sessionId = new Uint8Array(32);

interface RehearsedKey {
  readonly algorithm: string;
  readonly blob: Uint8Array;
  readonly signature: (data: Uint8Array) => Uint8Array;
}

/** SSH strings one after the other (RFC 4251 section 5). */
function strings(...values: readonly Uint8Array[]): Uint8Array {
  const writer = new FieldWriter();
  for (const value of values) writer.bytes(value);
  return writer.finish().slice();
}
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const fromUrl = (text = ""): Uint8Array => new Uint8Array(Buffer.from(text, "base64url"));
/** mpint (RFC 4251 section 5) of an unsigned number. */
const mpint = (bytes: Uint8Array): Uint8Array => Uint8Array.of(0, ...bytes);

function ed25519(): RehearsedKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const algorithm = "ssh-ed25519";
  return {
    algorithm,
    blob: strings(ascii(algorithm), fromUrl(publicKey.export({ format: "jwk" }).x)),
    signature: (data) => strings(ascii(algorithm), sign(null, data, privateKey)),
  };
}

function ecdsa(): RehearsedKey {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = "ecdsa-sha2-nistp256";
  const { x, y } = publicKey.export({ format: "jwk" });
  const point = Uint8Array.of(4, ...fromUrl(x), ...fromUrl(y));
  return {
    algorithm,
    blob: strings(ascii(algorithm), ascii("nistp256"), point),
    signature: (data) => strings(ascii(algorithm), ecdsaSignature(privateKey, data)),
  };
}
function ecdsaSignature(key: KeyObject, data: Uint8Array): Uint8Array {
  const raw = sign("sha256", data, { key, dsaEncoding: "ieee-p1363" });
  return strings(mpint(raw.subarray(0, 32)), mpint(raw.subarray(32)));
}

/** A modulus that nobody can sign for: making a real RSA key takes longer than all the rest. The signature is refused, late enough. */
function rsa(): RehearsedKey {
  const modulus = mpint(new Uint8Array(256).fill(0xff));
  return {
    algorithm: "rsa-sha2-512",
    blob: strings(ascii("ssh-rsa"), Uint8Array.of(1, 0, 1), modulus),
    signature: () => strings(ascii("rsa-sha2-512"), new Uint8Array(256)),
  };
}

/** Messages of both directions over a real socket, with a poller that only remembers what to call. */
function exchange<P extends Protocol>(protocol: P, name: keyof P & string, body: never): void {
  const [one, other] = seqpacketPair();
  let ready: Readiness | undefined;
  const poller: Pick<Poller, "set" | "remove"> = {
    set: (_fd, _readable, _writable, callback) => {
      ready = callback ?? ready;
    },
    remove: () => undefined,
  };
  // MessageSocket uses these two and nothing else of it; a real one would leave a handle in the loop of every child.
  const asPoller = poller as unknown as Poller;
  const handlers = { message: () => undefined, closed: () => undefined, fault: () => undefined };
  const receiver = new MessageSocket(asPoller, other, protocol, protocol, handlers);
  const sender = new MessageSocket(asPoller, one, protocol, protocol, handlers);
  sender.send(name, 1, body);
  ready?.(false, true, false);
  sender.close();
  receiver.pause();
  receiver.resume();
  receiver.close();
}

function login(config: Config, hostKeys: readonly HostKeyFacts[], key: RehearsedKey): void {
  const [hostKey] = hostKeys;
  const world: World = {
    nowMs: () => Date.now(),
    elapsedMs: () => performance.now(),
    delaySecret: new Uint8Array(32),
    later: (_, action) => {
      action();
    },
    lookupUser: (name) => lookupUser(name, Date.now()),
    readKeyFile: (path, record, strict) => {
      readKeyFile(path, record, strict);
      return { text: `${key.algorithm} ${Buffer.from(key.blob).toString("base64")} rehearsal\n` };
    },
    readBanner: () => new Uint8Array(),
    sign: (_kind, _body, done) => {
      done({ exchangeHash: sessionId, signature: new Uint8Array() });
    },
    log: ({ code, text }) => {
      const event = { level: logLevels.indexOf("info"), code, text, pid: 1, preauth: false };
      exchange(brokerReports, "event", { ...event, fields: [] } as never);
    },
    answer: (name, _id, body) => {
      if (answers[name].descriptors === 0) exchange(answers, name, body as never);
    },
    authenticated: () => undefined,
    end: () => undefined,
  };
  const monitor = new Monitor(world, config, hostKeys);
  const ask = (name: Request["name"], body: object): void => {
    exchange(requests, name, body as never);
    // Built here from the very tables that type it.
    monitor.handle({ name, id: 1, body } as Request);
  };
  const none = new Uint8Array();
  const address = {
    remoteAddress: "192.0.2.1",
    remotePort: 1,
    localAddress: "192.0.2.2",
    localPort: 22,
  };
  monitor.begin({ connection: 1, ...address });
  ask("confined", { missing: [] });
  ask("adopted", {});
  ask("sign", {
    kex: "curve25519-sha256",
    hostKeyAlgorithm: hostKey?.algorithms[0] ?? "",
    clientVersion: none,
    serverVersion: none,
    clientKexInit: none,
    serverKexInit: none,
    clientPublic: none,
    serverPublic: none,
    sharedSecret: none,
  });
  ask("lookupUser", { user, service });
  ask("authNone", {});
  const { algorithm, blob } = key;
  ask("publickeyQuery", { algorithm, blob });
  const data = composeSignedData({ sessionId, user, service, algorithm, blob });
  const signature = key.signature(data);
  ask("publickeySign", { algorithm, blob, signature, hostBound: false, hostKey: none });
  ask("log", { level: 1, code: "session.start", text: none });
  const ended = { reason: 2, code: 11, text: none, bytesReceived: 0, bytesSent: 0 };
  ask("ended", ended);
}

/** Synchronous; leaves no descriptor, no handle and no timer. */
export function rehearseBroker(
  config: Config,
  hostKeys: readonly HostKeyFacts[],
  privsep: SessionConfinement,
): void {
  for (const key of [ed25519(), ecdsa(), rsa()]) login(config, hostKeys, key);
  // What it sees of this process does not matter; how it looks does.
  verifySessionProcess(currentPid(), privsep, []);
  exchange(signatureAnswers, "refused", { why: "" } as never);
  exchange(signatureRequests, "proof", { blob: sessionId, algorithm: "", sessionId } as never);
  exchange(brokerOrders, "stop", {} as never);
}
