// A trace holds what a peer said: names with control characters, with marks that turn the direction of writing, with no end. Here they
// become text that can neither move a terminal's cursor nor change how what stands beside it is read.

/** Controls, formats (bidirectional marks, joiners, tags), private and unassigned code points, line and paragraph separators. */
const unsafe = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** More marks than this on one letter is no language, but a way to write over other lines. */
const heaped = /(\p{M}{4})\p{M}+/gu;

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return `\\u{${code.toString(16)}}`;
};

/** On one line, and as it is read; at most `max` characters. */
export function visible(text: string, max = 1024): string {
  const characters = Array.from(text.replaceAll("\\", "\\\\").replaceAll(heaped, "$1…"));
  const short = characters.length > max ? `${characters.slice(0, max).join("")}…` : characters.join(""); // prettier-ignore
  return short.replaceAll(unsafe, escaped);
}

/** For HTML, in text and in a quoted attribute. */
export function html(text: string, max?: number): string {
  return visible(text, max).replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
