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
}

/** The base64 after a key type at the start of `text`, or undefined. */
function keyAt(text: string): { base64: string } | undefined {
  const [type = "", base64 = ""] = text.split(/[ \t]+/, 2);
  return keyTypes.test(type) && base64 !== "" ? { base64 } : undefined;
}

/**
 * Every usable line that holds exactly `blob`, in order; a line whose options spoil it goes to `skipped` only when it names this very key
 * (others' mistakes are not this login's business). `text` is latin1.
 */
export function* findKey(
  text: string,
  blob: Uint8Array,
  skipped: (line: SkippedLine) => void,
): Generator<FoundKey> {
  const wanted = Buffer.from(blob).toString("base64");
  const lines = text.split("\n");
  for (const [i, raw] of lines.entries()) {
    const line = i + 1;
    if (raw.length > maxLineBytes) {
      skipped({ line, why: "line too long" });
      continue;
    }
    const trimmed = raw.trim();
    if (trimmed === "" || trimmed.startsWith("#") || !trimmed.includes(wanted)) continue;
    const bare = keyAt(trimmed);
    if (bare !== undefined) {
      if (bare.base64 === wanted) yield { line, options: defaultKeyOptions };
      continue;
    }
    const end = optionsEnd(trimmed);
    const key = end < 0 ? undefined : keyAt(trimmed.slice(end).trim());
    if (key === undefined) {
      skipped({ line, why: "no key after the options" });
      continue;
    }
    if (key.base64 !== wanted) continue;
    try {
      yield { line, options: parseKeyOptions(trimmed.slice(0, end)) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      skipped({ line, why: `bad key options: ${error.message}` });
    }
  }
}
