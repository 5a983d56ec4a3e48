// The SSH transport layer (RFC 4253), either side: identification, packets, key exchange, and what is neither userauth's nor the
// connection layer's. It reads only while it can act on what comes, and keeps nothing without a bound.
import { disconnectReasons, PeerFault } from "../../ipc/peer-fault.ts";
import { encodeExtInfo, serverExtensions } from "./ext-info.ts";
import { sayGoodbye } from "./goodbye.ts";
import { HeldPayloads } from "./held-payloads.ts";
import { Identification } from "./identification.ts";
import { Inbound } from "./inbound.ts";
import { KeyExchange } from "./key-exchange.ts";
import type { PacketSender, PayloadReceiver } from "./layers.ts";
import { PacketReader } from "./packet-reader.ts";
import { PacketWriter } from "./packet-writer.ts";
import { RekeyClock, type RekeyLimit } from "./rekey-limit.ts";
import type { EndReason, Negotiated, TransportOptions } from "./transport-options.ts";

/** Sources stop above it: about what a socket buffer takes in one go. */
const softPendingBytes = 256 * 1024;
/** Above it nothing is read either: what the peer sends would only provoke more answers. */
const stopReadingBytes = 1024 * 1024;
/** From here on a write is worth its system call; less waits for the end of the event. */
const eagerFlushBytes = 128 * 1024;
type Phase =
  | { phase: "identification"; identification: Identification }
  | { phase: "packets" }
  | { phase: "ended" };

