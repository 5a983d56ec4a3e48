// A client over TCP that obeys nothing: any payload and any byte at any time, under real keys. Its own way through key exchange and login is
// there for getting to the state in which it misbehaves.
import { createPrivateKey, sign, type KeyObject } from "node:crypto";
import { connect, type Socket } from "node:net";
import { publicKeyRequest, signedData } from "../../session/client-userauth.ts";
import { deriveSpec } from "../../session/ssh/derive-keys.ts";
import { exchangeHash } from "../../session/ssh/exchange-hash.ts";
import { Identification } from "../../session/ssh/identification.ts";
import type { ClientHalf } from "../../session/ssh/kex-method.ts";
import { kexMethod } from "../../session/ssh/kex-methods.ts";
import { encodeKexInit, markers, type KexOffer } from "../../session/ssh/kexinit.ts";
import { PacketReader } from "../../session/ssh/packet-reader.ts";
import { PacketWriter } from "../../session/ssh/packet-writer.ts";
import { WireReader, WireWriter } from "../../session/ssh/wire.ts";
import type { CipherSpec } from "../../native/packet-cipher.ts";

const version = "SSH-2.0-raw";
const kex = "curve25519-sha256";
/** Far above what anything here takes. */
const patienceMs = 60_000;

export interface Suite {
  readonly cipher: string;
  /** "" for AEAD ciphers. */
  readonly mac: string;
}
export const defaultSuite: Suite = { cipher: "aes128-gcm@openssh.com", mac: "" };

/** An Ed25519 key pair as a client uses it. */
export interface RawKey {
  readonly blob: Uint8Array;
  readonly privateKey: KeyObject;
}
/** A key that is the same for the same seed: a test authorizes it by its line. */
export function rawKey(seed: number): RawKey & { readonly line: string } {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, seed)]); // prettier-ignore
  const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const { x = "" } = privateKey.export({ format: "jwk" });
  const raw = Buffer.from(x, "base64url");
  const blob = new WireWriter().string("ssh-ed25519").string(raw).finish();
  return { blob, privateKey, line: `ssh-ed25519 ${Buffer.from(blob).toString("base64")}` };
}

export class RawConnection {
  readonly socket: Socket;
  /** What the server's log calls us. */
  port = 0;
  isClosed = false;
  /** Keys of our direction, once NEWKEYS has been sent: for packets that are forged by hand. */
  outgoing: CipherSpec | null = null;
  sessionId: Uint8Array | null = null;
  hostKeyBlob: Uint8Array = new Uint8Array(0);
  readonly #suite: Suite;
  readonly #isStrict: boolean;
  readonly #reader = new PacketReader();
  readonly #writer = new PacketWriter();
  readonly #identification = new Identification("client");
  #isIdentified = false;
  #chunks = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #kexInit: Uint8Array = new Uint8Array(0);
  #serverKexInit: Uint8Array = new Uint8Array(0);
  #half: ClientHalf | null = null;

