// IPQoS: names of the type-of-service byte (RFC 2474, 2597, 3246, 8622, and RFC 1349's which sshd keeps).

// prettier-ignore
const values: Readonly<Record<string, number>> = {
  af11: 0x28, af12: 0x30, af13: 0x38, af21: 0x48, af22: 0x50, af23: 0x58, af31: 0x68, af32: 0x70, af33: 0x78,
  af41: 0x88, af42: 0x90, af43: 0x98, cs0: 0x00, cs1: 0x20, cs2: 0x40, cs3: 0x60, cs4: 0x80, cs5: 0xa0, cs6: 0xc0,
  cs7: 0xe0, ef: 0xb8, le: 0x04, lowdelay: 0x10, throughput: 0x08, none: -1,
};

/** The byte, or -1 for leaving it alone. */
export function typeOfService(word: string): number {
  const known = Object.hasOwn(values, word.toLowerCase()) ? values[word.toLowerCase()] : undefined;
  const value = known ?? (/^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(word) ? Number(word) : 256);
  if (value > 255) throw new RangeError(`Bad IPQoS value: ${word}`);
  return value;
}

export function printTypeOfService(value: number): string {
  const name = Object.keys(values).find((key) => values[key] === value);
  return name ?? `0x${value.toString(16).padStart(2, "0")}`;
}
