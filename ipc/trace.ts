// What a recorded broker tells of its conversation (sallyport trace): the kinds of report, who takes part, and how much of a field may be
// told. Secrets are lengths and salted digests; a field that nobody has ruled on is a secret.
import { createHash } from "node:crypto";
import type { AnyField } from "./fields.ts";
import type { MessageSpec, Protocol } from "./protocol.ts";

/** message: one that the broker sent or took; process: one that it forked or reaped; layers: what it saw of its session process; lost:
 * so many reports were left out because the listener did not read. */
export const traceKinds = ["message", "process", "layers", "lost"] as const;
export type TraceKind = (typeof traceKinds)[number];
export const traceParties = [
  "client",
  "session",
  "broker",
  "signer",
  "listener",
  "zygote",
  "login",
  "worker",
] as const;
export type TraceParty = (typeof traceParties)[number];

/** Told as they are. Peer's bytes among them: who shows them escapes them. */
const open: ReadonlySet<string> = new Set([
  "user", "service", "method", "methods", "algorithm", "kex", "hostKeyAlgorithm", "clientVersion", "serverVersion", "remoteAddress",
  "localAddress", "missing", "missingLayers", "code", "text", "why", "fields", "home", "shell",
]); // prettier-ignore
/** Everybody may know them, but nobody wants to read them: length and plain digest, to be compared with `sha256sum`. */
const digested: ReadonlySet<string> = new Set([
  "clientKexInit", "serverKexInit", "clientPublic", "serverPublic", "blob", "hostKey", "hostKeys", "keys", "signature", "exchangeHash",
  "sessionId", "banner",
]); // prettier-ignore

/** What a field's value is told as; `salted` digests compare within one recording only. */
export const detailKinds = ["number", "bool", "text", "hex", "digest", "salted", "cut"] as const;
export type DetailKind = (typeof detailKinds)[number];
/** Of text and of hex bytes; a longer one is `cut`. */
const maxShown = 512;
const maxItems = 32;
const digestHexLength = 16;

const digest = (bytes: Uint8Array, salt: Uint8Array): string =>
  createHash("sha256").update(salt).update(bytes).digest("hex").slice(0, digestHexLength);
const none = new Uint8Array();
const encoder = new TextEncoder();

function shown(bytes: Uint8Array): [DetailKind, string] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8");
  if (!Buffer.from(text).equals(buffer))
    return bytes.length > maxShown / 2
      ? ["digest", `${bytes.length} ${digest(bytes, none)}`]
      : ["hex", buffer.toString("hex")];
  // Half a surrogate pair is no text.
  return text.length > maxShown
    ? ["cut", `${bytes.length} ${text.slice(0, maxShown).replace(/\p{Cs}$/u, "")}`]
    : ["text", text];
}

function detail(name: string, value: unknown, salt: Uint8Array): [DetailKind, string] {
  if (typeof value === "number") return ["number", String(value)];
  if (typeof value === "boolean") return ["bool", String(value)];
  // bytes or text: there is no other kind (fields.ts)
  const bytes = typeof value === "string" ? encoder.encode(value) : (value as Uint8Array);
  if (open.has(name)) return shown(bytes);
  return digested.has(name)
    ? ["digest", `${bytes.length} ${digest(bytes, none)}`]
    : ["salted", `${bytes.length} ${digest(bytes, salt)}`];
}

/**
 * What may be told of a message: name, kind and value of each field, one after the other. Digests are `LENGTH HEX`, the first 8 bytes of
 * SHA-256; a list gives its count, then its items as `name[i]`.
 */
export function disclose(
  spec: MessageSpec,
  body: Readonly<Record<string, unknown>>,
  salt: Uint8Array,
): string[] {
  return Object.keys(spec.fields).flatMap((name) => {
    const value = body[name];
    if (!Array.isArray(value)) return [name, ...detail(name, value, salt)];
    const items: readonly unknown[] = value;
    const shownItems = items.slice(0, maxItems);
    return [
      name,
      "number",
      String(items.length),
      ...shownItems.flatMap((item, i) => [`${name}[${i}]`, ...detail(name, item, salt)]),
    ];
  });
}

/** The name of a message by its type, for one that could not be read. */
export const nameOfType = (messages: Protocol, type: number): string =>
  Object.entries(messages).find(([, spec]) => spec.type === type)?.[0] ?? `type ${type}`;

/** How much of a field is told; for the documentation. */
export function disclosureOf(name: string, field: AnyField): "shown" | "digest" | "salted digest" {
  const { kind } = field.item ?? field;
  if (kind !== "bytes" && kind !== "text") return "shown";
  if (open.has(name)) return "shown";
  return digested.has(name) ? "digest" : "salted digest";
}
