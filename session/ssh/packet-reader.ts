// Packets in: one bounded buffer between the stream and the opener (RFC 4253 section 6).
import {
  BAD_LENGTH,
  BAD_MAC,
  createOpener,
  NEED_MORE,
  type CipherSpec,
  type PacketOpener,
} from "../../native/packet-cipher.ts";
import { disconnectReasons, PeerFault } from "../../ipc/peer-fault.ts";
import type { Identification } from "./identification.ts";
import type { ByteStream } from "./layers.ts";

/** OpenSSH's PACKET_MAX_SIZE: what `packet_length` may say. */
export const maxPacketBytes = 256 * 1024;
/** Length field and the longest MAC (hmac-sha2-512) around it. */
const maxFramingBytes = 4 + 64;
/** Room that a read finds even behind a partial packet: several packets of bulk data a call. */
const readAheadBytes = 128 * 1024;
/** Packets under one key; RFC 4344 section 3.1: rekey after 2^31, never use a sequence number twice. */
const maxPacketsPerKey = 2 ** 32 - 1;

/** Before the first NEWKEYS (RFC 4253 section 6). */
export const noCipher: CipherSpec = {
  cipher: "none",
  mac: "none",
  key: new Uint8Array(0),
  iv: new Uint8Array(0),
  macKey: new Uint8Array(0),
};

/** The incoming direction: buffer, keys, sequence number. The buffer is virtual memory until bytes have come that far. */
export class PacketReader {
  readonly #buffer = new Uint8Array(maxPacketBytes + maxFramingBytes + readAheadBytes);
  #start = 0;
  #end = 0;
  /** Where the packet at `#start` ends, once its length is known. */
  #packetEnd = 0;
  readonly #at = new Uint32Array(2);
  #opener: PacketOpener = createOpener(noCipher, maxPacketBytes);
  #sequence: number;
  /** Counters since the last key: RFC 4253 section 9. */
  bytes = 0;
  packets = 0;
  /** Bytes read from the stream in all. */
  total = 0;
  /** Until the first key exchange is done a sequence number must not wrap (OpenSSH PROTOCOL section 1.10). */
  isInitialKex = true;

  /** A sequence number other than 0 is for tests of its wrapping. */
  constructor(sequence = 0) {
    this.#sequence = sequence;
  }

  /** Number of the packet that `next()` returned last. */
  get lastSequence(): number {
    return (this.#sequence - 1) >>> 0;
  }

  /** One read: bytes that came, 0 at the end, -1 when nothing is there. Moves what `next()` returned. */
  fill(stream: ByteStream): number {
    const buffer = this.#buffer;
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
      this.#packetEnd = 0;
    } else if (buffer.length - this.#end < readAheadBytes && this.#start > 0) {
      buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#packetEnd -= this.#start;
      this.#start = 0;
    }
    const count = stream.read(buffer, this.#end, buffer.length - this.#end);
    if (count > 0) {
      this.#end += count;
      this.total += count;
    }
    return count;
  }

  /** Feeds the identification line; true when it is complete. Throws what `Identification.take` throws. */
  identify(identification: Identification): boolean {
    const { consumed, complete } = identification.take(this.#buffer, this.#start, this.#end);
    this.#start += consumed;
    return complete;
  }

  /**
   * The payload of the next packet, valid until the next call of any method here, or null when it has not come whole. Throws
   * PeerFault BAD_PACKET_LENGTH, BAD_MAC, BAD_PADDING, SEQUENCE_WRAPPED, MALFORMED (no payload).
   */
  next(): Uint8Array | null {
    // Also when packetEnd is stale (0): then it is not beyond the end.
    if (this.#start === this.#end || this.#end < this.#packetEnd) return null;
    const at = this.#at;
    const taken = this.#opener.open(this.#buffer, this.#start, this.#end, this.#sequence, at);
    if (taken <= 0) {
      if (taken !== NEED_MORE) throw refusal(taken);
      const needed = at[1] ?? 0;
      this.#packetEnd = needed === 0 ? 0 : this.#start + needed;
      return null;
    }
    this.#start += taken;
    this.#packetEnd = 0;
    this.bytes += taken;
    this.#count();
    const length = at[1] ?? 0;
    if (length === 0) throw new PeerFault("MALFORMED", "Cannot read packet: it has no payload");
    return new Uint8Array(this.#buffer.buffer, at[0] ?? 0, length);
  }

  /** The peer's NEWKEYS has come: what follows is under these keys. */
  useKeys(spec: CipherSpec, resetSequence: boolean): void {
    this.#opener = createOpener(spec, maxPacketBytes);
    if (resetSequence) this.#sequence = 0;
    this.bytes = 0;
    this.packets = 0;
  }

  #count(): void {
    this.#sequence = (this.#sequence + 1) >>> 0;
    if (this.#sequence === 0 && this.isInitialKex) {
      throw new PeerFault(
        "SEQUENCE_WRAPPED",
        "incoming sequence number wrapped during initial key exchange",
      );
    }
    this.packets += 1;
    if (this.packets >= maxPacketsPerKey) {
      throw new PeerFault(
        "SEQUENCE_WRAPPED",
        "Cannot read packet: the key has served 2^32 packets",
      );
    }
  }
}

function refusal(result: number): PeerFault {
  if (result === BAD_LENGTH) {
    return new PeerFault("BAD_PACKET_LENGTH", "Bad packet length", { tell: "Packet corrupt" });
  }
  if (result === BAD_MAC) {
    return new PeerFault("BAD_MAC", "Corrupted MAC on input", {
      disconnectReason: disconnectReasons.macError,
      tell: "Packet corrupt",
    });
  }
  return new PeerFault("BAD_PADDING", "Corrupted padlen on input", { tell: "Packet corrupt" });
}
