// node:crypto for the lab, where the same is asked again and again: what depends on its arguments alone is remembered. The answers are
// node:crypto's own. The broker that is fuzzed gets it in place of node:crypto, and is counted how often it asks.
import * as crypto from "node:crypto";

export * from "node:crypto";

const maxRemembered = 20_000;
/** Digests, parsed keys and verified signatures that were asked for. */
export const cryptoMeter = { calls: 0 };

class Memory<T> {
  readonly #known = new Map<string, T>();
  of(what: string, find: () => T): T {
    cryptoMeter.calls += 1;
    const known = this.#known.get(what);
    if (known !== undefined) return known;
    const found = find();
    if (this.#known.size >= maxRemembered) this.#known.clear();
    this.#known.set(what, found);
    return found;
  }
}
const keys = new Memory<crypto.KeyObject>();
const verdicts = new Memory<boolean>();
const digests = new Memory<Buffer>();
const base64Digests = new Memory<string>();
const numbers = new WeakMap<crypto.KeyObject, number>();
let count = 0;
const numberOf = (key: crypto.KeyObject): number => {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  count += 1;
  numbers.set(key, count);
  return count;
};
const bytes = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.length).toString("latin1");

type PublicKeyInput =
  | { readonly key: crypto.JsonWebKey; readonly format: "jwk" }
  | { readonly key: Buffer; readonly format: "der"; readonly type: "spki" };
function nameOfKey({ key, format }: PublicKeyInput): string {
  if (format === "der") return bytes(key);
  const { kty = "", crv = "", x = "", y = "", n = "", e = "" } = key;
  return `${kty} ${crv} ${x} ${y} ${n} ${e}`;
}
/** As ipc/public-key.ts calls it (a JWK), and the judge (SPKI). */
export function createPublicKey(options: PublicKeyInput): crypto.KeyObject {
  return keys.of(nameOfKey(options), () => crypto.createPublicKey(options));
}

type Key =
  crypto.KeyObject | { readonly key: crypto.KeyObject; readonly dsaEncoding: "ieee-p1363" };
/** As ipc/signature.ts calls it. */
export function verify(
  hash: string | null,
  data: Uint8Array,
  key: Key,
  signature: Uint8Array,
): boolean {
  const plain = "dsaEncoding" in key ? key.key : key;
  const what = `${hash ?? ""} ${numberOf(plain)} ${signature.length} ${bytes(signature)}${bytes(data)}`;
  return verdicts.of(what, () => crypto.verify(hash, data, key, signature));
}

/** As much of node:crypto's as is needed. */
interface Unfinished {
  update(data: Uint8Array): Unfinished;
  digest(): Buffer;
  digest(encoding: "base64"): string;
}
/** A hash or a MAC, in the one form in which it is used: update(), then digest(). */
class Digest {
  readonly #what: string;
  readonly #make: () => Unfinished;
  #data: Uint8Array = new Uint8Array();
  constructor(what: string, make: () => Unfinished) {
    this.#what = what;
    this.#make = make;
  }
  update(data: Uint8Array): this {
    if (this.#data.length > 0) throw new TypeError("Cannot update: only one update is remembered");
    this.#data = data;
    return this;
  }
  digest(): Buffer;
  digest(encoding: "base64"): string;
  digest(encoding?: "base64"): Buffer | string {
    const make = (): Unfinished => this.#make().update(this.#data);
    const what = this.#what + bytes(this.#data);
    return encoding === undefined
      ? Buffer.from(digests.of(what, () => make().digest()))
      : base64Digests.of(what, () => make().digest(encoding));
  }
}
export const createHash = (algorithm: string): Digest =>
  new Digest(`${algorithm} `, () => crypto.createHash(algorithm));
export const createHmac = (algorithm: string, key: Uint8Array): Digest =>
  new Digest(`${algorithm} ${bytes(key)} `, () => crypto.createHmac(algorithm, key));
