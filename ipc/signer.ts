// The signer's two sockets: the listener's, over which it gets one channel a connection, and those channels, one a broker.
import { bool, bytes, list, text, u32 } from "./fields.ts";
import * as limits from "./limits.ts";
import { protocol, type Message } from "./protocol.ts";
import { requests as monitorRequests } from "./monitor.ts";

/** Listener -> signer. */
export const signerOrders = protocol({
  load: {
    type: 1,
    descriptors: 0,
    meaning: "Read these private host keys (as root, before confinement), then confine",
    fields: {
      paths: list(bytes(limits.maxPathBytes), 64),
      /** Where it goes after reading: never root when the listener is. */
      uid: u32(),
      gid: u32(),
      changeIdentity: bool,
      /** Names of layers without which it ends. */
      required: list(text(limits.maxNameBytes), 32),
    },
  },
  channel: {
    type: 2,
    descriptors: 1,
    meaning: "A broker's channel: the signer serves it until it is closed",
    fields: {},
  },
});
/** Signer -> listener. */
export const signerReports = protocol({
  loaded: {
    type: 64,
    descriptors: 0,
    meaning:
      "The keys that were read, in the order of their paths, and what failed; confined, ready",
    fields: {
      /** Public key blobs. */
      keys: list(bytes(limits.maxKeyBlobBytes), 64),
      /** "PATH: reason", as sshd words it. */
      errors: list(text(limits.maxPathBytes + 200), 64),
      /** "NAME: reason" of layers that it could not have, and that are not required. */
      missing: list(text(200), 32),
    },
  },
});

/** Broker -> signer. Parts only: nobody can have bytes of his own signed. */
export const signatureRequests = protocol({
  exchange: {
    type: 1,
    descriptors: 0,
    meaning:
      "Compose this exchange hash (RFC 4253 section 8) and sign it with the key of this algorithm",
    fields: monitorRequests.sign.fields,
  },
  proof: {
    type: 2,
    descriptors: 0,
    meaning:
      "Prove the possession of this host key for this session (hostkeys-prove-00@openssh.com)",
    fields: {
      blob: bytes(limits.maxKeyBlobBytes),
      algorithm: text(limits.maxNameBytes),
      sessionId: bytes(64),
    },
  },
});
/** Signer -> broker. */
export const signatureAnswers = protocol({
  signed: {
    type: 64,
    descriptors: 0,
    meaning: "The signature blob, and H for an exchange (empty for a proof)",
    fields: { exchangeHash: bytes(64), signature: bytes(limits.maxSignatureBytes) },
  },
  refused: { type: 65, descriptors: 0, meaning: "Not signed", fields: { why: text(256) } },
});
export type SignatureRequest = Message<typeof signatureRequests>;
export type SignatureAnswer = Message<typeof signatureAnswers>;
