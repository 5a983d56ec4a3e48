// The state machine of key exchange and re-exchange (RFC 4253 sections 7 to 9; strict kex: OpenSSH PROTOCOL section 1.10).
import type { CipherSpec } from "../../native/packet-cipher.ts";
import { disconnectReasons, PeerFault } from "../../ipc/peer-fault.ts";
import { deriveSpec, wipeSpec, type KeySource } from "./derive-keys.ts";
import { exchangeHash } from "./exchange-hash.ts";
import { verifyExchange } from "./host-key-verify.ts";
import type { ClientHalf, KexMethod } from "./kex-method.ts";
import { kexMethod } from "./kex-methods.ts";
import type { Ephemeral } from "./kex-x25519.ts";
import { decodeKexInit, encodeKexInit, markers, ourOffer, type KexOffer } from "./kexinit.ts";
import type { ExchangeParts, SignedExchange } from "./layers.ts";
import { SSH_MSG_KEX_INIT, SSH_MSG_KEX_REPLY, SSH_MSG_NEWKEYS } from "./message-numbers.ts";
import { negotiate } from "./negotiate.ts";
import type { PacketReader } from "./packet-reader.ts";
import type { PacketWriter } from "./packet-writer.ts";
import { prepareKex, usableAlgorithms, type PreparedKex } from "./prepared-kex.ts";
import type {
  AlgorithmPreferences,
  ClientRole,
  Negotiated,
  ServerRole,
} from "./transport-options.ts";
import { WireReader, WireWriter } from "./wire.ts";

/** Both offers, and what came of them. */
interface Agreed {
  negotiated: Negotiated;
  method: KexMethod;
  ourKexInit: Uint8Array;
  peerKexInit: Uint8Array;
}
type State =
  | { state: "idle" }
  | {
      state: "expectKexInit";
      offer: KexOffer;
      kexInit: Uint8Array;
      ephemeral: Ephemeral | undefined;
    }
  /** A server's wait for 30; `skip`: the packet that comes next is a wrong guess. */
  | { state: "expectInit"; agreed: Agreed; skip: boolean; ephemeral: Ephemeral | undefined }
  /** A server's wait for its signer. The transport reads nothing meanwhile. */
  | { state: "signing" }
  /** A client's wait for 31. */
  | { state: "expectReply"; agreed: Agreed; half: ClientHalf; skip: boolean }
  | { state: "expectNewKeys"; incoming: CipherSpec; negotiated: Negotiated }
  | { state: "stopped" };

/** What the transport does around an exchange. */
export interface KexHost {
  readonly reader: PacketReader;
  readonly writer: PacketWriter;
  /** `onKex` of the options. */
  begun(): void;
  /** Our NEWKEYS is sealed: other payloads may go again. */
  newKeysSent(): void;
  /** Both directions have their new keys. */
  complete(isInitial: boolean, negotiated: Negotiated): void;
  /** `done` is called inside the transport's guard, or never once the connection has ended. */
  sign(parts: ExchangeParts, done: (signed: SignedExchange | null) => void): void;
  /** No signature: the connection cannot go on, and it is not the peer's fault. */
  refused(error: Error): void;
}

const outOfPhase = (message: string): PeerFault => new PeerFault("OUT_OF_PHASE", message);

