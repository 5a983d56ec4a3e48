// SSH_MSG_KEXINIT (RFC 4253 section 7.1): what each side offers.
import { randomFillSync } from "node:crypto";
import { maxKexInitBytes } from "../../ipc/limits.ts";
import { disconnectReasons, PeerFault } from "../../ipc/peer-fault.ts";
import { SSH_MSG_KEXINIT } from "./message-numbers.ts";
import type { AlgorithmPreferences } from "./transport-options.ts";
import { WireReader, WireWriter } from "./wire.ts";

const cookieBytes = 16;

/** The markers that are no algorithms: the first KEXINIT of each side carries them among its kex names. */
export const markers = {
  server: { extInfo: "ext-info-s", strict: "kex-strict-s-v00@openssh.com" },
  client: { extInfo: "ext-info-c", strict: "kex-strict-c-v00@openssh.com" },
} as const;

/** The name-lists of a KEXINIT that matter here; languages are read and forgotten. */
export interface KexOffer {
  kex: readonly string[];
  hostKey: readonly string[];
  cipherClientToServer: readonly string[];
  cipherServerToClient: readonly string[];
  macClientToServer: readonly string[];
  macServerToClient: readonly string[];
  compressionClientToServer: readonly string[];
  compressionServerToClient: readonly string[];
  /** The sender guessed, and its next packet is the guess. */
  firstKexPacketFollows: boolean;
}

/** Our offer. In the first exchange the kex list ends with the markers of `side`. */
export function ourOffer(
  algorithms: AlgorithmPreferences,
  side: "server" | "client",
  isInitial: boolean,
): KexOffer {
  const { extInfo, strict } = markers[side];
  return {
    kex: isInitial ? [...algorithms.kex, extInfo, strict] : algorithms.kex,
    hostKey: algorithms.hostKey,
    cipherClientToServer: algorithms.ciphers,
    cipherServerToClient: algorithms.ciphers,
    macClientToServer: algorithms.macs,
    macServerToClient: algorithms.macs,
    // Compression before authentication is attack surface (CVE-2016-10012), and after it nobody has missed it yet.
    compressionClientToServer: ["none"],
    compressionServerToClient: ["none"],
    firstKexPacketFollows: false,
  };
}

/** The whole payload, with a fresh random cookie. */
export function encodeKexInit(offer: KexOffer): Uint8Array {
  const cookie = randomFillSync(new Uint8Array(cookieBytes));
  return new WireWriter(2048)
    .byte(SSH_MSG_KEXINIT)
    .bytes(cookie)
    .nameList(offer.kex)
    .nameList(offer.hostKey)
    .nameList(offer.cipherClientToServer)
    .nameList(offer.cipherServerToClient)
    .nameList(offer.macClientToServer)
    .nameList(offer.macServerToClient)
    .nameList(offer.compressionClientToServer)
    .nameList(offer.compressionServerToClient)
    .nameList([])
    .nameList([])
    .bool(offer.firstKexPacketFollows)
    .uint32(0)
    .finish();
}

/** Reads a peer's payload. Throws PeerFault MALFORMED, TRUNCATED, TRAILING_BYTES, OUT_OF_BOUNDS. */
export function decodeKexInit(payload: Uint8Array): KexOffer {
  if (payload.length > maxKexInitBytes) {
    throw new PeerFault(
      "OUT_OF_BOUNDS",
      `Cannot read KEXINIT: ${payload.length} bytes, limit is ${maxKexInitBytes}`,
      { disconnectReason: disconnectReasons.keyExchangeFailed },
    );
  }
  const reader = new WireReader(payload, 1);
  reader.bytes(cookieBytes);
  const offer = {
    kex: reader.nameList(),
    hostKey: reader.nameList(),
    cipherClientToServer: reader.nameList(),
    cipherServerToClient: reader.nameList(),
    macClientToServer: reader.nameList(),
    macServerToClient: reader.nameList(),
    compressionClientToServer: reader.nameList(),
    compressionServerToClient: reader.nameList(),
  };
  reader.nameList();
  reader.nameList();
  const firstKexPacketFollows = reader.bool();
  // Reserved for extensions: whatever it says, it says nothing to us (as OpenSSH).
  reader.uint32();
  reader.end();
  return { ...offer, firstKexPacketFollows };
}
