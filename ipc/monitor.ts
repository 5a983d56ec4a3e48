// Session process <-> broker: requests of the process that reads the network, answers of the monitor. Which request is permitted
// when stands in broker/permits.ts; this file is only their shape.
import { addressFields } from "./addresses.ts";
import { bool, bytes, list, text, u32, u64, u8 } from "./fields.ts";
import * as limits from "./limits.ts";
import { protocol, type Message } from "./protocol.ts";

/** How a connection ended, as the session process saw it; `ended.reason` is an index. */
export const endReasons = [
  "peer-closed",
  "peer-reset",
  "peer-disconnected", // SSH_MSG_DISCONNECT received: code, text
  "we-disconnected", // SSH_MSG_DISCONNECT sent: code, text
  "bad-identification", // text: what is wrong with the line, in sshd's words where it has some
  "version-mismatch", // text: "Protocol major versions differ: 2 vs. 1"
  "no-common-algorithm", // text: "no matching key exchange method found. Their offer: ..."
  "protocol-fault", // code, text
  "client-not-responding", // ClientAliveCountMax
  "stopped", // the broker said stop
  "internal-error",
  "idle-before-identification", // closed before a byte was sent
] as const;
export type EndReason = (typeof endReasons)[number];

/** From the session process. */
export const requests = protocol({
  confined: {
    type: 1,
    descriptors: 0,
    meaning: "All layers of confinement are in place; the broker now verifies them from outside",
    fields: {
      /** Layers that the kernel or the container refused, by name, `name: reason`. */
      missing: list(text(200), 32),
    },
  },
  adopted: {
    type: 2,
    descriptors: 0,
    meaning:
      "The connection's descriptor has arrived; none may arrive any more before authentication",
    fields: {},
  },
  sign: {
    type: 3,
    descriptors: 0,
    meaning: "The parts of an exchange hash, for the signer to compose and sign",
    fields: {
      kex: text(limits.maxNameBytes),
      hostKeyAlgorithm: text(limits.maxNameBytes),
      clientVersion: bytes(limits.maxVersionBytes),
      serverVersion: bytes(limits.maxVersionBytes),
      clientKexInit: bytes(limits.maxKexInitBytes),
      serverKexInit: bytes(limits.maxKexInitBytes),
      clientPublic: bytes(limits.maxKexPublicBytes),
      serverPublic: bytes(limits.maxKexPublicBytes),
      /** As it enters the hash, without its length. */
      sharedSecret: bytes(limits.maxSharedSecretBytes),
    },
  },
  lookupUser: {
    type: 4,
    descriptors: 0,
    meaning:
      "The user that the client names in its first authentication request (RFC 4252 section 5)",
    fields: { user: bytes(limits.maxUserBytes), service: bytes(limits.maxNameBytes) },
  },
  authNone: {
    type: 5,
    descriptors: 0,
    meaning: "The method none (RFC 4252 section 5.2)",
    fields: {},
  },
  authUnsupported: {
    type: 6,
    descriptors: 0,
    meaning: "A method that this server does not offer: counts as a failure",
    fields: { method: bytes(limits.maxNameBytes) },
  },
  publickeyQuery: {
    type: 7,
    descriptors: 0,
    meaning: "May this key be used? (RFC 4252 section 7, without a signature)",
    fields: { algorithm: text(limits.maxNameBytes), blob: bytes(limits.maxKeyBlobBytes) },
  },
  publickeySign: {
    type: 8,
    descriptors: 0,
    meaning:
      "A signature by this key; the broker composes what must have been signed and verifies it",
    fields: {
      algorithm: text(limits.maxNameBytes),
      blob: bytes(limits.maxKeyBlobBytes),
      signature: bytes(limits.maxSignatureBytes),
      /** publickey-hostbound-v00@openssh.com: the host key that the client saw is signed over too. */
      hostBound: bool,
      /** Empty unless hostBound. */
      hostKey: bytes(limits.maxKeyBlobBytes),
    },
  },
  proveHostKey: {
    type: 9,
    descriptors: 0,
    meaning: "hostkeys-prove-00@openssh.com: a proof for one of our host keys, once each",
    fields: { blob: bytes(limits.maxKeyBlobBytes), algorithm: text(limits.maxNameBytes) },
  },
  log: {
    type: 10,
    descriptors: 0,
    meaning: "A line for the log: data from a process that is not believed, bounded in number",
    fields: {
      /** 0 error, 1 info, 2 verbose, 3-5 debug1-3. */
      level: u8(5),
      /** Stable name of the event, such as "session.start". */
      code: text(limits.maxNameBytes),
      text: bytes(limits.maxLogTextBytes),
    },
  },
  ended: {
    type: 11,
    descriptors: 0,
    meaning: "The connection is over, and why; the last request",
    fields: {
      /** Index in `endReasons`. */
      reason: u8(endReasons.length - 1),
      /** SSH disconnect reason, sent or received; 0 where there was none. */
      code: u32(),
      /** The peer's or our description; untrusted. */
      text: bytes(limits.maxLogTextBytes),
      bytesReceived: u64(),
      bytesSent: u64(),
    },
  },
});

