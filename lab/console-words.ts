// What a person types in the console: words, values of fields, names of messages. Everything wrong with it is one RangeError in one line.
import type { AnyField } from "../ipc/fields.ts";
import { requests, type RequestName } from "../ipc/monitor.ts";

/** lookupUser is lookup-user to whoever prefers that. */
export const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const camel = (name: string): string =>
  name.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());

// Object.keys forgets the literal names.
export const requestNames = Object.keys(requests) as RequestName[];
export function requestName(typed: string): RequestName {
  const found = requestNames.find((name) => name === camel(typed));
  if (found === undefined)
    throw new RangeError(`no message ${JSON.stringify(typed)}; there are ${requestNames.map(kebab).join(", ")}`); // prettier-ignore
  return found;
}

/** Splits at blanks outside quotes and braces; quotes stay where they are, for a value to be read. */
export function words(line: string): string[] {
  const found: string[] = [];
  let word = "";
  let isQuoted = false;
  for (let i = 0; i < line.length; i += 1) {
    const character = line.charAt(i);
    if (character === "\\" && isQuoted) {
      word += character + line.charAt((i += 1));
      continue;
    }
    if (character === '"') isQuoted = !isQuoted;
    if (!isQuoted && /\s/.test(character)) {
      if (word !== "") found.push(word);
      word = "";
    } else word += character;
  }
  if (isQuoted) throw new RangeError("a quote does not end");
  if (word !== "") found.push(word);
  return found;
}

/** hex:00ff, base64:..., or hexadecimal digits alone where `bare`. */
export function bytesOf(typed: string, bare = false): Uint8Array {
  const [, form = bare ? "hex" : "", digits = typed] = /^(hex|base64):(.*)$/s.exec(typed) ?? [];
  const compact = digits.replace(/[\s:]/g, "");
  if (form === "hex" && /^([0-9a-f]{2})*$/i.test(compact)) return Buffer.from(compact, "hex");
  if (form === "base64" && /^[A-Za-z0-9+/]*={0,2}$/.test(compact))
    return Buffer.from(compact, "base64");
  throw new RangeError(`${JSON.stringify(typed)} is neither hex:... nor base64:...`);
}

export type Variables = ReadonlyMap<string, Uint8Array>;

/** text*COUNT repeats it: "a"*1000. */
function textOf(typed: string): string {
  const [, quoted, times = "1"] = /^("(?:[^"\\]|\\.)*")(?:\*(\d{1,6}))?$/s.exec(typed) ?? [];
  if (quoted === undefined) return typed;
  let text: unknown;
  try {
    text = JSON.parse(quoted);
  } catch {
    throw new RangeError(`${quoted} is not a string`);
  }
  return String(text).repeat(Number(times));
}

/** A value as typed for that field; whether it fits is for the encoder and the broker to say. */
export function valueOf(field: AnyField, typed: string, variables: Variables): unknown {
  if (typed.startsWith("$")) {
    const value = variables.get(typed.slice(1));
    if (value === undefined)
      throw new RangeError(`no variable ${typed}; there are ${[...variables.keys()].map((name) => `$${name}`).join(", ")}`); // prettier-ignore
    return value;
  }
  switch (field.kind) {
    case "bool":
      if (typed === "true" || typed === "false") return typed === "true";
      return numberOf(typed);
    case "u8":
    case "u32":
    case "u64":
      return numberOf(typed);
    case "bytes":
    case "text":
      return /^(hex|base64):/.test(typed) ? bytesOf(typed) : Buffer.from(textOf(typed));
    case "list": {
      const { item } = field;
      if (item === undefined || !/^\[.*\]$/s.test(typed))
        throw new RangeError(`${JSON.stringify(typed)} is not a list such as ["one","two"]`);
      const inner = typed.slice(1, -1);
      return inner === "" ? [] : inner.split(",").map((each) => valueOf(item, each.trim(), variables)); // prettier-ignore
    }
  }
}
function numberOf(typed: string): number {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(typed))
    throw new RangeError(`${JSON.stringify(typed)} is not a number`);
  return Number(typed);
}

/** name=value ... of these fields. */
export function fieldsOf(
  fields: Readonly<Record<string, AnyField>>,
  typed: readonly string[],
  variables: Variables,
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const word of typed) {
    const at = word.indexOf("=");
    const name = at < 0 ? word : camel(word.slice(0, at));
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined || at < 0) {
      const names = Object.keys(fields).map(kebab);
      throw new RangeError(`${JSON.stringify(word)} is not FIELD=VALUE; ${names.length === 0 ? "this message has no fields" : `fields: ${names.join(", ")}`}`); // prettier-ignore
    }
    body[name] = valueOf(field, word.slice(at + 1), variables);
  }
  return body;
}

/** {"name": "lookup-user", "user": "alice", ...}: strings as for name=value. */
export function fromJson(
  text: string,
  variables: Variables,
): { name: RequestName; body: Record<string, unknown> } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new RangeError("that is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new RangeError("JSON must be an object");
  const { name: typed, ...rest } = parsed as Record<string, unknown>; // an object, as was looked at
  const name = requestName(typeof typed === "string" ? typed : "");
  const { fields }: { fields: Readonly<Record<string, AnyField>> } = requests[name];
  const body: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    const field = Object.hasOwn(fields, camel(key)) ? fields[camel(key)] : undefined;
    if (field === undefined)
      throw new RangeError(`${kebab(name)} has no field ${JSON.stringify(key)}`);
    body[camel(key)] = typeof value === "string" ? valueOf(field, value, variables) : value;
  }
  return { name, body };
}