export class KeyExchange {
  readonly #role: ServerRole | ClientRole;
  readonly #algorithms: AlgorithmPreferences;
  readonly #host: KexHost;
  #prepared: PreparedKex | null;
  #versions: { ours: Uint8Array; peers: Uint8Array } = {
    ours: new Uint8Array(0),
    peers: new Uint8Array(0),
  };
  #state: State = { state: "idle" };
  /** Until the first exchange is complete in both directions. */
  isInitial = true;
  /** Both sides showed the marker in their first KEXINIT. Settled once: later KEXINITs do not change it. */
  isStrict = false;
  peerTakesExtInfo = false;
  /** RFC 4253 section 7.1: not between our KEXINIT and our NEWKEYS, and not before the first. */
  maySend = false;
  sessionId: Uint8Array | null = null;
  hostKeyBlob: Uint8Array | null = null;
  negotiated: Negotiated | null = null;

  constructor(
    role: ServerRole | ClientRole,
    algorithms: AlgorithmPreferences,
    prepared: PreparedKex | undefined,
    host: KexHost,
  ) {
    const hostKeys = role.side === "server" ? role.hostKeys : null;
    this.#role = role;
    this.#algorithms = usableAlgorithms(algorithms, hostKeys);
    this.#prepared = prepared ?? prepareKex(role.side, algorithms, hostKeys);
    this.#host = host;
  }

  get isIdle(): boolean {
    return this.#state.state === "idle";
  }
  get isSigning(): boolean {
    return this.#state.state === "signing";
  }
  /** Between the peer's KEXINIT and its NEWKEYS it may send nothing else (RFC 4253 section 7.1). */
  get isPeerBound(): boolean {
    return this.#state.state !== "idle" && this.#state.state !== "expectKexInit";
  }

  /** Sends the first KEXINIT. Identification lines are without their ends. */
  start(ours: Uint8Array, peers: Uint8Array): void {
    this.#versions = { ours, peers };
    this.begin();
  }

  /** Sends our KEXINIT, if no exchange is on its way. */
  begin(): void {
    if (this.#state.state !== "idle") return;
    const prepared = this.#prepared;
    this.#prepared = null;
    const offer = prepared?.offer ?? ourOffer(this.#algorithms, this.#role.side, false);
    const kexInit = prepared?.kexInit ?? encodeKexInit(offer);
    this.#state = { state: "expectKexInit", offer, kexInit, ephemeral: prepared?.ephemeral };
    this.maySend = false;
    this.#host.begun();
    this.#host.writer.seal(kexInit, null, 0, 0);
  }

  /** The connection has ended: a late signature finds nobody. */
  stop(): void {
    if (this.#state.state === "expectNewKeys") wipeSpec(this.#state.incoming);
    this.#state = { state: "stopped" };
  }

  /** `sequence` is the number of the packet. */
  receiveKexInit(payload: Uint8Array, sequence: number): void {
    this.begin();
    const state = this.#state;
    if (state.state !== "expectKexInit") throw outOfPhase("Cannot take KEXINIT: one came already");
    const peer = decodeKexInit(payload);
    const side = this.#role.side;
    if (this.isInitial) {
      const theirs = side === "server" ? markers.client : markers.server;
      this.peerTakesExtInfo = peer.kex.includes(theirs.extInfo);
      this.isStrict = peer.kex.includes(theirs.strict);
      if (this.isStrict && sequence !== 0) {
        throw new PeerFault("STRICT_KEX", "strict KEX violation: KEXINIT was not the first packet");
      }
    }
    const { negotiated, isGuessWrong } =
      side === "server" ? negotiate(peer, state.offer, side) : negotiate(state.offer, peer, side);
    const agreed = {
      negotiated,
      method: kexMethod(negotiated.kex),
      ourKexInit: state.kexInit,
      peerKexInit: payload.slice(),
    };
    if (side === "server") {
      const { ephemeral } = state;
      this.#state = { state: "expectInit", agreed, skip: isGuessWrong, ephemeral };
      return;
    }
    const half = agreed.method.start();
    this.#state = { state: "expectReply", agreed, half, skip: isGuessWrong };
    const init = new WireWriter(2048).byte(SSH_MSG_KEX_INIT).string(half.public);
    this.#host.writer.seal(init.finish(), null, 0, 0);
  }

  /** A message of the method: 30 to 49. */
  receiveMethod(payload: Uint8Array): void {
    const state = this.#state;
    const type = payload[0] ?? 0;
    if ((state.state === "expectInit" || state.state === "expectReply") && state.skip) {
      // RFC 4253 section 7: a wrong guess is ignored, whatever it holds.
      state.skip = false;
    } else if (state.state === "expectInit" && type === SSH_MSG_KEX_INIT) {
      this.#respond(state.agreed, state.ephemeral, payload);
    } else if (state.state === "expectReply" && type === SSH_MSG_KEX_REPLY) {
      this.#accept(state.agreed, state.half, payload);
    } else {
      throw outOfPhase(`Cannot take key exchange message ${type} in state ${state.state}`);
    }
  }

  receiveNewKeys(payload: Uint8Array): void {
    const state = this.#state;
    if (state.state !== "expectNewKeys") {
      throw outOfPhase(`Cannot take NEWKEYS in state ${state.state}`);
    }
    new WireReader(payload, 1).end();
    this.#host.reader.useKeys(state.incoming, this.isStrict);
    wipeSpec(state.incoming);
    this.#state = { state: "idle" };
    this.negotiated = state.negotiated;
    const wasInitial = this.isInitial;
    this.isInitial = false;
    this.#host.reader.isInitialKex = false;
    this.#host.writer.isInitialKex = false;
    this.#host.complete(wasInitial, state.negotiated);
  }

  #parts(agreed: Agreed, clientPublic: Uint8Array, serverPublic: Uint8Array, secret: Uint8Array) {
    const isServer = this.#role.side === "server";
    const { ours, peers } = this.#versions;
    return {
      kex: agreed.negotiated.kex,
      hostKeyAlgorithm: agreed.negotiated.hostKey,
      clientVersion: isServer ? peers : ours,
      serverVersion: isServer ? ours : peers,
      clientKexInit: isServer ? agreed.peerKexInit : agreed.ourKexInit,
      serverKexInit: isServer ? agreed.ourKexInit : agreed.peerKexInit,
      clientPublic,
      serverPublic,
      sharedSecret: secret,
    } satisfies ExchangeParts;
  }

  /** Server: C_INIT has come. */
  #respond(agreed: Agreed, ephemeral: Ephemeral | undefined, payload: Uint8Array): void {
    const reader = new WireReader(payload, 1);
    const clientPublic = reader.string().slice();
    reader.end();
    const { serverPublic, sharedSecret } = agreed.method.respond(clientPublic, ephemeral);
    const parts = this.#parts(agreed, clientPublic, serverPublic, sharedSecret);
    const blob = this.#ourHostKey(agreed.negotiated.hostKey);
    const hash = exchangeHash(agreed.method.hash, parts, blob);
    const signing: State = { state: "signing" };
    this.#state = signing;
    this.#host.sign(parts, (signed) => {
      // Answered twice, or after the end.
      if (this.#state !== signing) return;
      if (signed === null) {
        this.#host.refused(new Error("Cannot finish key exchange: the signer refused"));
        return;
      }
      if (Buffer.compare(signed.exchangeHash, hash) !== 0) {
        this.#host.refused(new Error("Cannot finish key exchange: the signer hashed otherwise"));
        return;
      }
      const reply = new WireWriter(4096)
        .byte(SSH_MSG_KEX_REPLY)
        .string(blob)
        .string(serverPublic)
        .string(signed.signature);
      this.#host.writer.seal(reply.finish(), null, 0, 0);
      this.#changeKeys(agreed, blob, hash, sharedSecret);
    });
  }

  /** Client: S_REPLY has come. */
  #accept(agreed: Agreed, half: ClientHalf, payload: Uint8Array): void {
    if (this.#role.side !== "client") throw outOfPhase("Cannot take a reply: we are the server");
    const reader = new WireReader(payload, 1);
    const blob = reader.string().slice();
    const serverPublic = reader.string();
    const signature = reader.string();
    reader.end();
    const algorithm = agreed.negotiated.hostKey;
    if (!this.#role.verifyHostKey(blob, algorithm)) {
      throw new PeerFault("BAD_HOST_KEY", "Cannot trust the server: its host key is unknown", {
        disconnectReason: disconnectReasons.hostKeyNotVerifiable,
      });
    }
    const secret = half.finish(serverPublic);
    const parts = this.#parts(agreed, half.public, serverPublic, secret);
    const hash = exchangeHash(agreed.method.hash, parts, blob);
    verifyExchange(blob, algorithm, hash, signature);
    this.#changeKeys(agreed, blob, hash, secret);
  }

  /** Sends NEWKEYS, takes our direction's keys into use and keeps the peer's until its NEWKEYS. Wipes `sharedSecret`. */
  #changeKeys(
    agreed: Agreed,
    hostKeyBlob: Uint8Array,
    hash: Uint8Array,
    sharedSecret: Uint8Array,
  ): void {
    const { negotiated, method } = agreed;
    this.sessionId ??= hash;
    this.hostKeyBlob ??= hostKeyBlob;
    const { sessionId } = this;
    const source: KeySource = { hash: method.hash, sharedSecret, exchangeHash: hash, sessionId };
    const clientToServer = deriveSpec(
      source,
      "clientToServer",
      negotiated.cipherClientToServer,
      negotiated.macClientToServer,
    );
    const serverToClient = deriveSpec(
      source,
      "serverToClient",
      negotiated.cipherServerToClient,
      negotiated.macServerToClient,
    );
    sharedSecret.fill(0);
    const isServer = this.#role.side === "server";
    const outgoing = isServer ? serverToClient : clientToServer;
    const incoming = isServer ? clientToServer : serverToClient;
    this.#host.writer.seal(Uint8Array.of(SSH_MSG_NEWKEYS), null, 0, 0);
    this.#host.writer.useKeys(outgoing, this.isStrict);
    wipeSpec(outgoing);
    this.#state = { state: "expectNewKeys", incoming, negotiated };
    this.maySend = true;
    this.#host.newKeysSent();
  }

  #ourHostKey(algorithm: string): Uint8Array {
    const keys = this.#role.side === "server" ? this.#role.hostKeys : [];
    const key = keys.find((candidate) => candidate.algorithms.includes(algorithm));
    if (key === undefined) throw new RangeError(`Cannot sign: no host key serves ${algorithm}`);
    return key.blob;
  }
}
