// What a warm session process can do for its key exchange before the connection is there.
import { encodeKexInit, ourOffer, type KexOffer } from "./kexinit.ts";
import { kexMethod } from "./kex-methods.ts";
import { makeEphemeral, type Ephemeral } from "./kex-x25519.ts";
import type { HostPublicKey } from "./layers.ts";
import type { AlgorithmPreferences } from "./transport-options.ts";

/** Belongs to one connection: its cookie and its ephemeral key are used once. */
export interface PreparedKex {
  readonly offer: KexOffer;
  readonly kexInit: Uint8Array;
  readonly ephemeral: Ephemeral;
}

/** Our preferences, cut to what exists: the methods here, and for a server what its host keys can sign. */
export function usableAlgorithms(
  algorithms: AlgorithmPreferences,
  hostKeys: readonly HostPublicKey[] | null,
): AlgorithmPreferences {
  for (const name of algorithms.kex) kexMethod(name);
  if (hostKeys === null) return algorithms;
  const served = new Set(hostKeys.flatMap((key) => key.algorithms));
  return { ...algorithms, hostKey: algorithms.hostKey.filter((name) => served.has(name)) };
}

/**
 * The first KEXINIT and an X25519 pair. Only after the last fork: siblings must never share them. Throws RangeError on an
 * unknown key exchange method.
 */
export function prepareKex(
  side: "server" | "client",
  algorithms: AlgorithmPreferences,
  hostKeys: readonly HostPublicKey[] | null,
): PreparedKex {
  const offer = ourOffer(usableAlgorithms(algorithms, hostKeys), side, true);
  return { offer, kexInit: encodeKexInit(offer), ephemeral: makeEphemeral() };
}