  private constructor(port: number, suite: Suite, isStrict: boolean) {
    this.#suite = suite;
    this.#isStrict = isStrict;
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.#chunks = Buffer.concat([this.#chunks, chunk]);
      this.#wake();
    });
    // A reset is one way for the server to end.
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async open(
    port: number,
    { suite = defaultSuite, isStrict = true }: { suite?: Suite; isStrict?: boolean } = {},
  ): Promise<RawConnection> {
    const raw = new RawConnection(port, suite, isStrict);
    await new Promise((resolve, reject) => raw.socket.once("connect", resolve).once("error", reject)); // prettier-ignore
    raw.port = raw.socket.localPort ?? 0;
    return raw;
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }
  /** One payload in a proper packet. */
  send(payload: Uint8Array): void {
    this.#writer.seal(payload, null, 0, 0);
    const write = (buffer: Uint8Array, offset: number, length: number): number => {
      this.socket.write(buffer.slice(offset, offset + length));
      return length;
    };
    this.#writer.flush({ write, read: () => -1, wait: () => undefined, onReady: () => undefined, close: () => undefined }); // prettier-ignore
  }
  /** The next payload of the server's, or null when it has closed. */
  async next(): Promise<Uint8Array | null> {
    for (;;) {
      const payload = this.#isIdentified ? this.#reader.next()?.slice() : undefined;
      if (payload !== undefined) {
        this.#note(payload);
        return payload;
      }
      if (this.#fill()) continue;
      if (this.isClosed) return null;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => { reject(new Error("Waited in vain for the server")); }, patienceMs); // prettier-ignore
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  /** Payloads up to the first of that number, which must come. */
  async until(type: number): Promise<Uint8Array> {
    for (;;) {
      const payload = await this.next();
      if (payload === null) throw new Error(`The server closed before message ${type}`);
      if (payload[0] === type) return payload;
    }
  }
  /** All payloads to the end of the connection. */
  async rest(): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (;;) {
      const payload = await this.next();
      if (payload === null) return found;
      found.push(payload);
    }
  }

  identify(): void {
    this.bytes(`${version}\r\n`);
  }
  offer(changes: Partial<KexOffer> = {}): Uint8Array {
    const { cipher, mac } = this.#suite;
    const macs = [mac === "" ? "hmac-sha2-256" : mac];
    const { extInfo, strict } = markers.client;
    return encodeKexInit({
      kex: [kex, extInfo, ...(this.#isStrict ? [strict] : [])],
      hostKey: ["ssh-ed25519"],
      cipherClientToServer: [cipher],
      cipherServerToClient: [cipher],
      macClientToServer: macs,
      macServerToClient: macs,
      compressionClientToServer: ["none"],
      compressionServerToClient: ["none"],
      firstKexPacketFollows: false,
      ...changes,
    }).slice();
  }
  sendKexInit(payload = this.offer()): void {
    this.#kexInit = payload;
    this.send(payload);
  }
  /** The payload of our 30; the keys come from it. */
  init(): Uint8Array {
    this.#half = kexMethod(kex).start();
    return new WireWriter().byte(30).string(this.#half.public).finish().slice();
  }
  sendNewKeys(): void {
    this.send(Uint8Array.of(21));
    if (this.outgoing !== null) this.#writer.useKeys(this.outgoing, this.#isStrict);
  }
  /** One whole key exchange; the first, or another. */
  async exchange(): Promise<void> {
    this.sendKexInit();
    await this.until(20);
    this.send(this.init());
    await this.until(21);
    this.sendNewKeys();
  }

  async service(): Promise<void> {
    this.send(new WireWriter().byte(5).string("ssh-userauth").finish());
    await this.until(6);
  }
  /** A signed request; `change` spoils it. */
  signedRequest(user: string, key: RawKey, isHostBound = true): Uint8Array {
    const bound = isHostBound ? this.hostKeyBlob : null;
    const request = publicKeyRequest(user, { algorithm: "ssh-ed25519", blob: key.blob }, true, bound); // prettier-ignore
    const data = signedData(this.sessionId ?? new Uint8Array(0), request);
    const signature = new WireWriter().string("ssh-ed25519").string(sign(null, data, key.privateKey)); // prettier-ignore
    return new WireWriter(512).bytes(request).string(signature.finish()).finish().slice();
  }
  async login(user: string, key: RawKey): Promise<void> {
    await this.service();
    this.send(this.signedRequest(user, key));
    await this.until(52);
  }

  #fill(): boolean {
    const read = (buffer: Uint8Array, offset: number, length: number): number => {
      const count = Math.min(length, this.#chunks.length);
      buffer.set(this.#chunks.subarray(0, count), offset);
      this.#chunks = this.#chunks.subarray(count);
      return count;
    };
    if (this.#chunks.length === 0) return false;
    this.#reader.fill({ read, write: () => -1, wait: () => undefined, onReady: () => undefined, close: () => undefined }); // prettier-ignore
    if (!this.#isIdentified) this.#isIdentified = this.#reader.identify(this.#identification);
    return true;
  }

  #note(payload: Uint8Array): void {
    if (payload[0] === 20) this.#serverKexInit = payload;
    else if (payload[0] === 31) this.#derive(new WireReader(payload, 1));
    else if (payload[0] === 21 && this.#incoming !== null) {
      this.#reader.useKeys(this.#incoming, this.#isStrict);
    }
  }
  #incoming: CipherSpec | null = null;

  #derive(reply: WireReader): void {
    const blob = reply.string();
    const serverPublic = reply.string();
    if (this.#half === null) throw new Error("No INIT was sent");
    const sharedSecret = this.#half.finish(serverPublic);
    const parts = {
      kex,
      hostKeyAlgorithm: "ssh-ed25519",
      clientVersion: Buffer.from(version),
      serverVersion: this.#identification.version(),
      clientKexInit: this.#kexInit,
      serverKexInit: this.#serverKexInit,
      clientPublic: this.#half.public,
      serverPublic,
      sharedSecret,
    };
    const H = exchangeHash("sha256", parts, blob);
    this.sessionId ??= H;
    this.hostKeyBlob = blob.slice();
    const source = { hash: "sha256", sharedSecret, exchangeHash: H, sessionId: this.sessionId } as const; // prettier-ignore
    const { cipher, mac } = this.#suite;
    this.outgoing = deriveSpec(source, "clientToServer", cipher, mac);
    this.#incoming = deriveSpec(source, "serverToClient", cipher, mac);
  }
}