/** From the broker. */
export const answers = protocol({
  connection: {
    type: 64,
    descriptors: 1,
    meaning: "The client's connection",
    fields: {
      ...addressFields,
      /** With `-i` on two descriptors (pipes) the second one follows in `connectionOutput`. */
      separateOutput: bool,
    },
  },
  connectionOutput: {
    type: 65,
    descriptors: 1,
    meaning: "The descriptor to write to, where it is not the one to read from",
    fields: {},
  },
  go: {
    type: 66,
    descriptors: 0,
    meaning: "Verified, and no descriptor can arrive any more: the first byte may be read",
    fields: {},
  },
  signed: {
    type: 67,
    descriptors: 0,
    meaning: "Answer to sign",
    fields: { exchangeHash: bytes(64), signature: bytes(limits.maxSignatureBytes) },
  },
  userAccepted: {
    type: 68,
    descriptors: 0,
    meaning: "Answer to lookupUser; the same whether the user exists or not",
    fields: {
      /** Sent as SSH_MSG_USERAUTH_BANNER before the first answer; empty: none. */
      banner: bytes(limits.maxBannerBytes),
    },
  },
  authResult: {
    type: 69,
    descriptors: 0,
    meaning: "Answer to every authentication request but the one that succeeds",
    fields: {
      /** Index in `authOutcomes`. */
      outcome: u8(3),
      /** Methods that can continue (RFC 4252 section 5.1). */
      methods: text(256),
    },
  },
  authenticated: {
    type: 70,
    descriptors: 1,
    meaning: "Success: the socket to the user's worker, and what the connection layer must keep to",
    fields: {
      clientAliveIntervalMs: u32(),
      clientAliveCountMax: u32(),
      maxSessions: u32(),
      rekeyBytes: u64(),
      rekeySeconds: u32(),
      /** For the process title and the log: the authenticated user's name. */
      user: text(256),
    },
  },
  proved: {
    type: 71,
    descriptors: 0,
    meaning: "Answer to proveHostKey",
    fields: { signature: bytes(limits.maxSignatureBytes) },
  },
  stop: {
    type: 72,
    descriptors: 0,
    meaning: "End the connection: disconnect with this reason, or only close when it is 0",
    fields: { reason: u32(), text: text(256) },
  },
});
/** failure: SSH_MSG_USERAUTH_FAILURE; partial: the same with partial success; keyAcceptable: SSH_MSG_USERAUTH_PK_OK; tooMany: disconnect. */
export const authOutcomes = ["failure", "partial", "keyAcceptable", "tooMany"] as const;
export type AuthOutcome = (typeof authOutcomes)[number];

export type RequestName = keyof typeof requests;
export type AnswerName = keyof typeof answers;
export type Request = Message<typeof requests>;
export type Answer = Message<typeof answers>;