export class Transport implements PacketSender {
  readonly #options: TransportOptions;
  readonly #reader = new PacketReader();
  readonly #writer = new PacketWriter();
  readonly #held = new HeldPayloads();
  readonly #clock = new RekeyClock(() => {
    this.rekey();
  });
  readonly #kex: KeyExchange;
  #phase: Phase;
  #receiver: PayloadReceiver | null = null;
  readonly #inbound: Inbound;
  #rekeyLimit: RekeyLimit;
  #peerVersion: Uint8Array = new Uint8Array(0);
  /** Inside an event: what is sent goes out at its end. */
  #isInside = false;
  #isFlushScheduled = false;
  /** The last write was short: only the stream's readiness continues it. */
  #isBlocked = false;
  /** Somebody asked for room and got none. */
  #isStarved = false;
  #writeError: Error | null = null;

  /** Nothing is sent or read before `start`. Throws RangeError on an unknown key exchange method. */
  constructor(options: TransportOptions) {
    const { role, stream } = options;
    this.#options = options;
    this.#rekeyLimit = options.rekeyLimit ?? { bytes: 0, seconds: 0 };
    this.#phase = { phase: "identification", identification: new Identification(role.side) };
    this.#kex = new KeyExchange(role, options.algorithms, options.prepared, {
      reader: this.#reader,
      writer: this.#writer,
      begun: () => options.onKex?.(true),
      newKeysSent: () => {
        this.#held.release((payload) => {
          this.#writer.seal(payload, null, 0, 0);
        });
      },
      complete: (isInitial, negotiated) => {
        this.#kexComplete(isInitial, negotiated);
      },
      sign: (parts, done) => {
        if (role.side === "client") throw new TypeError("Cannot sign: we are the client");
        role.signExchange(parts, (signed) => {
          this.#enter(() => {
            done(signed);
          });
        });
      },
      refused: (error) => {
        this.#endWith(
          { end: "failed", error },
          disconnectReasons.keyExchangeFailed,
          "Key exchange failed",
        );
      },
    });
    this.#inbound = new Inbound(role.side, this.#kex, {
      send: (payload) => {
        this.send(payload);
      },
      receiver: () => this.#receiver,
      peerDisconnected: (reason, text) => {
        this.#finish({ end: "peerDisconnect", reason, text });
      },
    });
    stream.onReady((readable, writable, hungUp) => {
      this.#enter(() => {
        if (readable || hungUp) this.#read(hungUp);
        if (writable) this.#isBlocked = false;
      });
    });
  }

  /** Sends our identification line and begins to read. */
  start(): void {
    this.#enter(() => {
      this.#writer.plain(Buffer.from(`${this.#options.version}\r\n`, "latin1"));
    });
  }

  /** The layer that gets payloads: userauth, then connection. Set one before `onEstablished` returns. */
  setReceiver(layer: PayloadReceiver): void {
    this.#receiver = layer;
  }

  /** After USERAUTH_SUCCESS was sent (server) or received (client): rekeying, PING and UNIMPLEMENTED begin here. */
  markAuthenticated(limit: RekeyLimit = this.#rekeyLimit): void {
    this.#inbound.isAuthenticated = true;
    this.#rekeyLimit = limit;
    const { negotiated } = this.#kex;
    if (negotiated !== null && this.#phase.phase !== "ended") {
      this.#clock.start(limit, negotiated, this.#options.role.side);
    }
  }

  /** See PacketSender. Never throws for what the peer does: a connection that has ended swallows it. */
  send(
    header: Uint8Array,
    data: Uint8Array | null = null,
    offset = 0,
    length = data?.length ?? 0,
  ): void {
    if (this.#phase.phase === "ended" || this.#writeError !== null) return;
    try {
      if (!this.#kex.maySend) {
        this.#held.hold(header, data, offset, length);
        return;
      }
      this.#writer.seal(header, data, offset, length);
    } catch (fault) {
      if (!(fault instanceof PeerFault)) throw fault;
      this.fail(fault);
      return;
    }
    if (this.#writer.pending >= eagerFlushBytes) this.#flush();
    if (!this.#isInside) this.#scheduleFlush();
  }

  get hasRoom(): boolean {
    const hasRoom =
      this.#kex.maySend &&
      this.#writer.pending < softPendingBytes &&
      !this.#isEnded &&
      this.#writeError === null;
    if (!hasRoom) this.#isStarved = true;
    return hasRoom;
  }

  /** H of the first key exchange (RFC 4253 section 7.2). Throws before it is known. */
  get sessionId(): Uint8Array {
    if (this.#kex.sessionId === null) throw new TypeError("Cannot name the session: no keys yet");
    return this.#kex.sessionId;
  }
  /** K_S of the first key exchange, for publickey-hostbound-v00@openssh.com. Throws before it is known. */
  get hostKeyBlob(): Uint8Array {
    if (this.#kex.hostKeyBlob === null)
      throw new TypeError("Cannot name the host key: no keys yet");
    return this.#kex.hostKeyBlob;
  }
  /** Their identification line without its end; empty before it has come. */
  get peerVersion(): Uint8Array {
    return this.#peerVersion;
  }
  /** What the last key exchange agreed on; null before the first is complete. */
  get negotiated(): Negotiated | null {
    return this.#kex.negotiated;
  }
  /** Extensions of the peer's last EXT_INFO (RFC 8308), name to value. */
  get peerExtensions(): ReadonlyMap<string, Uint8Array> {
    return this.#inbound.peerExtensions;
  }
  get bytesSent(): number {
    return this.#writer.total;
  }
  get bytesReceived(): number {
    return this.#reader.total;
  }

  /** Begins a key re-exchange; nothing happens while one runs or before authentication. */
  rekey(): void {
    if (!this.#inbound.isAuthenticated) return;
    this.#enter(() => {
      if (!this.#kex.isInitial) this.#kex.begin();
    });
  }

  /** A second EXT_INFO with server-sig-algs alone (ext-info-in-auth@openssh.com), server only. */
  sendServerSigAlgs(algorithms: readonly string[]): void {
    this.send(encodeExtInfo([["server-sig-algs", algorithms.join(",")]]));
  }

  disconnect(reason: number, description: string): void {
    this.#endWith({ end: "disconnected", reason, description }, reason, description);
  }

  /** A layer above found a fault outside `receive()` (inside it, it throws it): tells the peer and ends. */
  fail(fault: PeerFault): void {
    this.#endWith({ end: "fault", fault }, fault.disconnectReason, fault.tell);
  }

  /** Runs part of an event. Faults of the peer end the connection; our own bugs go on to whoever called. */
  #enter(action: () => void): void {
    if (this.#phase.phase === "ended") return;
    const isOuter = !this.#isInside;
    this.#isInside = true;
    try {
      action();
      if (isOuter) this.#settle();
    } catch (fault) {
      if (!(fault instanceof PeerFault)) throw fault;
      this.fail(fault);
    } finally {
      if (isOuter) this.#isInside = false;
    }
  }

  /** The end of an event: what came is handled, what was sent goes out, and the stream learns what to wait for. */
  #settle(): void {
    for (let isFirst = true; ; isFirst = false) {
      this.#pump();
      const wasPaused = this.#isPaused();
      if (this.#clock.isDue(this.#reader, this.#writer)) this.#kex.begin();
      this.#flush();
      if (this.#writeError !== null) this.#endByWriteError(this.#writeError);
      if (this.#isEnded) return;
      if (wasPaused && !this.#isPaused()) continue;
      // Once an event: a quick peer and a source without end must not keep the loop from everything else.
      if (!isFirst || !this.#isStarved || !this.hasRoom) break;
      this.#isStarved = false;
      this.#receiver?.roomAvailable();
    }
    this.#options.stream.wait(
      !this.#isPaused(),
      this.#writer.pending > 0 || (this.#isStarved && this.#kex.maySend),
    );
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    queueMicrotask(this.#flushLater);
  }
  readonly #flushLater = (): void => {
    this.#isFlushScheduled = false;
    this.#enter(() => undefined);
  };

  get #isEnded(): boolean {
    return this.#phase.phase === "ended";
  }
  get #isIdentified(): boolean {
    return this.#phase.phase === "packets";
  }
  /** Nothing that comes can be acted on: the signer works, or the peer does not read our answers. */
  #isPaused(): boolean {
    return this.#kex.isSigning || this.#writer.pending > stopReadingBytes;
  }

  #read(hungUp: boolean): void {
    if (this.#isPaused()) {
      // A socket hangs up when both directions are gone: nobody waits for what we would still do.
      if (hungUp) this.#finish({ end: "closed", identified: this.#isIdentified });
      return;
    }
    let count: number;
    try {
      count = this.#reader.fill(this.#options.stream);
    } catch (error) {
      this.#finish({ end: "failed", error: asError(error) });
      return;
    }
    if (count > 0) this.#pump();
    // With nothing to read a hang-up is the end too: the pipe that we write to has lost its reader.
    else if (count === 0 || hungUp) this.#finish({ end: "closed", identified: this.#isIdentified });
  }

  #pump(): void {
    if (this.#phase.phase === "identification") this.#identify(this.#phase.identification);
    while (this.#phase.phase === "packets" && !this.#isPaused()) {
      const payload = this.#reader.next();
      if (payload === null) return;
      const isSecret = !this.#inbound.isAuthenticated;
      this.#inbound.receive(payload, this.#reader.lastSequence);
      // Passwords do not stay in the buffer.
      if (isSecret) payload.fill(0);
    }
  }

  #identify(identification: Identification): void {
    if (!this.#reader.identify(identification)) return;
    this.#peerVersion = identification.version();
    this.#phase = { phase: "packets" };
    this.#options.onIdentified?.(this.#peerVersion);
    this.#kex.start(Buffer.from(this.#options.version, "latin1"), this.#peerVersion);
  }

  #kexComplete(isInitial: boolean, negotiated: Negotiated): void {
    if (isInitial) this.#sendExtInfo();
    if (this.#inbound.isAuthenticated) {
      this.#clock.start(this.#rekeyLimit, negotiated, this.#options.role.side);
    }
    this.#options.onKex?.(false);
    if (isInitial) this.#options.onEstablished();
  }

  /**
   * RFC 8308 section 2.4: the next packet after our first SSH_MSG_NEWKEYS, which went out long ago. It waits for theirs because a client's
   * SERVICE_REQUEST, the second small write in a row, is held by Nagle's algorithm until its NEWKEYS is acknowledged: an answer to NEWKEYS
   * carries that acknowledgement, and saves the 40 ms of a delayed one.
   */
  #sendExtInfo(): void {
    const { role } = this.#options;
    if (role.side === "client" || !this.#kex.peerTakesExtInfo) return;
    this.#writer.seal(encodeExtInfo(serverExtensions(role.serverSigAlgs)), null, 0, 0);
  }

  #flush(): void {
    if (this.#isBlocked) return;
    try {
      this.#isBlocked = !this.#writer.flush(this.#options.stream);
    } catch (error) {
      this.#writeError = asError(error);
      this.#writer.discard();
      this.#scheduleFlush();
    }
  }

  /** The peer reads no more; what it said last may still be there, an SSH_MSG_DISCONNECT above all. */
  #endByWriteError(error: Error): void {
    if (!this.#isPaused()) this.#read(false);
    this.#finish({ end: "failed", error });
  }

  /** Tells the peer, as far as it listens, and ends. */
  #endWith(end: EndReason, reason: number, description: string): void {
    if (this.#isEnded) return;
    sayGoodbye(this.#writer, this.#options.stream, this.#isIdentified, reason, description);
    this.#finish(end);
  }

  #finish(end: EndReason): void {
    if (this.#isEnded) return;
    this.#phase = { phase: "ended" };
    this.#clock.stop();
    this.#kex.stop();
    this.#writer.discard();
    this.#options.stream.close();
    this.#options.onEnd(end);
  }
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error("Cannot use stream", { cause: error });
