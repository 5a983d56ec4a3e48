// A protocol is a table of messages; a message a table of fields. Encoding and decoding follow the tables, so that a message that
// one side can write is exactly what the other can read.
import { FieldReader, FieldWriter, type AnyField } from "./fields.ts";
import { maxMessageBytes } from "./limits.ts";
import { PeerFault } from "./peer-fault.ts";

export interface MessageSpec {
  /** On the wire; unique in its protocol. */
  readonly type: number;
  /** How many descriptors travel with it: exactly this many, else it is refused. */
  readonly descriptors: number;
  readonly fields: Readonly<Record<string, AnyField>>;
  /** One sentence for docs/protocol.md and the tools. */
  readonly meaning: string;
}
export type Protocol = Readonly<Record<string, MessageSpec>>;

type Value<F> = F extends { read(reader: FieldReader): infer T } ? T : never;
export type Body<S extends MessageSpec> = {
  -readonly [K in keyof S["fields"]]: Value<S["fields"][K]>;
};
/** A message received: its name, the id that pairs request and answer, its body. */
export type Message<P extends Protocol> = {
  [K in keyof P]: { readonly name: K; readonly id: number; readonly body: Body<P[K]> };
}[keyof P];

// A field's write takes its own type; a table holds fields of many types, so the table's element type takes none (never).
const writeField = (field: AnyField, writer: FieldWriter, value: unknown): void => {
  field.write(writer, value as never);
};

interface Row {
  readonly name: string;
  readonly spec: MessageSpec;
  readonly fields: readonly (readonly [string, AnyField])[];
}
const tables = new WeakMap<Protocol, ReadonlyMap<number, Row>>();
/** The messages by their types: what `decode` goes by, made once. */
function byType(messages: Protocol): ReadonlyMap<number, Row> {
  const known = tables.get(messages);
  if (known !== undefined) return known;
  const rows = new Map<number, Row>();
  for (const [name, spec] of Object.entries(messages)) {
    if (rows.has(spec.type))
      throw new TypeError(`Cannot declare ${name}: type ${spec.type} is taken`);
    rows.set(spec.type, { name, spec, fields: Object.entries(spec.fields) });
  }
  tables.set(messages, rows);
  return rows;
}

/** Declares a protocol; throws at load when two messages share a type. */
export function protocol<const P extends Protocol>(messages: P): P {
  byType(messages);
  return messages;
}

/** Type (u8), id (u32), fields in the order of the table. RangeError when a value is out of its field's bound. */
export function encode<P extends Protocol, K extends keyof P & string>(
  messages: P,
  name: K,
  id: number,
  body: Body<P[K]>,
): Uint8Array {
  const spec = messages[name];
  if (spec === undefined) throw new TypeError(`Cannot encode ${name}: not in the protocol`);
  const writer = new FieldWriter();
  writer.u8(spec.type);
  writer.u32(id);
  const values = body as Record<string, unknown>;
  for (const [key, field] of Object.entries(spec.fields)) writeField(field, writer, values[key]);
  const encoded = writer.finish();
  if (encoded.length > maxMessageBytes) {
    throw new RangeError(
      `Cannot encode ${name}: ${encoded.length} bytes, limit is ${maxMessageBytes}`,
    );
  }
  return encoded;
}

/** The whole of `bytes` is one message, with `descriptorCount` descriptors beside it. PeerFault for everything else. */
export function decode<P extends Protocol>(
  messages: P,
  bytes: Uint8Array,
  descriptorCount: number,
): Message<P> {
  const reader = new FieldReader(bytes);
  const type = reader.u8();
  const id = reader.u32();
  const row = byType(messages).get(type);
  if (row === undefined)
    throw new PeerFault("UNKNOWN_TYPE", `Cannot read message: type ${type} is not in the protocol`);
  const { name, spec, fields } = row;
  if (spec.descriptors !== descriptorCount) {
    throw new PeerFault(
      "DESCRIPTORS",
      `Cannot read ${name}: ${descriptorCount} descriptors, ${spec.descriptors} belong`,
    );
  }
  const body: Record<string, unknown> = {};
  for (const [key, field] of fields) body[key] = field.read(reader);
  reader.end();
  // The body was read field by field from the very table that its type is computed from.
  return { name, id, body } as unknown as Message<P>;
}
