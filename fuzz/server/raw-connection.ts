// A client over TCP that obeys nothing: any payload and any byte at any time, under real keys. Its own way through key exchange and login is
// there for getting to the state in which it misbehaves.
import { connect, type Socket } from "node:net";
import type { LabKey } from "../../lab/lab-key.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import { publicKeyRequest, signedData } from "../../session/client-userauth.ts";
import { deriveSpec } from "../../session/ssh/derive-keys.ts";
import { exchangeHash } from "../../session/ssh/exchange-hash.ts";
import { Identification } from "../../session/ssh/identification.ts";
import type { ClientHalf, KexMethod } from "../../session/ssh/kex-method.ts";
import { kexMethod } from "../../session/ssh/kex-methods.ts";
import { decodeKexInit, encodeKexInit, markers, type KexOffer } from "../../session/ssh/kexinit.ts";
import { negotiate } from "../../session/ssh/negotiate.ts";
import { noCipher, PacketReader } from "../../session/ssh/packet-reader.ts";
import type { Negotiated } from "../../session/ssh/transport-options.ts";
import { WireReader, WireWriter } from "../../session/ssh/wire.ts";
import type { CipherSpec } from "../../native/packet-cipher.ts";
import { referenceSealer, type PacketLie } from "./reference-cipher.ts";

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

export interface RawOptions {
  readonly host?: string;
  readonly suite?: Suite;
  readonly isStrict?: boolean;
}

export class RawConnection {
  readonly socket: Socket;
  /** What the server's log calls us. */
  port = 0;
  isClosed = false;
  /** Bytes of the server's that are no packet under the keys that we know: nothing it says is understood any more. */
  misunderstood: Error | null = null;
  /** Keys of our direction, once they are agreed on: for packets that are forged by hand. */
  outgoing: CipherSpec | null = null;
  sessionId: Uint8Array | null = null;
  hostKeyBlob: Uint8Array = new Uint8Array(0);
  readonly #suite: Suite;
  readonly #isStrict: boolean;
  readonly #reader = new PacketReader();
  #sealer = referenceSealer(noCipher);
  #sequence = 0;
  readonly #identification = new Identification("client");
  #isIdentified = false;
  #chunks = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  /** Of ours, as far as it has gone out; whole at its LF. */
  #line = "";
  #kexInit: Uint8Array = new Uint8Array(0);
  #serverKexInit: Uint8Array = new Uint8Array(0);
  /** Both first KEXINITs have OpenSSH's marker: settled by the first exchange. */
  #hasStrictKex = false;
  #half: ClientHalf | null = null;
  /** Wait for a NEWKEYS of ours, and for one of the server's. */
  #nextOutgoing: CipherSpec | null = null;
  #nextIncoming: CipherSpec | null = null;

