// Text of log lines made safe, as sshd's vis(3): printable ASCII stays, everything else is spelled out, so that no terminal obeys it
// and no reader of the log takes one line for two. sshd leaves line feeds alone with -e and -E; we escape them there too.

/** Characters of the escaped text; sshd cuts at 1023, and its longest lines (offers of algorithms) with it. */
const maxLength = 4096;

const named: Readonly<Record<string, string>> = {
  "\\": String.raw`\\`,
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
  "\t": String.raw`\t`,
  "\b": String.raw`\b`,
  "\f": String.raw`\f`,
  "\v": String.raw`\v`,
  "\u0007": String.raw`\a`,
};
const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;

/** Up to U+00FF a character is a byte (peers' text is read as latin1); above, its UTF-8 bytes are spelled. */
function spell(character: string): string {
  const known = named[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  return code <= 0xff ? octal(code) : Array.from(Buffer.from(character, "utf8"), octal).join("");
}

export function escapeText(text: string): string {
  // Cut before and after: escaping makes four characters of one.
  const escaped = text.slice(0, maxLength).replaceAll(/[^ -[\]-~]/gu, spell);
  return escaped.length > maxLength ? `${escaped.slice(0, maxLength)}...` : escaped;
}
