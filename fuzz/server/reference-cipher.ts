// The binary packet protocol once more, slowly and from the specifications, on node:crypto: what native/packet-cipher.ts is compared with.
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import type { CipherGCMTypes } from "node:crypto";
import { cipherSizes, type CipherSpec } from "../../native/packet-cipher.ts";

const ctrs = ["aes128-ctr", "aes192-ctr", "aes256-ctr"];
const macs = ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"];
export const suites: readonly (readonly [string, string])[] = [
  ["none", ""],
  ["aes128-gcm@openssh.com", ""],
  ["aes256-gcm@openssh.com", ""],
  ["chacha20-poly1305@openssh.com", ""],
  ...ctrs.flatMap((cipher) =>
    macs.flatMap((mac) => [[cipher, mac] as const, [cipher, `${mac}-etm@openssh.com`] as const]),
  ),
];

export function fixedSpec(cipher: string, mac: string): CipherSpec {
  const sizes = cipherSizes(cipher, mac);
  const bytes = (count: number, seed: number) =>
    Uint8Array.from({ length: count }, (_, i) => (i * 31 + seed) & 0xff);
  const iv = bytes(sizes.ivBytes, 200);
  iv.fill(0xff, 4); // counters that overflow at once
  return { cipher, mac, key: bytes(sizes.keyBytes, 3), iv, macKey: bytes(sizes.macKeyBytes, 90) };
}

