// What the tables of keywords are made of.
import type { ServerOptions } from "./options.ts";

/** The rest of the line as it stands, for commands. */
export interface Line {
  readonly words: readonly string[];
  readonly rest: string;
}
export interface Keyword {
  readonly name: string;
  readonly inMatch: boolean;
  /** first: the first line wins; append: lines add up. */
  readonly repeat: "first" | "append";
  readonly option?: keyof ServerOptions;
  /** Throws RangeError with what is wrong. */
  read(line: Line): unknown;
  /** Values for -T, one line each. */
  print?(options: ServerOptions): readonly string[];
}
