// Patterns, lists of them, and addresses, as match.c and addrmatch.c of sshd understand them.
import { isIPv4, isIPv6 } from "node:net";

/** `*` and `?`. At most text x pattern steps, however the stars lie: only the last star is ever gone back to. */
export function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let p = 0;
  let star = -1;
  let mark = 0;
  while (at < text.length) {
    if (pattern[p] === "*") {
      star = p;
      mark = at;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[at])) {
      at += 1;
      p += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      at = mark;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

/** 1 when some pattern fits, -1 when a negated one does (it wins), else 0. */
function compareWithList(patterns: readonly string[], fits: (pattern: string) => boolean): number {
  let found = 0;
  for (const pattern of patterns) {
    const isNegated = pattern.startsWith("!");
    if (!fits(isNegated ? pattern.slice(1) : pattern)) continue;
    if (isNegated) return -1;
    found = 1;
  }
  return found;
}

/** Some pattern fits and no negated one does. */
export const matchesPatternList = (text: string, patterns: readonly string[]): boolean =>
  compareWithList(patterns, (pattern) => matchesPattern(text, pattern)) === 1;

/** Some group fits, and none fits a negated pattern: `!wheel` keeps out whoever is in wheel, whatever else they are in. */
export function matchesGroupList(groups: readonly string[], patterns: readonly string[]): boolean {
  const results = groups.map((group) =>
    compareWithList(patterns, (pattern) => matchesPattern(group, pattern)),
  );
  return results.includes(1) && !results.includes(-1);
}

interface AddressBits {
  readonly value: bigint;
  readonly width: 32 | 128;
}
const ipv4Bits = (address: string): bigint =>
  address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);

/** The address as a number of 32 or 128 bits; undefined when it is none. A zone (`%eth0`) is left out. */
function addressBits(address: string): AddressBits | undefined {
  if (isIPv4(address)) return { value: ipv4Bits(address), width: 32 };
  if (!isIPv6(address)) return undefined;
  const [plain = ""] = address.split("%");
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const low = dotted?.[2] === undefined ? 0n : ipv4Bits(dotted[2]);
  const hex = (value: bigint): string => value.toString(16);
  const text =
    dotted?.[1] === undefined ? plain : `${dotted[1]}${hex(low >> 16n)}:${hex(low & 0xffffn)}`;
  const [head = "", tail] = text.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const front = groups(head);
  const back = groups(tail ?? "");
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const all = [...front, ...Array.from({ length: zeros }, () => "0"), ...back];
  return { value: all.reduce((n, group) => (n << 16n) | BigInt(`0x${group}`), 0n), width: 128 };
}

/** Undefined when `pattern` is no network. Throws RangeError on bits below the mask (10.0.1.0/8), as sshd does. */
function matchesNetwork(address: string, pattern: string): boolean | undefined {
  const [, host = pattern, mask] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(pattern) ?? [];
  const network = addressBits(host);
  if (network === undefined) return undefined;
  const length = mask === undefined ? network.width : Number(mask);
  const shift = BigInt(network.width - Math.min(length, network.width));
  if (length > network.width || (network.value >> shift) << shift !== network.value) {
    throw new RangeError(`Inconsistent mask length for match network "${pattern}"`);
  }
  const own = addressBits(address);
  return own?.width === network.width && own.value >> shift === network.value >> shift;
}

const compareAddress = (address: string, patterns: readonly string[]): number =>
  compareWithList(
    patterns,
    (pattern) => matchesNetwork(address, pattern) ?? matchesPattern(address, pattern),
  );

/** Addresses, networks and wildcard patterns, with negation. Throws RangeError on a bad mask. */
export const matchesAddressList = (address: string, patterns: readonly string[]): boolean =>
  compareAddress(address, patterns) === 1;

/** Throws RangeError when the list holds a network with a bad mask: said when the configuration is read, not when a client comes. */
export function checkAddressList(patterns: readonly string[]): void {
  // Each alone: a match would end the search before the patterns behind it.
  for (const pattern of patterns) compareAddress("0.0.0.0", [pattern]);
}

/** `user` or `user@hosts` (hosts: names, addresses, networks, comma-separated), as AllowUsers and DenyUsers have it. */
export function matchesUserList(
  user: string,
  address: string,
  patterns: readonly string[],
): boolean {
  return patterns.some((pattern) => {
    const at = pattern.lastIndexOf("@");
    if (at < 0) return matchesPattern(user, pattern);
    return (
      matchesPattern(user, pattern.slice(0, at)) &&
      matchesAddressList(address, pattern.slice(at + 1).split(","))
    );
  });
}
