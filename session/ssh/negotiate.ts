// What two KEXINITs agree on (RFC 4253 section 7.1), in time linear in their length.
import { disconnectReasons, PeerFault } from "../../ipc/peer-fault.ts";
import type { KexOffer } from "./kexinit.ts";
import type { Negotiated } from "./transport-options.ts";

/** Ciphers that authenticate by themselves: no MAC is negotiated with them (RFC 5647 section 5.1, OpenSSH PROTOCOL section 1.6). */
const aeadCiphers: ReadonlySet<string> = new Set([
  "chacha20-poly1305@openssh.com",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
]);

/** A peer's list in our log, in characters; OpenSSH's own lists are shorter. */
const maxOfferCharacters = 1024;

/** sshd's words for what could not be agreed on. */
const nouns = {
  kex: "key exchange method",
  hostKey: "host key type",
  cipher: "cipher",
  mac: "MAC",
  compression: "compression method",
} as const;

export interface Agreement {
  negotiated: Negotiated;
  /** The peer announced a guess and it was wrong: its next packet is to be ignored. */
  isGuessWrong: boolean;
}

/**
 * The first name of the client's list that the server's has too, for each. `side` is ours. Throws PeerFault NO_COMMON_ALGORITHM
 * in sshd's words ("no matching cipher found. Their offer: ...").
 */
export function negotiate(
  client: KexOffer,
  server: KexOffer,
  side: "server" | "client",
): Agreement {
  const peer = side === "server" ? client : server;
  const pick = (
    what: keyof typeof nouns,
    list: Exclude<keyof KexOffer, "firstKexPacketFollows">,
  ): string => {
    const offered = new Set(server[list]);
    const chosen = client[list].find((name) => offered.has(name) && !isMarker(name));
    if (chosen !== undefined) return chosen;
    const text = `no matching ${nouns[what]} found`;
    const offer = peer[list].join(",").slice(0, maxOfferCharacters);
    throw new PeerFault("NO_COMMON_ALGORITHM", `${text}. Their offer: ${offer}`, {
      disconnectReason: disconnectReasons.keyExchangeFailed,
      tell: text,
    });
  };
  const kex = pick("kex", "kex");
  const hostKey = pick("hostKey", "hostKey");
  const cipherClientToServer = pick("cipher", "cipherClientToServer");
  const cipherServerToClient = pick("cipher", "cipherServerToClient");
  const macClientToServer = aeadCiphers.has(cipherClientToServer)
    ? ""
    : pick("mac", "macClientToServer");
  const macServerToClient = aeadCiphers.has(cipherServerToClient)
    ? ""
    : pick("mac", "macServerToClient");
  pick("compression", "compressionClientToServer");
  pick("compression", "compressionServerToClient");
  return {
    negotiated: {
      kex,
      hostKey,
      cipherClientToServer,
      cipherServerToClient,
      macClientToServer,
      macServerToClient,
    },
    // A guess is right when both first names are the same on both sides, whatever was agreed on in the end.
    isGuessWrong:
      peer.firstKexPacketFollows &&
      (client.kex[0] !== server.kex[0] || client.hostKey[0] !== server.hostKey[0]),
  };
}

/** A hostile client may send our own markers; they must never be chosen as a method. */
function isMarker(name: string): boolean {
  return name.startsWith("ext-info-") || name.startsWith("kex-strict-");
}
