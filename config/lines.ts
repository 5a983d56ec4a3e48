// Lines of sshd_config: `keyword arguments` or `keyword=arguments`, double and single quotes, comments.

export interface ConfigLine {
  /** Lower case. */
  readonly keyword: string;
  /** As written, for messages. */
  readonly written: string;
  readonly words: readonly string[];
  /** Everything after the keyword, trimmed, quotes kept: what commands are made of. */
  readonly rest: string;
}

/** Words of an argument string. Backslash escapes a quote or itself. Throws RangeError on a quote that does not end. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i += 1) {
    const character = text.charAt(i);
    const next = text.charAt(i + 1);
    if (
      character === "\\" &&
      (next === '"' || next === "'" || next === "\\" || (quote === "" && next === " "))
    ) {
      word = (word ?? "") + next;
      i += 1;
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (character === " " || character === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "#" && word === undefined) break;
    else word = (word ?? "") + character;
  }
  if (quote !== "") throw new RangeError("unterminated quote");
  if (word !== undefined) words.push(word);
  return words;
}

/** Null for an empty line or a comment. */
export function parseLine(text: string): ConfigLine | null {
  const parts = /^[\s\uFEFF]*([^\s=#"]+)(?:\s*=\s*|\s+|$)(.*)$/s.exec(text);
  const written = parts?.[1];
  if (written === undefined) {
    if (/^\s*(#|$)/.test(text)) return null;
    throw new RangeError("no keyword on the line");
  }
  const rest = (parts?.[2] ?? "").trim();
  return { keyword: written.toLowerCase(), written, words: splitWords(rest), rest };
}
