// Reads a trace and believes nothing of it: names come from tables, numbers are bounded, and what is wrong is said with its line.
import { readFileSync, statSync } from "node:fs";
import { phases } from "../../broker/permits.ts";
import { connectionEnds } from "../../ipc/listener.ts";
import { traceParties } from "../../ipc/trace.ts";
import {
  channels,
  formatName,
  formatVersion,
  layerStates,
  processEvents,
  type FieldValue,
  type Header,
  type Trace,
  type TraceRecord,
} from "./format.ts";

/** One line says it all; exit status 2. */
export class TraceError extends Error {
  override readonly name = "TraceError";
}

const maxFileBytes = 256 * 1024 * 1024;
const maxText = 4096;
const maxItems = 1024;
const maxDepth = 3;

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function fail(why: string): never {
  throw new TraceError(why);
}
/** For messages: what a file says is shown escaped and short. */
const quote = (value: unknown): string => {
  const text = JSON.stringify(value) as string | undefined; // undefined for an absent key
  if (text === undefined) return "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};
function text(from: Json, key: string): string {
  const value = from[key];
  return typeof value === "string" && value.length <= maxText
    ? value
    : fail(`${key} is ${quote(value)}, not a text of up to ${maxText} characters`);
}
function whole(from: Json, key: string, least = 0): number {
  const value = from[key];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least
    ? value
    : fail(`${key} is ${quote(value)}, not a whole number${least === 0 ? "" : " in bounds"}`);
}
function one<const T extends string>(from: Json, key: string, of: readonly T[]): T {
  const value = from[key];
  return of.find((name) => name === value) ?? fail(`unknown ${key} ${quote(value)}`);
}
const optional = <T>(
  from: Json,
  key: string,
  read: (from: Json, key: string) => T,
): Readonly<Record<string, T>> => (from[key] === undefined ? {} : { [key]: read(from, key) });

/** No key beyond these: a misspelt one would be missed in silence. */
function only(from: Json, what: string, keys: readonly string[]): void {
  const strange = Object.keys(from).find((key) => !keys.includes(key));
  if (strange !== undefined) fail(`unknown key ${quote(strange)} in ${what}`);
}

function fieldValue(value: unknown, depth = 0): FieldValue {
  if (typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "string" && value.length <= maxText) return value;
  if (Array.isArray(value) && value.length <= maxItems && depth < maxDepth)
    return value.map((item: unknown) => fieldValue(item, depth + 1));
  if (isObject(value)) {
    const hex = (key: string): string =>
      /^[0-9a-f]{0,1024}$/.test(text(value, key)) ? text(value, key) : fail(`${key} is no hex`);
    if ("hex" in value) return { hex: hex("hex") };
    const bytes = whole(value, "bytes");
    if ("sha256" in value) return { bytes, sha256: hex("sha256") };
    if ("salted" in value) return { bytes, salted: hex("salted") };
    if ("text" in value) return { bytes, text: text(value, "text") };
  }
  return fail(`a field's value is ${quote(value)}`);
}

function fields(from: Json): Record<string, FieldValue> {
  const { fields: given } = from;
  if (!isObject(given)) return fail(`fields is ${quote(given)}, not an object`);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name.slice(0, 64), fieldValue(value)]),
  );
}

function message(from: Json, common: { n: number; atUs: number }): TraceRecord {
  only(from, "a message", ["n", "atUs", "kind", "from", "to", "message", "id", "bytes", "descriptors", "fields", "phase", "permit", "outcome", "refusal"]); // prettier-ignore
  const [sender, receiver] = [one(from, "from", traceParties), one(from, "to", traceParties)];
  const table = channels[`${sender}>${receiver}`];
  if (table === undefined) return fail(`${sender} sends nothing to ${receiver}`);
  const name = text(from, "message");
  const outcome = one(from, "outcome", ["done", "refused"]);
  // One that was refused as unreadable may have any type, or none.
  const isUnreadable = outcome === "refused" && /^(type \d{1,3}|nothing)$/.test(name);
  if (!Object.hasOwn(table, name) && !isUnreadable)
    return fail(`unknown message ${quote(name)} from ${sender} to ${receiver}`);
  const { phase, permit } = from;
  if (phase !== undefined && !isObject(phase)) return fail(`phase is ${quote(phase)}`);
  if (permit !== undefined && !isObject(permit)) return fail(`permit is ${quote(permit)}`);
  return {
    ...common,
    kind: "message",
    from: sender,
    to: receiver,
    message: name,
    id: whole(from, "id"),
    bytes: whole(from, "bytes"),
    descriptors: whole(from, "descriptors"),
    fields: fields(from),
    ...(phase === undefined
      ? {}
      : { phase: { before: one(phase, "before", phases), after: one(phase, "after", phases) } }),
    ...(permit === undefined
      ? {}
      : {
          permit: {
            rule: text(permit, "rule"),
            ...optional(permit, "left", whole),
            why: text(permit, "why"),
          },
        }),
    outcome,
    ...optional(from, "refusal", text),
  };
}

