// An SSH message with its fields told apart, so that each of them can lie. The tests spoil them one by one, the fuzzer by chance.

/** What is known only while a connection lives; each stands in the message as a string of RFC 4251 section 5. */
export const liveNames = [
  /** Our half of the key exchange that was agreed on, made anew each time. */
  "public",
  /** The server's host key. */
  "host key",
  /** Who has an account and may log in with `own key`. */
  "user",
  "own key",
  "strange key",
  /** Over the session id and all that stands before it in this message (RFC 4252 section 7). */
  "own signature",
  "strange signature",
  /** Of this connection alone, so that it is found wherever it turns up. */
  "password",
] as const;
export type LiveName = (typeof liveNames)[number];

/** The end of the connection, or the numbers of the messages that answer. */
export type Outcome = "fault" | readonly number[];

export type Field =
  /** As they are. */
  | { readonly bytes: Uint8Array }
  /** A uint32. */
  | { readonly number: number }
  /**
   * A string of RFC 4251 section 5. `says`: the length in front of it, when that lies. `whenEmpty`: what becomes of the message when this
   * string is empty; a fault when it is not said.
   */
  | { readonly string: Uint8Array; readonly says?: number; readonly whenEmpty?: Outcome }
  /** `flip`: this bit of it is wrong, counted from its first byte and around its end. */
  | { readonly live: LiveName; readonly says?: number; readonly flip?: number };

export const fixed = (...numbers: readonly number[]): Field => ({
  bytes: Uint8Array.from(numbers),
});
export const uint32 = (value: number): Field => ({ number: value });
export const text = (content: Uint8Array | string, whenEmpty?: Outcome): Field => ({
  string: typeof content === "string" ? Buffer.from(content, "latin1") : content,
  ...(whenEmpty === undefined ? {} : { whenEmpty }),
});
export const live = (name: LiveName): Field => ({ live: name });

export interface Message {
  readonly name: string;
  readonly fields: readonly Field[];
  /** What a byte behind the last field leads to; a fault when it is not said. */
  readonly whenLonger?: Outcome;
}

function lengthOf(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** `value` is asked in order, with what stands before the field; a table for tests has no live fields, and needs none. */
export function encodeFields(
  fields: readonly Field[],
  value: (name: LiveName, before: Uint8Array) => Uint8Array = noValue,
): Buffer {
  let whole = Buffer.alloc(0);
  for (const field of fields) {
    if ("bytes" in field) whole = Buffer.concat([whole, field.bytes]);
    else if ("number" in field) whole = Buffer.concat([whole, lengthOf(field.number)]);
    else {
      const content = "string" in field ? field.string : flipped(value(field.live, whole), field.flip); // prettier-ignore
      whole = Buffer.concat([whole, lengthOf(field.says ?? content.length), content]);
    }
  }
  return whole;
}

const noValue = (name: LiveName): never => {
  throw new TypeError(`Cannot encode message: ${name} is known to a connection alone`);
};

function flipped(content: Uint8Array, bit: number | undefined): Uint8Array {
  if (bit === undefined || content.length === 0) return content;
  const at = (bit >> 3) % content.length;
  const out = Uint8Array.from(content);
  out[at] = (out[at] ?? 0) ^ (1 << (bit & 7));
  return out;
}
