// Lines of sshd_config: `keyword arguments` or `keyword=arguments`, quotes, comments; the rules are strdelim's and argv_split's of sshd.

export interface ConfigLine {
  /** Lower case. */
  readonly keyword: string;
  /** As written, for messages. */
  readonly written: string;
  readonly words: readonly string[];
  /** Everything after the keyword, trimmed, quotes and `#` kept: what ForceCommand and VersionAddendum take. */
  readonly rest: string;
}

/** The line breaks a rule that holds for every keyword: sshd counts it as a "bad configuration option" and reads on. */
export class BadLine extends RangeError {
  override readonly name = "BadLine";
}

/** sshd's WHITESPACE without the line feed, which ends the line. */
const isBlank = (character: string): boolean =>
  character === " " || character === "\t" || character === "\r";

/** Reads one word of `text` from `start`, which is not blank. Escapes: `\"`, `\'`, `\\` anywhere, `\ ` outside quotes. */
function readWord(text: string, start: number): { word: string; end: number } {
  let word = "";
  let quote = "";
  let i = start;
  for (; i < text.length; i += 1) {
    const character = text.charAt(i);
    const next = text.charAt(i + 1);
    if (character === "\\") {
      const escapes =
        next === '"' || next === "'" || next === "\\" || (quote === "" && next === " ");
      if (escapes) i += 1;
      word += text.charAt(i);
    } else if (quote === "" && (character === " " || character === "\t")) break;
    else if (quote === "" && (character === '"' || character === "'")) quote = character;
    else if (quote !== "" && character === quote) quote = "";
    else word += character;
  }
  if (quote !== "") throw new BadLine("invalid quotes");
  return { word, end: i };
}

/** Words up to a comment. Throws BadLine on a quote that does not end. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let i = 0;
  while (i < text.length) {
    const character = text.charAt(i);
    if (character === " " || character === "\t") i += 1;
    else if (character === "#") break;
    else {
      const { word, end } = readWord(text, i);
      words.push(word);
      i = end;
    }
  }
  return words;
}

/** A word that `splitWords` reads back as `word`. */
export function quoteWord(word: string): string {
  const isPlain = word !== "" && !/[\s"'\\]/.test(word) && !word.startsWith("#");
  return isPlain ? word : `"${word.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Where the blanks at `from` end. */
function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charAt(at))) at += 1;
  return at;
}

/** Null for an empty line or a comment. Throws BadLine. */
export function parseLine(line: string): ConfigLine | null {
  let length = line.length;
  // A form feed is blank at the end of a line only.
  while (length > 0 && (isBlank(line.charAt(length - 1)) || line.charAt(length - 1) === "\f"))
    length -= 1;
  const text = line.slice(0, length);
  const start = skipBlanks(text, 0);
  if (start === length || text.charAt(start) === "#") return null;
  let end = start;
  while (end < length && !isBlank(text.charAt(end)) && text.charAt(end) !== "=") end += 1;
  let after = skipBlanks(text, end);
  // One "=", with or without blanks around it.
  if (text.charAt(after) === "=") after = skipBlanks(text, after + 1);
  const quoted = /^"(.*)"$/.exec(text.slice(start, end));
  const written = quoted?.[1] ?? text.slice(start, end);
  const rest = text.slice(after);
  if (rest === "") throw new BadLine(`no argument after keyword "${written}"`);
  return { keyword: written.toLowerCase(), written, words: splitWords(rest), rest };
}
