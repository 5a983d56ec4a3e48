// Kinds of values that many keywords share: each a pair of reading and printing.
import { algorithmList, type AlgorithmKind } from "./algorithms.ts";
import { several, single, type Values } from "./keyword.ts";
import { quoteWord } from "./lines.ts";
import { absolutePath, choice, integer, seconds, yesNo } from "./values.ts";

export const flag: Values<boolean> = {
  read: (line) => yesNo(single(line)),
  print: (value) => [value ? "yes" : "no"],
};

export const count = (max?: number): Values<number> => ({
  read: (line) => {
    try {
      return integer(line.words[0] === undefined ? "" : single(line), max);
    } catch (error) {
      // sshd's wording has the keyword in this message alone.
      if (error instanceof RangeError && error.message.startsWith("integer value")) {
        throw new RangeError(`${line.written} ${error.message}`);
      }
      throw error;
    }
  },
  print: (value) => [String(value)],
});

export const duration: Values<number> = {
  read: (line) => seconds(single(line, "missing time value.")),
  print: (value) => [String(value)],
};

export const oneOf = <const T extends string>(choices: readonly T[]): Values<T> => ({
  read: (line) => choice(single(line), choices),
  print: (value) => [value],
});

/** A list of words; the first line counts; printed on one line. */
export const words: Values<readonly string[]> = {
  read: several,
  print: (value) => (value.length === 0 ? [] : [value.map(quoteWord).join(" ")]),
};

/** The same, one -T line a word, as sshd prints lists whose lines add up. */
export const gathered = (
  check: (word: string) => void = () => undefined,
): Values<readonly string[]> => ({
  read: (line) => {
    const list = several(line);
    list.forEach(check);
    return list;
  },
  print: (value) => value.map(quoteWord),
});

export const algorithms = (kind: AlgorithmKind): Values<readonly string[]> => ({
  read: (line) => algorithmList(kind, single(line)),
  print: (value) => [value.join(",")],
});

/** A path, or `none`, which the option holds as `none`. */
export const pathOrNone = (none: string): Values<string> => ({
  read: (line) => {
    const word = single(line, "missing file name.");
    return word.toLowerCase() === "none" ? none : absolutePath(word);
  },
  print: (value) => [value === none ? "none" : quoteWord(value)],
});

/** All that follows the keyword, quotes and `#` included; `none` is the empty text. */
export const restOfLine = (check: (text: string) => void): Values<string> => ({
  read: ({ rest }) => {
    const text = rest.toLowerCase() === "none" ? "" : rest;
    check(text);
    return text;
  },
  // A first "=" would be taken for the one that may follow a keyword: a second one guards it.
  print: (value) => [value === "" ? "none" : value.startsWith("=") ? `=${value}` : value],
});
