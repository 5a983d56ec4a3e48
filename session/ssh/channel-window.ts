// Windows of a channel (RFC 4254 section 5.2): how much each side lets the other send. Every byte is counted.
import { PeerFault } from "../../ipc/peer-fault.ts";

/** As OpenSSH's sessions: 64 packets of 32 KiB. */
export const sessionWindowBytes = 2 * 1024 * 1024;
/** For channels beyond the first `wideChannels`: what a client may make us keep is windows times channels. */
export const narrowWindowBytes = 256 * 1024;
export const wideChannels = 16;
/** The largest data field of one message, either way: OpenSSH's CHAN_SES_PACKET_DEFAULT. RFC 4253 section 6.1 asks for no more. */
export const maxDataBytes = 32 * 1024;
const maxWindowBytes = 0xffff_ffff;
/** An adjustment is worth a packet from here on: a fraction of the window, so that the client's pipe never runs dry. */
const adjustmentBytes = 256 * 1024;

/** What the peer lets us send. */
export class SendWindow {
  /** Of one message's data: what the peer takes, and never more than ours. */
  readonly maxDataBytes: number;
  #bytes: number;

  /** `maxPacket` is the peer's, above 0. */
  constructor(bytes: number, maxPacket: number) {
    this.#bytes = bytes;
    this.maxDataBytes = Math.min(maxPacket, maxDataBytes);
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** Throws PeerFault WINDOW_EXCEEDED: "MUST NOT be increased above 2^32 - 1 bytes". */
  widen(bytes: number): void {
    if (bytes > maxWindowBytes - this.#bytes) {
      throw new PeerFault(
        "WINDOW_EXCEEDED",
        `Cannot widen window: ${bytes} more than ${this.#bytes} are above 2^32 - 1`,
      );
    }
    this.#bytes += bytes;
  }
  spend(bytes: number): void {
    if (bytes > this.#bytes) throw new RangeError("Cannot spend window: it is smaller");
    this.#bytes -= bytes;
  }
}

/** What we let the peer send. */
export class ReceiveWindow {
  readonly #threshold: number;
  #bytes: number;
  /** Received and done with, but not given back yet. */
  #consumed = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#threshold = Math.min(adjustmentBytes, bytes / 2);
  }
  /** `length` bytes of data have come in one message. Throws PeerFault. */
  receive(length: number): void {
    if (length > maxDataBytes) {
      throw new PeerFault(
        "OUT_OF_BOUNDS",
        `Cannot take channel data: ${length} bytes, maximum packet size is ${maxDataBytes}`,
      );
    }
    if (length > this.#bytes) {
      throw new PeerFault(
        "WINDOW_EXCEEDED",
        `Cannot take channel data: ${length} bytes, the window is ${this.#bytes}`,
      );
    }
    this.#bytes -= length;
  }
  /** So many of them are no longer kept. */
  consume(bytes: number): void {
    this.#consumed += bytes;
  }
  /** What WINDOW_ADJUST gives back now; 0: not yet worth a message. */
  takeAdjustment(): number {
    if (this.#consumed < this.#threshold) return 0;
    const bytes = this.#consumed;
    this.#consumed = 0;
    this.#bytes += bytes;
    return bytes;
  }
}
