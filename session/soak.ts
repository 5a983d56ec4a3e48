// What a session process can come to do, all of it and more of it than a connection does: for the canary, inside the filter. A part that fails
// throws; a call that the filter does not know ends the process.
import { generateKeyPairSync, randomBytes, randomFillSync, sign } from "node:crypto";
import { getHeapStatistics } from "node:v8";
import { implemented } from "../config/algorithms.ts";
import type { ServerOptions } from "../config/options.ts";
import { workerAnswers, workerRequests } from "../ipc/worker.ts";
import { closeFd, pipeFds, setNonBlocking } from "../native/descriptors.ts";
import { MessageSocket } from "../native/message-socket.ts";
import type { Poller } from "../native/poller.ts";
import { retitle } from "../native/process.ts";
import { seqpacketPair } from "../native/sockets.ts";
import { PipeStream } from "./pipe-stream.ts";
import { rehearse } from "./rehearsal.ts";
import { DescriptorStream } from "./ssh/stream.ts";
import { verifyExchange } from "./ssh/host-key-verify.ts";
import { WireWriter } from "./ssh/wire.ts";

const MiB = 1024 * 1024;
/** Of V8's limit: near enough that it collects with all it has before it gives up, and does not give up. */
const heapShare = 0.85;
/** Beyond RLIMIT_DATA (sandbox/confine-session.ts): the kernel refuses it, and V8 must take that. */
const tooManyBytes = 2048 * MiB;

/** Connections with every algorithm that there is, whatever the configuration offers. */
function connections(options: ServerOptions): void {
  const everything = {
    ...options,
    kexAlgorithms: implemented.kex.offered,
    ciphers: implemented.cipher.offered,
    macs: [...implemented.mac.offered, ...implemented.mac.optional],
  };
  rehearse(everything);
  // AEAD ciphers have no MAC, so not all of these had a turn.
  for (const mac of everything.macs)
    rehearse({ ...everything, kexAlgorithms: ["curve25519-sha256"], ciphers: ["aes128-ctr"], macs: [mac] }); // prettier-ignore
}

/** Host keys of every type, checked as a client checks them; the signature is nobody's. */
function hostKeys(): void {
  const url = (text = ""): Uint8Array => new Uint8Array(Buffer.from(text, "base64url"));
  const refused = (algorithm: string, blob: Uint8Array, signature: Uint8Array): void => {
    try {
      verifyExchange(blob, algorithm, new Uint8Array(32), signature);
    } catch {
      return; // with a stack trace
    }
    throw new Error(`A signature of nobody's by ${algorithm} was taken for good`);
  };
  const ed25519 = generateKeyPairSync("ed25519");
  const name = "ssh-ed25519";
  const point = url(ed25519.publicKey.export({ format: "jwk" }).x);
  const blob = new WireWriter(128).string(name).string(point).finish().slice();
  const wrong = sign(null, Buffer.from("something else"), ed25519.privateKey);
  refused(name, blob, new WireWriter(128).string(name).string(wrong).finish().slice());
  for (const [curve, crv, bytes] of [
    ["nistp256", "P-256", 32],
    ["nistp384", "P-384", 48],
    ["nistp521", "P-521", 66],
  ] as const) {
    // prettier-ignore
    const { x, y } = generateKeyPairSync("ec", { namedCurve: crv }).publicKey.export({ format: "jwk" }); // prettier-ignore
    const algorithm = `ecdsa-sha2-${curve}`;
    const key = new WireWriter(256).string(algorithm).string(curve).string(Buffer.concat([Uint8Array.of(4), url(x), url(y)])).finish().slice(); // prettier-ignore
    const number = new Uint8Array(bytes).fill(1);
    const pair = new WireWriter(256).string(number).string(number).finish().slice();
    refused(algorithm, key, new WireWriter(256).string(algorithm).string(pair).finish().slice());
  }
  const modulus = new Uint8Array(257).fill(0xff);
  modulus[0] = 0;
  const rsa = new WireWriter(512).string("ssh-rsa").string(Uint8Array.of(1, 0, 1)).string(modulus).finish().slice(); // prettier-ignore
  for (const algorithm of ["rsa-sha2-256", "rsa-sha2-512"])
    refused(algorithm, rsa, new WireWriter(512).string(algorithm).string(new Uint8Array(256)).finish().slice()); // prettier-ignore
}

