// Messages as bytes, without the care of ipc/'s own writer: a hostile process may say more than a field holds.
import { FieldWriter, type AnyField } from "../ipc/fields.ts";
import type { MessageSpec } from "../ipc/protocol.ts";

/** Numbers must fit their width; nothing else is checked. */
const widths = { bool: 0xff, u8: 0xff, u32: 0xffff_ffff, u64: Number.MAX_SAFE_INTEGER } as const;

function count(value: unknown, kind: keyof typeof widths): number {
  const number = typeof value === "boolean" ? Number(value) : value;
  if (
    typeof number !== "number" ||
    !Number.isInteger(number) ||
    number < 0 ||
    number > widths[kind]
  )
    throw new RangeError(`${String(value)} is not a number of a ${kind} (0 to ${widths[kind]})`);
  return number;
}
function octets(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return Buffer.from(value);
  throw new RangeError(`${JSON.stringify(value)} is neither text nor bytes`);
}

function write(writer: FieldWriter, field: AnyField, value: unknown): void {
  switch (field.kind) {
    case "bool":
    case "u8":
      writer.u8(count(value, field.kind));
      return;
    case "u32":
      writer.u32(count(value, "u32"));
      return;
    case "u64":
      writer.u64(count(value, "u64"));
      return;
    case "bytes":
    case "text":
      writer.bytes(octets(value));
      return;
    case "list": {
      if (!Array.isArray(value)) throw new RangeError(`${JSON.stringify(value)} is not a list`);
      const { item } = field;
      if (item === undefined) throw new TypeError("Cannot write list: it has no item");
      writer.u32(value.length);
      for (const each of value as unknown[]) write(writer, item, each);
    }
  }
}

/** What a field is when nobody says what. */
export function emptyValue(field: AnyField): unknown {
  switch (field.kind) {
    case "bool":
      return false;
    case "u8":
    case "u32":
    case "u64":
      return 0;
    case "bytes":
    case "text":
      return new Uint8Array();
    case "list":
      return [];
  }
}

/** Fields that `body` lacks are empty. Throws RangeError for a value that is not of its field's kind. */
export function encodeLeniently(
  { type, fields }: MessageSpec,
  id: number,
  body: Readonly<Record<string, unknown>>,
): Uint8Array {
  const writer = new FieldWriter();
  writer.u8(type);
  writer.u32(id);
  for (const [name, field] of Object.entries(fields)) {
    try {
      write(writer, field, body[name] ?? emptyValue(field));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(`${name}: ${error.message}`, { cause: error });
    }
  }
  return writer.finish().slice();
}
