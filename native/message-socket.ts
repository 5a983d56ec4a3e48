// One end of a SOCK_SEQPACKET socket that speaks a pair of protocols of ipc/: messages in, messages out, descriptors with them.
import { PeerFault } from "../ipc/peer-fault.ts";
import { maxMessageBytes } from "../ipc/limits.ts";
import { decode, encode, type Body, type Message, type Protocol } from "../ipc/protocol.ts";
import { closeFd } from "./descriptors.ts";
import type { Poller, Readiness } from "./poller.ts";
import { receiveMessage, sendMessage } from "./sockets.ts";

export interface MessageHandlers<In extends Protocol> {
  /** `fds` came with the message, exactly as many as its table says, and are the handler's to close. */
  message(message: Message<In>, fds: readonly number[]): void;
  /** The other side is gone; nothing is called after it. The socket is closed already. */
  closed(): void;
  /** A message that the table does not know as it came; its descriptors are closed. The handler decides what ends. */
  fault(fault: PeerFault): void;
  /** What had to wait has been sent: for who holds more back while `isDrained` is false. */
  drained?(): void;
}

/** A message on its way, for who records a conversation. */
export interface TappedMessage {
  readonly name: string;
  readonly id: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The whole packet. */
  readonly bytes: number;
  readonly descriptors: number;
}
/** Sees what a socket sends and takes, and changes nothing. */
export interface MessageTap {
  sent(message: TappedMessage): void;
  /** Before its handler; `handled` after it. */
  received(message: TappedMessage): void;
  handled(): void;
  /** What no table knows as it came; `type` is its first byte, where it has one. */
  unreadable(fault: PeerFault, bytes: number, type: number | undefined, descriptors: number): void;
}

interface Unsent {
  readonly bytes: Uint8Array;
  readonly fds: readonly number[];
}

/** Messages that may wait for a peer that does not read; more is our own bug or a peer that has stopped. */
const maxUnsent = 256;
/** From here on a sender should leave out what can be left out. */
const crowdedUnsent = 128;
/** Messages taken in one go: a peer that never stops sending must not keep timers and other sockets waiting. */
const maxBatch = 16;
/** One buffer for all sockets of a process: a message is decoded (copied) before the next one is received. */
const receiveBuffer = new Uint8Array(maxMessageBytes + 1);

/** Owns `fd`. Sends at once where it can, else when the peer has read; receives while not paused, a few messages at a time. */
export class MessageSocket<In extends Protocol, Out extends Protocol> {
  readonly #poller: Poller;
  readonly #incoming: In;
  readonly #outgoing: Out;
  readonly #handlers: MessageHandlers<In>;
  readonly #unsent: Unsent[] = [];
  readonly #tap: MessageTap | undefined;
  #fd: number;
  #paused = false;
  #isWatched = false;

  constructor(
    poller: Poller,
    fd: number,
    incoming: In,
    outgoing: Out,
    handlers: MessageHandlers<In>,
    tap?: MessageTap,
  ) {
    this.#poller = poller;
    this.#tap = tap;
    this.#fd = fd;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#handlers = handlers;
    this.#interest();
  }

  get isOpen(): boolean {
    return this.#fd >= 0;
  }
  /** Nothing waits to be sent. */
  get isDrained(): boolean {
    return this.#unsent.length === 0;
  }
  /** The peer has not read for a while; `send` will refuse before long. */
  get isCrowded(): boolean {
    return this.#unsent.length >= crowdedUnsent;
  }

