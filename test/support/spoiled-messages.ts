// A message with its fields told apart, so that each of its lengths can be made to lie: attacks.md A6.

/** Bytes as they are, or a string of RFC 4251 section 5. */
export type Field =
  | { readonly bytes: Uint8Array }
  /** `whenEmpty`: what becomes of the message when this string is empty; a fault when it is not said. */
  | { readonly string: Uint8Array; readonly whenEmpty: Outcome };
/** The end of the connection, or the numbers of the messages that answer. */
export type Outcome = "fault" | readonly number[];

export const fixed = (...numbers: readonly number[]): Field => ({
  bytes: Uint8Array.from(numbers),
});
export const uint32 = (value: number): Field => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return { bytes };
};
export const text = (content: Uint8Array | string, whenEmpty: Outcome = "fault"): Field => ({
  string: Buffer.from(content),
  whenEmpty,
});

export interface Message {
  readonly name: string;
  readonly fields: readonly Field[];
  /** What a byte behind the last field leads to; a fault when it is not said. */
  readonly whenLonger?: Outcome;
}
export interface Spoiled {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly outcome: Outcome;
}

/** With the length of the string at `at` replaced. */
function encode(fields: readonly Field[], at = -1, length = 0): Buffer {
  return Buffer.concat(
    fields.flatMap((field, i) => {
      if ("bytes" in field) return [field.bytes];
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(i === at ? length : field.string.length);
      return [prefix, i === at && length === 0 ? Buffer.alloc(0) : field.string];
    }),
  );
}

/** Every way to spoil its lengths: each string empty, one byte longer than it is and far beyond the packet; a byte too few and too many. */
export function spoil({ name, fields, whenLonger = "fault" }: Message): Spoiled[] {
  const whole = encode(fields);
  const spoiled: Spoiled[] = [
    { name: `${name} without its last byte`, payload: whole.subarray(0, -1), outcome: "fault" },
    { name: `${name} with a byte behind it`, payload: Buffer.concat([whole, Buffer.of(0)]), outcome: whenLonger }, // prettier-ignore
  ];
  let count = 0;
  for (const [at, field] of fields.entries()) {
    if ("bytes" in field) continue;
    count += 1;
    const what = `${name}, string ${count}`;
    const lie = (said: string, length: number, outcome: Outcome): void => {
      spoiled.push({ name: `${what} ${said}`, payload: encode(fields, at, length), outcome });
    };
    if (field.string.length > 0) lie("empty", 0, field.whenEmpty);
    lie("one byte longer than it is", field.string.length + 1, "fault");
    lie("of 2^32-1 bytes", 0xff_ff_ff_ff, "fault");
    // The same comparison; once a message is enough.
    if (count === 1) lie("of 2^31 bytes", 0x80_00_00_00, "fault");
  }
  return spoiled;
}
