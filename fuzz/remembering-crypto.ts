// node:crypto for a broker that is fuzzed: it is asked the same again and again, and what depends on its arguments alone is remembered. The
// answers are node:crypto's own.
import * as crypto from "node:crypto";

export * from "node:crypto";

const maxRemembered = 20_000;

class Memory<T> {
  readonly #known = new Map<string, T>();
  of(what: string, find: () => T): T {
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

/** As ipc/public-key.ts calls it: a JWK. */
export function createPublicKey(options: {
  key: crypto.JsonWebKey;
  format: "jwk";
}): crypto.KeyObject {
  return keys.of(JSON.stringify(options.key), () => crypto.createPublicKey(options));
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
