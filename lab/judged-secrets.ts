// Whether a text tells a secret, in any of the forms in which a careless line would: as it is, in hex, in base64, as numbers.
import { requests, type Request } from "../ipc/monitor.ts";
import { readRequest } from "./judged-request.ts";
import { labSecrets } from "./lab-secrets.ts";

/** So many bytes in a row are no accident. */
const partBytes = 12;
/** In front of the signature in its blob (RFC 4253 section 6.6): the algorithm's name, known to all. */
const signatureHeadBytes = 19;

interface Part {
  readonly bytes: Buffer;
  /** As a line could have it. */
  readonly forms: readonly string[];
  /** Lines that do not have it: the same come again and again. */
  readonly clean: Set<string>;
}
/** A secret's bytes at `at`. Undefined for what a line may well say: plain text, or hardly any bytes at all. */
function partOf(secret: Uint8Array, at: number): Part | undefined {
  const more = Buffer.from(secret.subarray(at, at + partBytes + 2));
  const bytes = more.subarray(0, partBytes);
  const isPlain = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (more.length < partBytes + 2 || isPlain || new Set(bytes).size < partBytes / 2)
    return undefined;
  const hex = bytes.toString("hex");
  const raw = bytes.toString("latin1");
  const base64 = [0, 1, 2].map((from) => more.toString("base64", from, from + partBytes));
  const forms = [
    raw,
    JSON.stringify(raw).slice(1, -1),
    bytes.toString("utf8"),
    hex,
    hex.replace(/..(?=.)/g, "$& "),
    [...bytes].join(","),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
  return { bytes, forms: [...new Set(forms)], clean: new Set() };
}
const known = new WeakMap<Uint8Array, readonly Part[]>();
/** Its beginning and its end. */
function partsOf(secret: Uint8Array, from: number): readonly Part[] {
  const before = known.get(secret);
  if (before !== undefined) return before;
  const ends = new Set([from, Math.max(from, secret.length - partBytes - 2)]);
  const found = [...ends].map((at) => partOf(secret, at)).filter((part) => part !== undefined);
  known.set(secret, found);
  return found;
}

const secretFields: ReadonlySet<string> = new Set(["sharedSecret", "signature"]);
const own = labSecrets.flatMap((secret) => partsOf(secret, 0));
const maxClean = 4096;

/** The secrets of one conversation: those of the lab, and those that its messages carry. */
export class Secrets {
  readonly #sent = new Set<Uint8Array>();
  readonly #carried = new Set<Part>();

  /** `bytes` was sent, and may be a request. */
  sent(bytes: Uint8Array, request: Request | undefined): void {
    if (this.#sent.has(bytes)) return;
    this.#sent.add(bytes);
    if (request?.name === "sign") this.#carry(request.body.sharedSecret, 0);
    if (request?.name === "publickeySign") this.#carry(request.body.signature, signatureHeadBytes);
  }
  #carry(secret: Uint8Array, from: number): void {
    for (const part of partsOf(secret, from)) this.#carried.add(part);
  }

  /** What `text` tells that nobody was told openly, or undefined. */
  toldBy(text: string): string | undefined {
    for (const part of this.#carried) if (this.#isTold(text, part)) return "a secret of a message";
    for (const part of own) if (this.#isTold(text, part)) return "a secret of the server";
    return undefined;
  }
  #isTold(text: string, { bytes, forms, clean }: Part): boolean {
    if (clean.has(text)) return false;
    if (forms.some((form) => text.includes(form))) return !this.#wasOpen(bytes);
    if (clean.size >= maxClean) clean.clear();
    clean.add(text);
    return false;
  }
  /** A hostile process may send the same bytes as a user's name: then it is no secret any more. */
  #wasOpen(part: Buffer): boolean {
    return [...this.#sent].some((bytes) => {
      const read = readRequest(bytes, 0);
      if (!("request" in read)) return false;
      const { name, body } = read.request;
      return Object.keys(requests[name].fields).some((field) => {
        const value = (body as Readonly<Record<string, unknown>>)[field];
        if (secretFields.has(field)) return false;
        return value instanceof Uint8Array && Buffer.from(value).includes(part);
      });
    });
  }
}
