// Host keys held in this process, and a signer of them that composes H as the real one does: for tests of the transport.
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { exchangeHash } from "../../../session/ssh/exchange-hash.ts";
import { kexMethod } from "../../../session/ssh/kex-methods.ts";
import type { ExchangeParts, HostPublicKey, SignedExchange } from "../../../session/ssh/layers.ts";
import { WireWriter } from "../../../session/ssh/wire.ts";

export interface TestHostKey extends HostPublicKey {
  privateKey: KeyObject;
}

const unpadded = (text: string | undefined): Buffer => Buffer.from(text ?? "", "base64url");

export function makeEd25519(): TestHostKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "raw-public" });
  const blob = new WireWriter().string("ssh-ed25519").string(raw).finish();
  return { blob, algorithms: ["ssh-ed25519"], privateKey };
}

export function makeEcdsa(bits: 256 | 384 | 521): TestHostKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: `P-${bits}` });
  const { x, y } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(4), unpadded(x), unpadded(y)]);
  const name = `ecdsa-sha2-nistp${bits}`;
  const blob = new WireWriter().string(name).string(`nistp${bits}`).string(point).finish();
  return { blob, algorithms: [name], privateKey };
}

export function makeRsa(): TestHostKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { e, n } = publicKey.export({ format: "jwk" });
  const blob = new WireWriter().string("ssh-rsa").mpint(unpadded(e)).mpint(unpadded(n)).finish();
  return { blob, algorithms: ["rsa-sha2-512", "rsa-sha2-256"], privateKey };
}

/** The signature blob of `algorithm` over `data`. */
export function signWith(key: TestHostKey, algorithm: string, data: Uint8Array): Uint8Array {
  const writer = new WireWriter().string(algorithm);
  if (algorithm === "ssh-ed25519") return writer.string(sign(null, data, key.privateKey)).finish();
  if (algorithm.startsWith("rsa-")) {
    const hash = algorithm === "rsa-sha2-512" ? "sha512" : "sha256";
    return writer.string(sign(hash, data, key.privateKey)).finish();
  }
  const hash = algorithm.endsWith("521")
    ? "sha512"
    : algorithm.endsWith("384")
      ? "sha384"
      : "sha256";
  const both = sign(hash, data, { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  const half = both.length / 2;
  const numbers = new WireWriter().mpint(both.subarray(0, half)).mpint(both.subarray(half));
  return writer.string(numbers.finish()).finish();
}

/** What `signExchange` asks for. */
export function signParts(keys: readonly TestHostKey[], parts: ExchangeParts): SignedExchange {
  const key = keys.find((candidate) => candidate.algorithms.includes(parts.hostKeyAlgorithm));
  if (key === undefined) throw new Error(`No key for ${parts.hostKeyAlgorithm}`);
  const hash = exchangeHash(kexMethod(parts.kex).hash, parts, key.blob);
  return { exchangeHash: hash, signature: signWith(key, parts.hostKeyAlgorithm, hash) };
}