/** Small objects that die young, some that live; buffers of every size, that grow, many at once. */
function memory(): void {
  const kept: unknown[] = [];
  for (let i = 0; i < 12_000; i += 1) {
    const made = { i, text: `object ${i}`, list: [i, i + 1] };
    if (i % 10 === 0) kept.push(made);
  }
  globalThis.gc?.({ type: "minor", execution: "sync" });
  kept.length = 0;
  const buffers = Array.from({ length: 200 }, (_, i) => Buffer.alloc(64 + 512 * i, i));
  for (let bytes = 4096; bytes <= 16 * MiB; bytes *= 4) buffers.push(Buffer.concat([Buffer.alloc(bytes), Buffer.alloc(bytes)])); // prettier-ignore
  randomFillSync(new Uint8Array(MiB));
  buffers.length = 0;
  globalThis.gc?.();
}

/** Almost all of V8's heap; more than the kernel gives; a stack that overflows. Each ends in an error or in garbage. */
function exhaustion(): void {
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  const hoard: string[] = [];
  const bytesEach = 8 * MiB;
  while (used + hoard.length * bytesEach < limit * heapShare) {
    const text = "x".repeat(bytesEach);
    text.charCodeAt(1); // V8 now writes it out, in one piece on its heap
    hoard.push(text);
  }
  const { used_heap_size: full } = getHeapStatistics();
  if (full < limit * heapShare) throw new Error(`Cannot fill the heap: ${full} of ${limit} bytes`);
  hoard.length = 0;
  globalThis.gc?.();
  const caught: unknown[] = [];
  const attempt = (action: () => unknown): void => {
    try {
      action();
    } catch (error) {
      caught.push(error instanceof Error ? error.stack : error);
    }
  };
  attempt(() => new ArrayBuffer(tooManyBytes));
  attempt(() => Buffer.alloc(tooManyBytes));
  attempt(() => "x".repeat(2 ** 30));
  const deeper = (): number => 1 + deeper();
  attempt(deeper);
  attempt(() => JSON.parse("{") as unknown);
  attempt(() => Promise.reject(new Error("nobody's")).catch(() => undefined));
  if (caught.length < 4) throw new Error("Memory without bound was to be had");
}

/** No Date object: V8 would ask for the time zone by readlink(2), and nothing in a session process wants to know. */
function lookups(): void {
  void Date.now();
  void "a".localeCompare("b");
  retitle("sallyportd: canary [soak]");
  void randomBytes(32);
}

type Step = (done: () => void) => void;

/** Timers and microtasks through the event loop. */
const timers: Step = (done) => {
  const never = setTimeout(() => undefined, 60_000);
  setImmediate(() => {
    clearTimeout(never);
    setTimeout(() => {
      void Promise.resolve().then(done);
    }, 1);
  });
};

/** Opens now what `soak` uses inside the filter; it calls `done` from the event loop when all parts have gone well. */
export function prepareSoak(poller: Poller, options: ServerOptions): (done: () => void) => void {
  const [readEnd, writeEnd] = pipeFds();
  for (const fd of [readEnd, writeEnd]) setNonBlocking(fd, true);
  const [one, other] = seqpacketPair();
  const [streamFd, peerFd] = seqpacketPair();
  /** A pipe that fills, is drained and hangs up. */
  const pipe: Step = (done) => {
    const input = new PipeStream(poller, readEnd);
    const output = new PipeStream(poller, writeEnd);
    const bytes = new Uint8Array(64 * 1024);
    while (output.write(bytes, 0, bytes.length) > 0);
    input.onReady((readable, _, hungUp) => {
      if (readable && input.read(bytes, 0, bytes.length) > 0) return;
      if (!hungUp) return;
      input.close();
      done();
    });
    output.onReady((_, writable) => {
      if (!writable) return;
      output.close();
    });
    input.wait(true, false);
    output.wait(false, true);
  };
  /** Messages both ways, a descriptor's end, and a message that no table knows. */
  const messages: Step = (done) => {
    const ours = new MessageSocket(poller, one, workerAnswers, workerRequests, {
      message: () => undefined,
      closed: done,
      fault: () => undefined,
    });
    const theirs = new MessageSocket(poller, other, workerRequests, workerAnswers, {
      message: () => undefined,
      closed: () => undefined,
      fault: () => {
        theirs.close();
      },
    });
    ours.pause();
    ours.resume();
    const stream = new DescriptorStream(poller, streamFd);
    stream.onReady(() => undefined);
    stream.wait(true, true);
    stream.write(Uint8Array.of(1, 2, 3), 0, 3);
    stream.close();
    closeFd(peerFd);
    theirs.close();
  };
  return (done) => {
    memory();
    connections(options);
    hostKeys();
    exhaustion();
    lookups();
    timers(() => {
      pipe(() => {
        messages(done);
      });
    });
  };
}