/** RFC 8439 section 2.5, with big integers. */
export function poly1305(key: Uint8Array, message: Uint8Array): Buffer {
  const little = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  const r = little(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let i = 0; i < message.length; i += 16) {
    const block = message.subarray(i, i + 16);
    sum = ((sum + little(Buffer.concat([block, Uint8Array.of(1)]))) * r) % ((1n << 130n) - 5n);
  }
  const tag = (sum + little(key.subarray(16, 32))) & ((1n << 128n) - 1n);
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function chacha(key: Uint8Array, sequence: number, counter: number, data: Uint8Array): Buffer {
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32LE(counter);
  nonce.writeUInt32BE(sequence, 12);
  return createCipheriv("chacha20", key, nonce).update(data);
}

function hmac(spec: CipherSpec, sequence: number, data: Uint8Array): Buffer {
  const digest = /sha(2-)?(\d+)/.exec(spec.mac)?.[2] ?? "";
  return createHmac(`sha${digest}`, spec.macKey).update(uint32(sequence)).update(data).digest();
}

/** RFC 5647 section 7.1: the invocation counter. */
const nextIv = (iv: Buffer): void => {
  iv.writeBigUInt64BE(BigInt.asUintN(64, iv.readBigUInt64BE(4) + 1n), 4);
};
const isEtm = (spec: CipherSpec) => spec.mac.includes("-etm@");
const gcmName = (spec: CipherSpec) => `aes-${spec.cipher.slice(3, 6)}-gcm` as CipherGCMTypes;
const ctrName = (spec: CipherSpec) => `aes-${spec.cipher.slice(3, 6)}-ctr`;

/** What is wrong with a packet, on purpose. */
export interface PacketLie {
  /** What `packet_length` says. */
  readonly length?: number;
  /** What `padding_length` says. */
  readonly padding?: number;
  /** This bit of the whole packet is wrong, counted from its end. */
  readonly flip?: number;
}

/** Seals packet after packet of one key; the whole packet. */
export function referenceSealer(
  spec: CipherSpec,
): (payload: Uint8Array, sequence: number, lie?: PacketLie) => Uint8Array {
  const { blockBytes, aead } = cipherSizes(spec.cipher, spec.mac);
  const stream = spec.cipher.endsWith("-ctr") && createCipheriv(ctrName(spec), spec.key, spec.iv);
  const iv = Buffer.from(spec.iv);
  const sealed = (length: Buffer, body: Buffer, sequence: number): Buffer => {
    if (spec.cipher === "none") return Buffer.concat([length, body]);
    if (spec.cipher.startsWith("chacha20")) {
      const both = Buffer.concat([
        chacha(spec.key.subarray(32), sequence, 0, length),
        chacha(spec.key.subarray(0, 32), sequence, 1, body),
      ]);
      const macKey = chacha(spec.key.subarray(0, 32), sequence, 0, new Uint8Array(32));
      return Buffer.concat([both, poly1305(macKey, both)]);
    }
    if (aead) {
      const cipher = createCipheriv(gcmName(spec), spec.key, iv);
      cipher.setAAD(length);
      nextIv(iv);
      return Buffer.concat([length, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
    }
    if (stream === false) throw new Error("No such cipher");
    if (isEtm(spec)) {
      const both = Buffer.concat([length, stream.update(body)]);
      return Buffer.concat([both, hmac(spec, sequence, both)]);
    }
    const clear = Buffer.concat([length, body]);
    return Buffer.concat([stream.update(clear), hmac(spec, sequence, clear)]);
  };
  return (payload, sequence, lie = {}) => {
    const counted = (aead || isEtm(spec) ? 0 : 4) + 1 + payload.length;
    let padding = blockBytes - (counted % blockBytes);
    if (padding < 4) padding += blockBytes;
    const body = Buffer.concat([
      Uint8Array.of(lie.padding ?? padding),
      payload,
      new Uint8Array(padding),
    ]);
    const packet = sealed(uint32(lie.length ?? body.length), body, sequence);
    if (lie.flip !== undefined) {
      const at = packet.length - 1 - ((lie.flip >> 3) % packet.length);
      packet[at] = (packet[at] ?? 0) ^ (1 << (lie.flip & 7));
    }
    return packet;
  };
}
/** The first of a key. */
export const referenceSeal = (
  spec: CipherSpec,
  payload: Uint8Array,
  sequence: number,
  lie: PacketLie,
): Uint8Array => referenceSealer(spec)(payload, sequence, lie);

/** Opens packet after packet of one key; the payload. Throws on anything wrong. */
export function referenceOpen(
  spec: CipherSpec,
): (packet: Uint8Array, sequence: number) => Uint8Array {
  const { tagBytes, aead } = cipherSizes(spec.cipher, spec.mac);
  const stream = spec.cipher.endsWith("-ctr") && createDecipheriv(ctrName(spec), spec.key, spec.iv);
  const iv = Buffer.from(spec.iv);
  const verify = (tag: Uint8Array, own: Uint8Array) => {
    if (!timingSafeEqual(tag, own)) throw new Error("Wrong tag");
  };
  const bodyOf = (packet: Uint8Array, sequence: number): Buffer => {
    const sealed = packet.subarray(0, packet.length - tagBytes);
    const tag = packet.subarray(packet.length - tagBytes);
    if (spec.cipher === "none") return Buffer.from(sealed);
    if (spec.cipher.startsWith("chacha20")) {
      verify(
        tag,
        poly1305(chacha(spec.key.subarray(0, 32), sequence, 0, new Uint8Array(32)), sealed),
      );
      return Buffer.concat([
        chacha(spec.key.subarray(32), sequence, 0, sealed.subarray(0, 4)),
        chacha(spec.key.subarray(0, 32), sequence, 1, sealed.subarray(4)),
      ]);
    }
    if (aead) {
      const cipher = createDecipheriv(gcmName(spec), spec.key, iv);
      cipher.setAAD(sealed.subarray(0, 4));
      cipher.setAuthTag(tag);
      nextIv(iv);
      const body = cipher.update(sealed.subarray(4));
      cipher.final();
      return Buffer.concat([sealed.subarray(0, 4), body]);
    }
    if (stream === false) throw new Error("No such cipher");
    if (isEtm(spec)) {
      verify(tag, hmac(spec, sequence, sealed));
      return Buffer.concat([sealed.subarray(0, 4), stream.update(sealed.subarray(4))]);
    }
    const clear = stream.update(sealed);
    verify(tag, hmac(spec, sequence, clear));
    return clear;
  };
  return (packet, sequence) => {
    const clear = bodyOf(packet, sequence);
    const padding = clear[4] ?? 0;
    if (clear.readUInt32BE(0) !== clear.length - 4) throw new Error("Wrong length");
    if (padding < 4) throw new Error("Wrong padding");
    return clear.subarray(5, clear.length - padding);
  };
}
