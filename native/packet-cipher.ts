// The binary packet protocol's cipher and MAC (RFC 4253 section 6, RFC 5647, PROTOCOL.chacha20poly1305, etm MACs), one call a
// packet: per-packet JavaScript objects cost most of the time of a bulk transfer.
import { addon } from "./addon.ts";

/** SSH names; "none" only before the first NEWKEYS. */
export interface CipherSpec {
  cipher: string;
  /** Ignored (pass "") for AEAD ciphers. */
  mac: string;
  key: Uint8Array;
  iv: Uint8Array;
  macKey: Uint8Array;
}
/** Byte counts of key, iv and MAC key for a (cipher, mac), and the block size. Throws TypeError on an unknown name. */
export interface CipherSizes {
  keyBytes: number;
  ivBytes: number;
  macKeyBytes: number;
  /** At least 8. */
  blockBytes: number;
  /** Tag or MAC bytes after each packet. */
  tagBytes: number;
  aead: boolean;
}
/** Why `open` refused, as negative results. NEED_MORE is not a refusal. */
export const NEED_MORE = 0;
export const BAD_LENGTH = -1;
export const BAD_MAC = -2;
export const BAD_PADDING = -3;

export interface PacketSealer {
  /**
   * Writes one whole packet at `out[outOffset]`: length, padding length, `header`, `data[dataOffset, +dataLength)`, random padding,
   * tag. Returns its size in bytes; RangeError when `out` has no room; `data` must lie outside that room. `sequence` is the packet's number (uint32).
   * Padding comes from a generator seeded per object from getrandom(2), never shared by forked siblings.
   */
  seal(
    out: Uint8Array,
    outOffset: number,
    header: Uint8Array,
    data: Uint8Array | null,
    dataOffset: number,
    dataLength: number,
    sequence: number,
  ): number;
  /** Overhead bound: a payload of n bytes needs at most n + this many bytes of room. */
  readonly overheadBytes: number;
}
export interface PacketOpener {
  /**
   * Opens, in place, the packet that starts at `buffer[start]`, of which bytes up to `end` have arrived. Returns the bytes the
   * packet took (> 0) with the payload at `buffer[at[0], at[0] + at[1])`; or NEED_MORE, with the total needed in at[1] when the length is
   * known (else 0); or a refusal. After NEED_MORE call again with the same packet and more bytes (buffer may have moved).
   * Packet length bounds: 1 + padding at least, `maxPacketBytes` (default 256 KiB) at most, a multiple of the block size.
   * The tag is compared in constant time and before anything decrypted is used.
   */
  open(buffer: Uint8Array, start: number, end: number, sequence: number, at: Uint32Array): number;
}
const raw = addon as unknown as {
  cipherSizes: (cipher: string, mac: string) => CipherSizes;
  createSealer: (spec: CipherSpec) => PacketSealer;
  createOpener: (spec: CipherSpec, maxPacketBytes: number) => PacketOpener;
};

export const cipherSizes = raw.cipherSizes;
/** Key material is copied into native memory, cleansed when the object is collected or `free`d by the garbage collector. */
export const createSealer = raw.createSealer;
export const createOpener = (spec: CipherSpec, maxPacketBytes = 256 * 1024): PacketOpener =>
  raw.createOpener(spec, maxPacketBytes);