  private constructor(
    port: number,
    { host = "127.0.0.1", suite = defaultSuite, isStrict = true }: RawOptions,
  ) {
    this.#suite = suite;
    this.#isStrict = isStrict;
    this.socket = connect({ port, host, noDelay: true });
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

  static async open(port: number, options: RawOptions = {}): Promise<RawConnection> {
    const raw = new RawConnection(port, options);
    await new Promise((resolve, reject) => raw.socket.once("connect", resolve).once("error", reject)); // prettier-ignore
    raw.port = raw.socket.localPort ?? 0;
    return raw;
  }

  /** Keys are agreed on, and our NEWKEYS has not taken them into use. */
  get hasNewKeys(): boolean {
    return this.#nextOutgoing !== null;
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array | string): void {
    if (!this.#line.endsWith("\n"))
      this.#line += /^[^\n]*\n?/.exec(Buffer.from(bytes).toString("latin1"))?.[0] ?? "";
    this.socket.write(bytes);
  }
  /** One payload in a packet, proper but for what the lie says; the caller sends it. NEWKEYS changes the keys of what is sealed next. */
  seal(payload: Uint8Array, lie: PacketLie = {}): Uint8Array {
    const packet = this.#sealer(payload, this.#sequence, lie);
    this.#sequence = (this.#sequence + 1) >>> 0;
    if (payload[0] === 20) this.#kexInit = payload.slice();
    if (payload[0] === 21 && this.#nextOutgoing !== null) {
      this.#sealer = referenceSealer(this.#nextOutgoing);
      if (this.#hasStrictKex) this.#sequence = 0;
      this.#nextOutgoing = null;
    }
    return packet;
  }
  send(payload: Uint8Array, lie: PacketLie = {}): void {
    this.bytes(this.seal(payload, lie));
  }
  /** The next payload of the server's; "quiet": none for so long. */
  async nextWithin(ms: number): Promise<Uint8Array | "closed" | "quiet"> {
    for (;;) {
      const payload = this.#open();
      if (payload !== undefined) {
        this.#note(payload);
        return payload;
      }
      if (this.#fill()) continue;
      if (this.isClosed) return "closed";
      const isQuiet = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => { resolve(true); }, ms); // prettier-ignore
        this.#wake = () => {
          clearTimeout(timer);
          resolve(false);
        };
      });
      if (isQuiet) return "quiet";
    }
  }
  /** The next payload of the server's, or null when it has closed. */
  async next(): Promise<Uint8Array | null> {
    const next = await this.nextWithin(patienceMs);
    if (this.misunderstood !== null) throw this.misunderstood;
    if (next === "quiet") throw new Error("Waited in vain for the server");
    return next === "closed" ? null : next;
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
    this.send(payload);
  }
  /** Our public value, by the method that both KEXINITs agree on; the keys come from it. */
  public(): Uint8Array {
    this.#half = kexMethod(this.#negotiated()?.kex ?? kex).start();
    return this.#half.public;
  }
  /** The payload of our 30. */
  init(): Uint8Array {
    return new WireWriter().byte(30).string(this.public()).finish().slice();
  }
  sendNewKeys(): void {
    this.send(Uint8Array.of(21));
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
  signedRequest(user: string, key: LabKey, isHostBound = true): Uint8Array {
    const bound = isHostBound ? this.hostKeyBlob : null;
    const request = publicKeyRequest(user, { algorithm: "ssh-ed25519", blob: key.blob }, true, bound); // prettier-ignore
    const signature = key.sign(this.signedOver(request));
    return new WireWriter(512).bytes(request).string(signature).finish().slice();
  }
  /** What a signature behind `request` is over (RFC 4252 section 7); an empty session id before there is one. */
  signedOver(request: Uint8Array): Uint8Array {
    return signedData(this.sessionId ?? new Uint8Array(0), request).slice();
  }
  async login(user: string, key: LabKey): Promise<void> {
    await this.service();
    this.send(this.signedRequest(user, key));
    await this.until(52);
  }

  #open(): Uint8Array | undefined {
    if (!this.#isIdentified || this.misunderstood !== null) return undefined;
    try {
      return this.#reader.next()?.slice();
    } catch (error) {
      this.misunderstood = error instanceof Error ? error : new Error(String(error));
      return undefined;
    }
  }
  #fill(): boolean {
    const read = (buffer: Uint8Array, offset: number, length: number): number => {
      const count = Math.min(length, this.#chunks.length);
      buffer.set(this.#chunks.subarray(0, count), offset);
      this.#chunks = this.#chunks.subarray(count);
      return count;
    };
    if (this.#chunks.length === 0) return false;
    if (this.misunderstood !== null) {
      this.#chunks = Buffer.alloc(0);
      return false;
    }
    this.#reader.fill({ read, write: () => -1, wait: () => undefined, onReady: () => undefined, close: () => undefined }); // prettier-ignore
    try {
      if (!this.#isIdentified) this.#isIdentified = this.#reader.identify(this.#identification);
    } catch (error) {
      this.misunderstood = error instanceof Error ? error : new Error(String(error));
    }
    return true;
  }

  #note(payload: Uint8Array): void {
    if (payload[0] === 20) this.#serverKexInit = payload;
    else if (payload[0] === 31) this.#derive(new WireReader(payload, 1));
    else if (payload[0] === 21 && this.#nextIncoming !== null) {
      this.#reader.useKeys(this.#nextIncoming, this.#hasStrictKex);
      this.#nextIncoming = null;
    }
  }

  /** Null as long as there is nothing that both sides have. */
  #negotiated(): Negotiated | null {
    try {
      const ours = decodeKexInit(this.#kexInit);
      const theirs = decodeKexInit(this.#serverKexInit);
      if (this.sessionId === null)
        this.#hasStrictKex = ours.kex.includes(markers.client.strict) && theirs.kex.includes(markers.server.strict); // prettier-ignore
      return negotiate(ours, theirs, "client").negotiated;
    } catch {
      return null; // a KEXINIT that has not come, or one of ours that was spoilt: there will be no keys
    }
  }

  #derive(reply: WireReader): void {
    const negotiated = this.#negotiated();
    const half = this.#half;
    if (negotiated === null || half === null) return;
    const method: KexMethod = kexMethod(negotiated.kex);
    const blob = reply.string();
    const serverPublic = reply.string();
    let sharedSecret: Uint8Array;
    try {
      sharedSecret = half.finish(serverPublic);
    } catch (error) {
      // An answer to something else than what our half was made for: there will be no keys.
      if (!(error instanceof PeerFault)) throw error;
      this.misunderstood = error;
      return;
    }
    const parts = {
      kex: negotiated.kex,
      hostKeyAlgorithm: negotiated.hostKey,
      clientVersion: Buffer.from(this.#line.replace(/\r?\n$/, ""), "latin1"),
      serverVersion: this.#identification.version(),
      clientKexInit: this.#kexInit,
      serverKexInit: this.#serverKexInit,
      clientPublic: half.public,
      serverPublic,
      sharedSecret,
    };
    const H = exchangeHash(method.hash, parts, blob);
    if (this.sessionId === null) this.hostKeyBlob = blob.slice();
    this.sessionId ??= H;
    const source = { hash: method.hash, sharedSecret, exchangeHash: H, sessionId: this.sessionId };
    const { cipherClientToServer, macClientToServer, cipherServerToClient, macServerToClient } = negotiated; // prettier-ignore
    this.outgoing = deriveSpec(source, "clientToServer", cipherClientToServer, macClientToServer);
    this.#nextOutgoing = this.outgoing;
    this.#nextIncoming = deriveSpec(source, "serverToClient", cipherServerToClient, macServerToClient); // prettier-ignore
  }
}
