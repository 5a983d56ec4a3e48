// What one client does on one connection, in a file that a person can read and edit: the first line says what it is, each further line is
// one step. Keys, signatures and public values are named, not kept: they are new on every connection.
import { BadSequence, jsonObject } from "../sequence.ts";
import { fixed, liveNames, type Field, type LiveName } from "./fields.ts";
import type { PacketLie } from "./reference-cipher.ts";

/** How bytes go out: "joined" with those of the next step; "byte": one by one. */
const cuts = ["joined", "byte"] as const;
export type Cut = (typeof cuts)[number];
export type Step =
  /** Outside of any packet: the identification line. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly cut?: Cut }
  | {
      readonly kind: "send";
      /** For who reads it. */
      readonly name: string;
      readonly fields: readonly Field[];
      readonly lie?: PacketLie;
      readonly cut?: Cut;
    }
  /** Until the server answers, closes, or has nothing to say. */
  | { readonly kind: "wait" }
  /** From now on the server's bytes stay where they are. */
  | { readonly kind: "deaf" }
  /** No more bytes from us (FIN), but we go on reading. */
  | { readonly kind: "half-close" }
  /** RST. */
  | { readonly kind: "reset" };
export interface ClientSequence {
  /** What it is there for, if anybody has said so. */
  readonly about?: string;
  readonly steps: readonly Step[];
}

const format = "sallyport server sequence 1";
export const maxSteps = 2000;
const bareKinds = ["wait", "deaf", "half-close", "reset"] as const;

/** A longer string of one byte is written as that. */
const longestPlain = 64;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const isPlain = (bytes: Uint8Array): boolean => bytes.every((byte) => byte >= 0x20 && byte < 0x7f);

function contentJson(bytes: Uint8Array): object {
  const first = bytes[0] ?? 0;
  if (bytes.length > longestPlain && bytes.every((byte) => byte === first)) return { fill: first, count: bytes.length }; // prettier-ignore
  return isPlain(bytes) ? { text: Buffer.from(bytes).toString("latin1") } : { string: hex(bytes) };
}
function fieldJson(field: Field): object {
  if ("bytes" in field) return { hex: hex(field.bytes) };
  if ("number" in field) return { number: field.number };
  const says = field.says === undefined ? {} : { says: field.says };
  if ("string" in field) return { ...contentJson(field.string), ...says };
  return { live: field.live, ...says, ...(field.flip === undefined ? {} : { flip: field.flip }) };
}
function stepJson(step: Step): object {
  if (step.kind === "bytes") {
    const content = isPlain(step.bytes.subarray(0, -2)) && Buffer.from(step.bytes).toString("latin1").endsWith("\r\n") ? { line: Buffer.from(step.bytes.subarray(0, -2)).toString("latin1") } : { bytes: hex(step.bytes) }; // prettier-ignore
    return { ...content, ...(step.cut === undefined ? {} : { cut: step.cut }) };
  }
  if (step.kind !== "send") return { step: step.kind };
  const { name, fields, lie, cut } = step;
  return {
    send: name,
    ...(lie === undefined ? {} : { lie }),
    ...(cut === undefined ? {} : { cut }),
    fields: fields.map(fieldJson),
  };
}

/** One JSON object a line. */
export function clientSequenceText({ about, steps }: ClientSequence): string {
  const lines = [JSON.stringify({ format, ...(about === undefined ? {} : { about }) })];
  for (let i = 0, times = 1; i < steps.length; i += times) {
    const step = steps[i];
    if (step === undefined) break;
    const json = stepJson(step);
    const line = JSON.stringify(json);
    for (times = 1; ; times += 1) {
      const next = steps[i + times];
      if (next === undefined || (next !== step && JSON.stringify(stepJson(next)) !== line)) break;
    }
    lines.push(times === 1 ? line : JSON.stringify({ times, ...json }));
  }
  return lines.map((line) => `${line}\n`).join("");
}

type Json = Readonly<Record<string, unknown>>;

function whole(value: unknown, what: string, max: number): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > max)
    throw new SyntaxError(`${what} is not a number from 0 to ${max}`);
  return value as number;
}
function bytesOf(value: unknown, what: string): Uint8Array {
  if (typeof value !== "string" || !/^([0-9a-f]{2})*$/.test(value))
    throw new SyntaxError(`${what} is no hex`);
  return new Uint8Array(Buffer.from(value, "hex"));
}
function latin1(value: unknown, what: string): Uint8Array {
  if (typeof value !== "string" || /[^\x20-\x7e]/.test(value))
    throw new SyntaxError(`${what} is not printable ASCII: write it as hex`);
  return new Uint8Array(Buffer.from(value, "latin1"));
}
/** Over what a packet holds, twice. */
const maxFieldBytes = 512 * 1024;

