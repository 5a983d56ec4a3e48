// The key exchange methods that exist here, in the order of our default preference.
import { curve25519Methods } from "./kex-curve25519.ts";
import { ecdhMethods } from "./kex-ecdh.ts";
import type { KexMethod } from "./kex-method.ts";
import { mlkem768x25519 } from "./kex-mlkem768x25519.ts";

const methods: ReadonlyMap<string, KexMethod> = new Map(
  [mlkem768x25519, ...curve25519Methods, ...ecdhMethods].map((method) => [method.name, method]),
);

export const kexMethodNames: readonly string[] = [...methods.keys()];

/** Throws RangeError on a name that is not in `kexMethodNames`: the configuration must not have let it in. */
export function kexMethod(name: string): KexMethod {
  const method = methods.get(name);
  if (method === undefined) throw new RangeError(`Cannot use key exchange method ${name}: unknown`);
  return method;
}
