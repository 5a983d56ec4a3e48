// Each length of a message, made to lie: attacks.md A6.
import { encodeFields, type Field, type Message, type Outcome } from "../../fuzz/server/fields.ts";

export interface Spoiled {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly outcome: Outcome;
}

/** Every way to spoil its lengths: each string empty, one byte longer than it is and far beyond the packet; a byte too few and too many. */
export function spoil({ name, fields, whenLonger = "fault" }: Message): Spoiled[] {
  const whole = encodeFields(fields);
  const spoiled: Spoiled[] = [
    { name: `${name} without its last byte`, payload: whole.subarray(0, -1), outcome: "fault" },
    { name: `${name} with a byte behind it`, payload: Buffer.concat([whole, Buffer.of(0)]), outcome: whenLonger }, // prettier-ignore
  ];
  let count = 0;
  for (const [at, field] of fields.entries()) {
    if (!("string" in field)) continue;
    count += 1;
    const what = `${name}, string ${count}`;
    const lie = (said: string, instead: Partial<Field>, outcome: Outcome): void => {
      const payload = encodeFields(fields.with(at, { ...field, ...instead }));
      spoiled.push({ name: `${what} ${said}`, payload, outcome });
    };
    const { length } = field.string;
    if (length > 0) lie("empty", { string: new Uint8Array(0) }, field.whenEmpty ?? "fault");
    lie("one byte longer than it is", { says: length + 1 }, "fault");
    lie("of 2^32-1 bytes", { says: 0xff_ff_ff_ff }, "fault");
    // The same comparison; once a message is enough.
    if (count === 1) lie("of 2^31 bytes", { says: 0x80_00_00_00 }, "fault");
  }
  return spoiled;
}
