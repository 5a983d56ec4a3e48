// A client that obeys nothing: it sends any payload or byte at any time, and can still complete a handshake between.
import { deriveSpec } from "../../../session/ssh/derive-keys.ts";
import { exchangeHash } from "../../../session/ssh/exchange-hash.ts";
import { Identification } from "../../../session/ssh/identification.ts";
import type { ClientHalf } from "../../../session/ssh/kex-method.ts";
import { kexMethod } from "../../../session/ssh/kex-methods.ts";
import { encodeKexInit, ourOffer, type KexOffer } from "../../../session/ssh/kexinit.ts";
import type { ByteStream } from "../../../session/ssh/layers.ts";
import { memoryStreamPair } from "../../../session/ssh/memory-stream.ts";
import { PacketReader } from "../../../session/ssh/packet-reader.ts";
import { PacketWriter } from "../../../session/ssh/packet-writer.ts";
import type { TransportOptions } from "../../../session/ssh/transport-options.ts";
import { WireReader, WireWriter } from "../../../session/ssh/wire.ts";
import { algorithms, makeSide, serverRole, settled, type Side } from "./transport-pair.ts";

const version = "SSH-2.0-raw";
const cipher = "aes128-ctr";
const mac = "hmac-sha2-256";

export class RawClient {
  readonly reader = new PacketReader();
  readonly writer = new PacketWriter();
  /** Every payload that the server has sent, in order. */
  readonly received: Uint8Array[] = [];
  serverVersion: Uint8Array = new Uint8Array(0);
  isClosed = false;
  readonly #stream: ByteStream;
  readonly #identification = new Identification("client");
  #isIdentified = false;
  #kexInit = new Uint8Array(0);
  #half: ClientHalf | null = null;
  #sessionId: Uint8Array | null = null;
  isStrict = true;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Gives the stream what it takes, and closes it. */
  close(): void {
    this.writer.flush(this.#stream);
    this.#stream.close();
  }

  /** Bytes as they are. */
  async raw(bytes: Uint8Array | string): Promise<void> {
    this.writer.plain(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    await this.step();
  }

  /** One payload in a proper packet. */
  async send(payload: Uint8Array): Promise<void> {
    this.writer.seal(payload, null, 0, 0);
    await this.step();
  }

  /** Flushes, lets the server work, and collects what it said. */
  async step(): Promise<void> {
    for (let i = 0; i < 200; i += 1) {
      try {
        if (this.writer.flush(this.#stream)) break;
      } catch {
        // The server has closed: what it said before can still be read.
        this.writer.discard();
      }
      await settled(1);
    }
    await settled();
    this.collect();
  }

  collect(): void {
    for (;;) {
      const count = this.reader.fill(this.#stream);
      if (count === 0) this.isClosed = true;
      if (count <= 0) return;
      if (!this.#isIdentified) {
        this.#isIdentified = this.reader.identify(this.#identification);
        this.serverVersion = this.#identification.version();
      }
      while (this.#isIdentified) {
        const payload = this.reader.next();
        if (payload === null) break;
        this.received.push(payload.slice());
        if (payload[0] === 21) this.#useIncomingKeys();
      }
    }
  }

  /** Numbers of the messages received. */
  get types(): number[] {
    return this.received.map((payload) => payload[0] ?? -1);
  }
  last(type: number): Uint8Array {
    const found = this.received.findLast((payload) => payload[0] === type);
    if (found === undefined) throw new Error(`No message ${type} came, only ${this.types.join()}`);
    return found;
  }
  /** Reason and text of the SSH_MSG_DISCONNECT that came. */
  get disconnect(): { reason: number; text: string } {
    const reader = new WireReader(this.last(1), 1);
    return { reason: reader.uint32(), text: Buffer.from(reader.string()).toString() };
  }

  offer(changes: Partial<KexOffer> = {}): KexOffer {
    const mine = { ...algorithms, ciphers: [cipher], macs: [mac] };
    return { ...ourOffer(mine, "client", true), ...changes };
  }

  async sendKexInit(changes: Partial<KexOffer> = {}): Promise<void> {
    this.#kexInit = encodeKexInit(this.offer(changes)).slice();
    await this.send(this.#kexInit);
  }

  /** Sends 30 of the method that the first names agree on. */
  async sendInit(method = "curve25519-sha256"): Promise<void> {
    this.#half = kexMethod(method).start();
    await this.send(new WireWriter().byte(30).string(this.#half.public).finish());
  }

  async sendNewKeys(): Promise<void> {
    this.writer.seal(Uint8Array.of(21), null, 0, 0);
    this.#useOutgoingKeys?.();
    await this.step();
  }

  /** The whole first exchange, unless the server ends it. `kex` begins with the method's name. */
  async handshake(
    kex: string[] = ["curve25519-sha256", "ext-info-c", "kex-strict-c-v00@openssh.com"],
  ) {
    this.isStrict = kex.includes("kex-strict-c-v00@openssh.com");
    await this.raw(`${version}\r\n`);
    await this.exchange({ kex });
  }
  async exchange(changes: Partial<KexOffer>): Promise<void> {
    await this.sendKexInit(changes);
    await this.sendInit(changes.kex?.[0]);
    await this.sendNewKeys();
  }

  #useOutgoingKeys: (() => void) | null = null;

  #useIncomingKeys(): void {
    const reply = new WireReader(this.last(31), 1);
    const blob = reply.string();
    const serverPublic = reply.string();
    const half = this.#half;
    if (half === null) throw new Error("No INIT was sent");
    const sharedSecret = half.finish(serverPublic);
    const hash = "sha256";
    const H = exchangeHash(
      hash,
      {
        kex: "",
        hostKeyAlgorithm: "",
        clientVersion: Buffer.from(version),
        serverVersion: this.serverVersion,
        clientKexInit: this.#kexInit,
        serverKexInit: this.last(20),
        clientPublic: half.public,
        serverPublic,
        sharedSecret,
      },
      blob,
    );
    this.#sessionId ??= H;
    const source = { hash, sharedSecret, exchangeHash: H, sessionId: this.#sessionId } as const;
    this.reader.useKeys(deriveSpec(source, "serverToClient", cipher, mac), this.isStrict);
    const outgoing = deriveSpec(source, "clientToServer", cipher, mac);
    this.#useOutgoingKeys = () => {
      this.writer.useKeys(outgoing, this.isStrict);
    };
  }
}

/** A raw client and the server that it attacks, started. */
export function attack(options: Partial<TransportOptions> = {}): {
  raw: RawClient;
  server: Side;
} {
  const [a, b] = memoryStreamPair();
  const server = makeSide(a, serverRole(), options);
  server.transport.start();
  return { raw: new RawClient(b), server };
}

/** The code of the fault that ended `side`, or how else it ended. */
export function faultOf(side: Side): string {
  const { end } = side;
  if (end === null) return "still running";
  return end.end === "fault" ? end.fault.code : end.end;
}
