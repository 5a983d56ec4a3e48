// Finding a key in the text of an authorized_keys file.
import { defaultKeyOptions, optionsEnd, parseKeyOptions, type KeyOptions } from "./key-options.ts";

/** As sshd: a longer line is skipped whole; its tail is never taken for a line of its own. */
const maxLineBytes = 8192;
const keyTypes =
  /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/;

export interface FoundKey {
  readonly line: number;
  readonly options: KeyOptions;
}
/** A line that names the key but cannot be used, and why. */
export interface SkippedLine {
  readonly line: number;
  readonly why: string;
  /** As sshd's own; what is refused because it is not built here is worth a line that is seen. */
  readonly level: "error" | "info" | "debug1";
}

/** Type and base64 at the start of `text`, or undefined when no key stands there. */
function keyAt(text: string): { type: string; base64: string } | undefined {
  const [type = "", base64 = ""] = text.split(/[ \t]+/, 2);
  return keyTypes.test(type) && base64 !== "" ? { type, base64 } : undefined;
}
/** The type that a key blob names itself; the word before it must be the same. */
function typeOf(bytes: Buffer): string {
  return bytes.length < 4 ? "" : bytes.toString("latin1", 4, 4 + bytes.readUInt32BE(0));
}
/** Blanks are these two, as in sshd: what JavaScript trims besides (0xA0 and more) are bytes of a line like others. */
const withoutIndent = (text: string): string => text.replace(/^[ \t]+/, "");

/**
 * Every usable line that holds exactly `blob`, in order; a line whose options spoil it goes to `skipped` only when it names this very key
 * (others' mistakes are not this login's business). `text` is latin1.
 */
export function* findKey(
  text: string,
  blob: Uint8Array,
  skipped: (line: SkippedLine) => void,
): Generator<FoundKey> {
  const bytes = Buffer.from(blob);
  const wanted = bytes.toString("base64");
  const type = typeOf(bytes);
  const isWanted = (key: { type: string; base64: string }): boolean =>
    key.base64 === wanted && key.type === type;
  // Most queries are for keys that are not there: a large file costs them one search.
  if (!text.includes(wanted)) return;
  for (const [i, raw] of text.split("\n").entries()) {
    const line = i + 1;
    const trimmed = withoutIndent(raw.endsWith("\r") ? raw.slice(0, -1) : raw);
    if (trimmed.startsWith("#") || !trimmed.includes(wanted)) continue;
    if (raw.length > maxLineBytes || raw.includes("\0")) {
      skipped({ line, why: raw.includes("\0") ? "NUL byte" : "line too long", level: "info" });
      continue;
    }
    const bare = keyAt(trimmed);
    if (bare !== undefined) {
      if (isWanted(bare)) yield { line, options: defaultKeyOptions };
      continue;
    }
    const end = optionsEnd(trimmed);
    const key = end < 0 ? undefined : keyAt(withoutIndent(trimmed.slice(end)));
    if (key === undefined) {
      if (end < 0) skipped({ line, why: "invalid key option string", level: "error" });
      else skipped({ line, why: "no key after the options", level: "debug1" });
      continue;
    }
    if (!isWanted(key)) continue;
    try {
      yield { line, options: parseKeyOptions(trimmed.slice(0, end)) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const level = error.message.endsWith("not supported yet") ? "info" : "debug1";
      skipped({ line, why: `bad key options: ${error.message}`, level });
    }
  }
}
