// Pattern lists and addresses, as match.c and addrmatch.c of sshd understand them.
import { isIPv4, isIPv6 } from "node:net";
import { matchesPattern } from "./algorithms.ts";

/** Some pattern fits and no negated one does; a negated match wins. */
export function matchesPatternList(text: string, patterns: readonly string[]): boolean {
  let found = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith("!");
    if (!matchesPattern(text, negated ? pattern.slice(1) : pattern)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** The address as a number of 32 or 128 bits. */
function bits(address: string): { value: bigint; width: 32 | 128 } | undefined {
  if (isIPv4(address)) {
    return {
      value: address.split(".").reduce((n, part) => (n << 8n) | BigInt(part), 0n),
      width: 32,
    };
  }
  if (!isIPv6(address)) return undefined;
  const [plain = ""] = address.split("%");
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const v4 = dotted?.[2] === undefined ? 0n : (bits(dotted[2])?.value ?? 0n);
  const text =
    dotted === null
      ? plain
      : `${dotted[1] ?? ""}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  const [head = "", tail] = text.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const front = groups(head);
  const back = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0");
  const all = [...front, ...(tail === undefined ? [] : zeros), ...back];
  return { value: all.reduce((n, group) => (n << 16n) | BigInt(`0x${group}`), 0n), width: 128 };
}

/** Undefined when `pattern` is no CIDR. Throws RangeError on bits below the mask (10.0.1.0/8), as sshd does. */
function matchesCidr(address: string, pattern: string): boolean | undefined {
  const parts = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(pattern);
  const network = bits(parts?.[1] ?? pattern);
  if (network === undefined) return undefined;
  const length = parts === null ? network.width : Number(parts[2]);
  if (length > network.width)
    throw new RangeError(`Inconsistent mask length for address "${pattern}"`);
  const shift = BigInt(network.width - length);
  if ((network.value >> shift) << shift !== network.value) {
    throw new RangeError(`Inconsistent mask length for address "${pattern}"`);
  }
  const own = bits(address);
  return (
    own !== undefined &&
    own.width === network.width &&
    own.value >> shift === network.value >> shift
  );
}

/** A list of addresses, CIDR networks and wildcard patterns, with negation. */
export function matchesAddressList(address: string, patterns: readonly string[]): boolean {
  let found = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith("!");
    const plain = negated ? pattern.slice(1) : pattern;
    if (!(matchesCidr(address, plain) ?? matchesPattern(address, plain))) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `user` or `user@host`, as AllowUsers and DenyUsers have it. */
export function matchesUserList(
  user: string,
  address: string,
  patterns: readonly string[],
): boolean {
  return patterns.some((pattern) => {
    const at = pattern.lastIndexOf("@");
    if (at < 0) return matchesPatternList(user, [pattern]);
    return (
      matchesPatternList(user, [pattern.slice(0, at)]) &&
      matchesAddressList(address, [pattern.slice(at + 1)])
    );
  });
}