function fieldOf(json: Json): Field {
  const says = json["says"] === undefined ? {} : { says: whole(json["says"], "says", 0xffff_ffff) }; // prettier-ignore
  if (json["hex"] !== undefined) return { bytes: bytesOf(json["hex"], "hex") };
  if (json["number"] !== undefined) return { number: whole(json["number"], "number", 0xffff_ffff) }; // prettier-ignore
  if (json["text"] !== undefined) return { string: latin1(json["text"], "text"), ...says };
  if (json["string"] !== undefined) return { string: bytesOf(json["string"], "string"), ...says };
  if (json["fill"] !== undefined) {
    const count = whole(json["count"], "count", maxFieldBytes);
    return { string: new Uint8Array(count).fill(whole(json["fill"], "fill", 255)), ...says };
  }
  const name = liveNames.find((each): each is LiveName => each === json["live"]);
  if (name === undefined) throw new SyntaxError(`unknown field ${JSON.stringify(json).slice(0, 80)}`); // prettier-ignore
  const flip = json["flip"] === undefined ? {} : { flip: whole(json["flip"], "flip", 0xffff_ffff) };
  return { live: name, ...says, ...flip };
}

function lieOf(value: unknown): PacketLie {
  const json = asObject(value, "lie");
  const lie: { length?: number; padding?: number; flip?: number } = {};
  for (const [name, number] of Object.entries(json)) {
    if (name !== "length" && name !== "padding" && name !== "flip")
      throw new SyntaxError(`unknown lie ${JSON.stringify(name)}`);
    lie[name] = whole(number, name, name === "padding" ? 255 : 0xffff_ffff);
  }
  return lie;
}
function asObject(value: unknown, what: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SyntaxError(`${what} is not an object`);
  return value as Json;
}

function stepOf(json: Json): Step {
  const { step, send, line, bytes, fields, lie, cut: cutJson } = json;
  const found = cuts.find((each) => each === cutJson);
  if (cutJson !== found) throw new SyntaxError(`unknown cut ${JSON.stringify(cutJson)}`);
  const cut = found === undefined ? {} : { cut: found };
  if (typeof line === "string")
    return {
      kind: "bytes",
      bytes: Buffer.concat([latin1(line, "line"), Buffer.from("\r\n")]),
      ...cut,
    };
  if (bytes !== undefined) return { kind: "bytes", bytes: bytesOf(bytes, "bytes"), ...cut };
  if (step !== undefined) {
    const kind = bareKinds.find((each) => each === step);
    if (kind === undefined) throw new SyntaxError(`unknown step ${JSON.stringify(step)}`);
    return { kind };
  }
  if (typeof send !== "string" || !Array.isArray(fields))
    throw new SyntaxError('neither "send" with "fields", nor "line", "bytes" or "step"');
  const sent = fields.map((field) => fieldOf(asObject(field, "a field")));
  return {
    kind: "send",
    name: send,
    fields: sent,
    ...(lie === undefined ? {} : { lie: lieOf(lie) }),
    ...cut,
  };
}

/** Throws BadSequence, `FILE line N: what is wrong`. */
export function parseClientSequence(content: string, file: string): ClientSequence {
  const lines = content.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const steps: Step[] = [];
  let about: string | undefined;
  for (const [i, line] of (lines.length === 0 ? [""] : lines).entries())
    try {
      const json = jsonObject(line);
      if (i === 0) {
        if (json["format"] !== format) throw new SyntaxError(`not a client's sequence (its format must be "${format}")`); // prettier-ignore
        if (typeof json["about"] === "string") about = json["about"];
        continue;
      }
      const { times = 1, ...rest } = json;
      const step = stepOf(rest);
      for (let n = Math.max(1, whole(times, "times", maxSteps)); n > 0; n -= 1) steps.push(step);
      if (steps.length > maxSteps) throw new SyntaxError(`over ${maxSteps} steps`);
    } catch (error) {
      throw new BadSequence(`${file} line ${i + 1}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }); // prettier-ignore
    }
  return { ...(about === undefined ? {} : { about }), steps };
}

/** The message number that its first byte will be, if there is one. */
export function numberOf(step: Extract<Step, { kind: "send" }>): number | undefined {
  const [first] = step.fields;
  return first !== undefined && "bytes" in first ? first.bytes[0] : undefined;
}
/** A step that sends one message as it should be. */
export const send = (name: string, ...fields: readonly Field[]): Step => ({ kind: "send", name, fields }); // prettier-ignore
export const wait: Step = { kind: "wait" };
export const message = (name: string, number: number, ...fields: readonly Field[]): Step =>
  send(name, fixed(number), ...fields);
