// What the tables of keywords are made of.
import type { ServerOptions } from "./options.ts";
import { BadLine, type ConfigLine } from "./lines.ts";

/** A line asks for what is not built. IgnoreUnsupported can have it skipped, unless skipping would let somebody do more. */
export class NotSupported extends RangeError {
  override readonly name = "NotSupported";
  readonly isRestriction: boolean;
  constructor(message: string, isRestriction = false) {
    super(message);
    this.isRestriction = isRestriction;
  }
}

/** How values of one type are read and printed. */
export interface Values<T> {
  /** Throws RangeError with what is wrong. */
  readonly read: (line: ConfigLine) => T;
  /** For -T: the arguments, one -T line each; `read` must take them back. */
  readonly print: (value: T, options: ServerOptions) => readonly string[];
}

/** How lines of one keyword come together. named: as append, but each name once, the first one. */
export type Repeat = "first" | "append" | "named";
/**
 * supported: does what sshd_config(5) says. own: ours. fixed: only a value that asks for nothing is taken. without-effect: taken, and
 * changes nothing, because what it tunes is not there. ignored: as sshd ignores it, with a line in the log. silent: the same without.
 */
export type Support = "supported" | "own" | "fixed" | "without-effect" | "ignored" | "silent";

export interface Keyword {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly support: Support;
  /** May stand in a Match block. */
  readonly inMatch: boolean;
  readonly repeat: Repeat;
  /** One line for docs/configuration.md. */
  readonly doc: string;
  /** Undefined: it changes nothing. */
  readonly option?: keyof ServerOptions;
  read(line: ConfigLine): unknown;
  print(options: ServerOptions): readonly string[];
}

type Extra = Partial<Pick<Keyword, "aliases" | "inMatch" | "repeat" | "support">>;

/** A keyword that sets the option `key`. */
export function option<K extends keyof ServerOptions>(
  name: string,
  key: K,
  values: Values<ServerOptions[K]>,
  doc: string,
  extra: Extra = {},
): Keyword {
  return {
    name,
    aliases: extra.aliases ?? [],
    support: extra.support ?? "supported",
    inMatch: extra.inMatch ?? false,
    repeat: extra.repeat ?? "first",
    doc,
    option: key,
    read: (line) => values.read(line),
    print: (options) => values.print(options[key], options),
  };
}

/** The only argument. Throws when there is none, an empty one or another. */
export function single(line: ConfigLine, missing = `${line.written} missing argument.`): string {
  const [word = "", ...others] = line.words;
  if (word === "") throw new RangeError(missing);
  if (others.length > 0)
    throw new BadLine(`keyword ${line.written} extra arguments at end of line`);
  return word;
}

/** One argument or more, none of them empty. */
export function several(line: ConfigLine): [string, ...string[]] {
  const [first, ...others] = line.words;
  if (first === undefined) throw new RangeError(`${line.written} missing argument.`);
  if (line.words.includes("")) throw new RangeError(`keyword ${line.written} empty argument`);
  return [first, ...others];
}