function process(from: Json, common: { n: number; atUs: number }): TraceRecord {
  only(from, "a process", ["n", "atUs", "kind", "party", "event", "by", "pid", "uid", "gid", "layers", "status", "signal", "cpuUs", "refusal"]); // prettier-ignore
  const { layers } = from;
  if (layers !== undefined && (!Array.isArray(layers) || layers.length > maxItems))
    return fail(`layers is ${quote(layers)}, not a list`);
  return {
    ...common,
    kind: "process",
    party: one(from, "party", traceParties),
    event: one(from, "event", processEvents),
    by: one(from, "by", traceParties),
    pid: whole(from, "pid"),
    ...optional(from, "uid", whole),
    ...optional(from, "gid", whole),
    ...(layers === undefined
      ? {}
      : {
          layers: layers.map((layer: unknown) => {
            if (!isObject(layer)) return fail(`a layer is ${quote(layer)}`);
            const name = text(layer, "name");
            const state = one(layer, "state", layerStates);
            return { name, state, ...optional(layer, "detail", text) };
          }),
        }),
    ...optional(from, "status", whole),
    ...optional(from, "signal", whole),
    ...optional(from, "cpuUs", whole),
    ...optional(from, "refusal", text),
  };
}

function record(from: Json, n: number): TraceRecord {
  const common = { n: whole(from, "n", 1), atUs: whole(from, "atUs", Number.MIN_SAFE_INTEGER) };
  if (common.n !== n) fail(`record ${common.n} stands where ${n} belongs`);
  const kind = one(from, "kind", ["message", "process", "connection", "lost"]);
  switch (kind) {
    case "message":
      return message(from, common);
    case "process":
      return process(from, common);
    case "connection":
      only(from, "a connection", ["n", "atUs", "kind", "event", "end", "bytesReceived", "bytesSent"]); // prettier-ignore
      return {
        ...common,
        kind,
        event: one(from, "event", ["accepted", "ended"]),
        ...optional(from, "end", (object) => one(object, "end", connectionEnds)),
        ...optional(from, "bytesReceived", whole),
        ...optional(from, "bytesSent", whole),
      };
    case "lost":
      return { ...common, kind, count: whole(from, "count") };
  }
}

function header(from: Json): Header {
  const { format, v, connection } = from;
  if (from["kind"] !== "header" || format !== formatName) fail("not a trace of sallyport");
  if (v !== formatVersion) fail(`version ${quote(v)} of the format; this is for ${formatVersion}`);
  if (!isObject(connection)) return fail(`connection is ${quote(connection)}`);
  return {
    kind: "header",
    format: formatName,
    v: formatVersion,
    recorded: text(from, "recorded"),
    server: text(from, "server"),
    kernel: text(from, "kernel"),
    connection: {
      remoteAddress: text(connection, "remoteAddress"),
      remotePort: whole(connection, "remotePort"),
      localAddress: text(connection, "localAddress"),
      localPort: whole(connection, "localPort"),
    },
  };
}

/** `name` stands in front of what is wrong. Throws TraceError. */
export function parseTrace(content: string, name: string): Trace {
  const lines = content.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) throw new TraceError(`${name}: empty, not a trace`);
  let first: Header | undefined;
  const records: TraceRecord[] = [];
  lines.forEach((line, i) => {
    try {
      let parsed: unknown;
      try {
        parsed = JSON.parse(line);
      } catch {
        return fail("not JSON");
      }
      if (!isObject(parsed)) return fail(`${quote(parsed)} is no record`);
      if (i === 0) first = header(parsed);
      else records.push(record(parsed, i));
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      throw new TraceError(`${name}:${i + 1}: ${error.message}`);
    }
  });
  if (first === undefined) throw new TraceError(`${name}: no header`);
  return { header: first, records };
}

/** Throws TraceError; also when the file cannot be read. */
export function readTrace(path: string): Trace {
  let content: string;
  try {
    const { size } = statSync(path);
    if (size > maxFileBytes) throw new TraceError(`${path}: larger than ${maxFileBytes} bytes`);
    content = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof TraceError) throw error;
    const { code } = error as NodeJS.ErrnoException; // fs sets it
    const why =
      { ENOENT: "no such file", EACCES: "permission denied", EISDIR: "is a folder" }[code ?? ""] ??
      String(code);
    throw new TraceError(`cannot read ${path}: ${why}`);
  }
  return parseTrace(content, path);
}
