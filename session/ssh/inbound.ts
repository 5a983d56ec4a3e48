// What a peer may send and when: the transport's own messages are handled here, the rest goes to the layer above.
import { PeerFault } from "../../ipc/peer-fault.ts";
import { decodeExtInfo } from "./ext-info.ts";
import type { KeyExchange } from "./key-exchange.ts";
import type { PayloadReceiver } from "./layers.ts";
import * as msg from "./message-numbers.ts";
import { WireReader, WireWriter } from "./wire.ts";

/** IGNORE, DEBUG, UNIMPLEMENTED and PING before authentication; honest clients send none or a few. */
const maxPreauthNoise = 64;
/** Of the text in a peer's SSH_MSG_DISCONNECT. */
const maxDisconnectTextBytes = 1024;

export interface InboundHost {
  send(payload: Uint8Array): void;
  /** The layer above; null while there is none. */
  receiver(): PayloadReceiver | null;
  peerDisconnected(reason: number, text: Uint8Array): void;
}

/** A router with three phases: the first key exchange, userauth, authenticated. Each may be crossed by a key exchange. */
export class Inbound {
  readonly #kex: KeyExchange;
  readonly #host: InboundHost;
  isAuthenticated = false;
  peerExtensions: ReadonlyMap<string, Uint8Array> = new Map();
  #extInfosLeft: number;
  #noise = 0;

  constructor(side: "server" | "client", kex: KeyExchange, host: InboundHost) {
    this.#kex = kex;
    this.#host = host;
    // RFC 8308 section 2.4: a server may send a second one just before USERAUTH_SUCCESS.
    this.#extInfosLeft = side === "server" ? 1 : 2;
  }

  /** Routes one payload (never empty). `sequence` is its packet's number. Throws PeerFault. */
  receive(payload: Uint8Array, sequence: number): void {
    const kex = this.#kex;
    const type = payload[0] ?? 0;
    if (kex.isInitial && kex.isStrict && !isStrictKexMessage(type)) {
      throw new PeerFault(
        "STRICT_KEX",
        `strict KEX violation: unexpected packet type ${type} (seqnr ${sequence})`,
      );
    }
    // Data comes this way: nothing is made or compared that need not be.
    if (type > msg.LAST_KEX_MESSAGE && type !== msg.SSH_MSG_PING) {
      this.#passUp(type, payload, sequence);
      return;
    }
    switch (type) {
      case msg.SSH_MSG_DISCONNECT:
        this.#disconnect(payload);
        return;
      case msg.SSH_MSG_IGNORE:
      case msg.SSH_MSG_UNIMPLEMENTED:
      case msg.SSH_MSG_DEBUG:
        this.#ignore(type, payload);
        return;
      case msg.SSH_MSG_KEXINIT:
        if (!kex.isInitial && !this.isAuthenticated) {
          // OpenSSH refuses it too: a rekey before authentication serves nobody but an attacker.
          throw outOfPhase("KEXINIT", "the client is not authenticated");
        }
        kex.receiveKexInit(payload, sequence);
        return;
      case msg.SSH_MSG_NEWKEYS:
        kex.receiveNewKeys(payload);
        return;
      case msg.SSH_MSG_PING:
        this.#ping(payload);
        return;
      case msg.SSH_MSG_EXT_INFO:
        this.#extInfo(payload);
        return;
      case msg.SSH_MSG_SERVICE_REQUEST:
      case msg.SSH_MSG_SERVICE_ACCEPT:
        this.#passUp(type, payload, sequence);
        return;
    }
    if (type >= msg.SSH_MSG_KEX_INIT) kex.receiveMethod(payload);
    // 8 to 19 and 22 to 29 are the transport's too (RFC 4250 section 4.1.1), and nobody has given them a meaning.
    else this.#refuse(type, sequence);
  }

  #passUp(type: number, payload: Uint8Array, sequence: number): void {
    this.#checkBetweenExchanges(type);
    if (this.#host.receiver()?.receive(payload, sequence) !== true) this.#refuse(type, sequence);
  }

  /** Nobody knows this message: RFC 4253 section 11.4 wants an answer, but who is not authenticated gets none. */
  #refuse(type: number, sequence: number): void {
    this.#checkBetweenExchanges(type);
    if (!this.isAuthenticated)
      throw outOfPhase(`message ${type}`, "the client is not authenticated");
    this.#host.send(new WireWriter(5).byte(msg.SSH_MSG_UNIMPLEMENTED).uint32(sequence).finish());
  }

  /** RFC 4253 section 7.1: from its KEXINIT to its NEWKEYS a peer sends nothing else; and before the first NEWKEYS neither. */
  #checkBetweenExchanges(type: number): void {
    if (this.#kex.isInitial || this.#kex.isPeerBound) {
      throw outOfPhase(`message ${type}`, "a key exchange is in progress");
    }
  }

  #disconnect(payload: Uint8Array): void {
    const reader = new WireReader(payload, 1);
    const reason = reader.uint32();
    const text = reader.string().slice(0, maxDisconnectTextBytes);
    // The language tag that should follow is missing in old clients; nobody reads it.
    this.#host.peerDisconnected(reason, text);
  }

  #ignore(type: number, payload: Uint8Array): void {
    this.#countNoise();
    const reader = new WireReader(payload, 1);
    if (type === msg.SSH_MSG_UNIMPLEMENTED) {
      reader.uint32();
    } else if (type === msg.SSH_MSG_DEBUG) {
      reader.bool();
      reader.string();
      reader.string();
    } else {
      reader.string();
    }
    reader.end();
  }

  #ping(payload: Uint8Array): void {
    const reader = new WireReader(payload, 1);
    reader.string();
    reader.end();
    if (!this.isAuthenticated || !this.#kex.isIdle) {
      // As OpenSSH since CVE-2025-26466: answers would only pile up.
      this.#countNoise();
      return;
    }
    payload[0] = msg.SSH_MSG_PONG;
    this.#host.send(payload);
  }

  /** RFC 8308 section 2.4: after NEWKEYS; and for what it may contain, only before authentication is over. */
  #extInfo(payload: Uint8Array): void {
    this.#checkBetweenExchanges(msg.SSH_MSG_EXT_INFO);
    if (this.isAuthenticated || this.#extInfosLeft === 0) {
      throw outOfPhase("EXT_INFO", "it came already, or too late");
    }
    this.#extInfosLeft -= 1;
    this.peerExtensions = decodeExtInfo(payload);
  }

  #countNoise(): void {
    if (this.isAuthenticated) return;
    this.#noise += 1;
    if (this.#noise > maxPreauthNoise) {
      throw new PeerFault(
        "FLOOD",
        `Cannot take message: more than ${maxPreauthNoise} without meaning before authentication`,
      );
    }
  }
}

const outOfPhase = (what: string, why: string): PeerFault =>
  new PeerFault("OUT_OF_PHASE", `Cannot take ${what}: ${why}`);

/** What strict kex lets through until the first NEWKEYS (OpenSSH PROTOCOL section 1.10). */
function isStrictKexMessage(type: number): boolean {
  return (
    type === msg.SSH_MSG_DISCONNECT ||
    type === msg.SSH_MSG_KEXINIT ||
    type === msg.SSH_MSG_NEWKEYS ||
    (type >= msg.SSH_MSG_KEX_INIT && type <= msg.LAST_KEX_MESSAGE)
  );
}