  /**
   * Sends, or keeps in order until the peer reads. `fds` are closed here once they are on their way (or cannot be). Nothing happens when
   * the peer is gone: `closed` tells. RangeError when a value is out of its field's bound, or when the peer has not read for too long.
   */
  send<K extends keyof Out & string>(
    name: K,
    id: number,
    body: Body<Out[K]>,
    fds: readonly number[] = [],
  ): void {
    const bytes = encode(this.#outgoing, name, id, body);
    if (this.#fd < 0) {
      fds.forEach(closeFd);
      return;
    }
    this.#tap?.sent({ name, id, body, bytes: bytes.length, descriptors: fds.length });
    if (this.#unsent.length > 0 || !this.#trySend(bytes, fds)) {
      if (this.#unsent.length >= maxUnsent) {
        fds.forEach(closeFd);
        throw new RangeError(`Cannot send ${name}: ${this.#unsent.length} messages wait already`);
      }
      this.#unsent.push({ bytes, fds });
      this.#interest();
    }
  }

  /** Stops receiving; what the peer sends stays in the kernel. */
  pause(): void {
    this.#paused = true;
    this.#interest();
  }
  resume(): void {
    this.#paused = false;
    this.#interest();
  }

  /** Closes, dropping what is unsent. No callback follows. */
  close(): void {
    if (this.#fd < 0) return;
    this.#unwatch();
    closeFd(this.#fd);
    this.#fd = -1;
    for (const { fds } of this.#unsent.splice(0)) fds.forEach(closeFd);
  }

  #interest(): void {
    if (this.#fd < 0) return;
    this.#isWatched = true;
    this.#poller.set(this.#fd, !this.#paused, this.#unsent.length > 0, this.#ready);
  }
  #unwatch(): void {
    if (this.#isWatched) this.#poller.remove(this.#fd);
    this.#isWatched = false;
  }

  readonly #ready: Readiness = (readable, writable, hungUp) => {
    if ((writable || hungUp) && this.#unsent.length > 0) this.#flush();
    if (readable || hungUp) this.#receive();
    // A hang-up is reported for as long as it lasts, asked for or not: while paused nobody would take it, and the loop would spin.
    if (hungUp && this.#paused && this.#fd >= 0 && this.#unsent.length === 0) this.#unwatch();
  };

  /** False: would block. A peer that is gone counts as sent: its end is noticed by receiving. */
  #trySend(bytes: Uint8Array, fds: readonly number[]): boolean {
    try {
      if (!sendMessage(this.#fd, bytes, 0, bytes.length, [...fds])) return false;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException; // errors of native/ carry it
      if (code !== "EPIPE" && code !== "ECONNRESET" && code !== "ENOTCONN") throw error;
    }
    fds.forEach(closeFd);
    return true;
  }

  #flush(): void {
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      if (!this.#trySend(next.bytes, next.fds)) return;
      this.#unsent.shift();
    }
    this.#interest();
    this.#handlers.drained?.();
  }

  #receive(): void {
    for (let taken = 0; taken < maxBatch && this.#fd >= 0 && !this.#paused; taken += 1) {
      const received = receiveMessage(this.#fd, receiveBuffer);
      if (received === null) return;
      if (received.length === 0 && received.fds.length === 0) {
        this.close();
        this.#handlers.closed();
        return;
      }
      this.#deliver(receiveBuffer.subarray(0, received.length), received.fds, received.truncated);
    }
  }

  #deliver(bytes: Uint8Array, fds: readonly number[], truncated: boolean): void {
    let message: Message<In>;
    try {
      if (truncated)
        throw new PeerFault(
          "OUT_OF_BOUNDS",
          "Cannot read message: longer than its limit, or descriptors were lost",
        );
      message = decode(this.#incoming, bytes, fds.length);
    } catch (error) {
      fds.forEach(closeFd);
      if (!(error instanceof PeerFault)) throw error;
      this.#tap?.unreadable(error, bytes.length, bytes[0], fds.length);
      this.#handlers.fault(error);
      return;
    }
    if (this.#tap === undefined) {
      this.#handlers.message(message, fds);
      return;
    }
    const { name, id, body } = message;
    // A protocol's names are the keys of an object literal.
    this.#tap.received({
      name: String(name),
      id,
      body,
      bytes: bytes.length,
      descriptors: fds.length,
    });
    this.#handlers.message(message, fds);
    this.#tap.handled();
  }
}
