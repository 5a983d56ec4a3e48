// Reading a configuration: files with Include and Match, overrides of -o before them. The first value wins; some lines add up.
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { matchesPattern } from "./algorithms.ts";
import type { Keyword } from "./keyword.ts";
import { keywords } from "./keywords.ts";
import { aliases, ignored } from "./unsupported.ts";
import { parseLine, type ConfigLine } from "./lines.ts";
import { matches, parseCriteria, type Criterion, type MatchContext } from "./match.ts";
import { defaults, type ServerOptions } from "./options.ts";

/** What went wrong, a line each, in sshd's words: `FILE line N: ...`. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly lines: readonly string[];
  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

export interface Source {
  readonly path: string;
  readonly content: string;
}
interface Setting {
  readonly keyword: Keyword;
  readonly value: unknown;
  /** Criteria of the Match blocks around it; empty outside. */
  readonly criteria: readonly Criterion[];
}
export interface LoadOptions {
  /** "none": no file. */
  readonly file: string;
  /** `Keyword value` lines of -o, -p and -h; they come first, so they win. */
  readonly overrides?: readonly string[];
  /** Taken instead of the file system: a configuration that was shipped to another process. */
  readonly sources?: readonly Source[];
}

const byName = new Map(keywords.map((keyword) => [keyword.name.toLowerCase(), keyword]));
const ignoredNames = new Set(ignored.map((name) => name.toLowerCase()));
const maxIncludeDepth = 16;
const configFolder = "/etc/ssh";

/** A configuration that was read whole, without an error. */
export class Config {
  readonly #settings: readonly Setting[];
  readonly sources: readonly Source[];
  /** Deprecated keywords met, as sshd logs them. */
  readonly notices: readonly string[];
  /** Options outside every Match. */
  readonly global: ServerOptions;

  constructor(
    settings: readonly Setting[],
    sources: readonly Source[],
    notices: readonly string[],
  ) {
    this.#settings = settings;
    this.sources = sources;
    this.notices = notices;
    this.global = this.resolve({});
  }

  /** The options that hold for a connection: settings whose Match blocks fit, the first one winning. */
  resolve(context: MatchContext): ServerOptions {
    const values: Record<string, unknown> = {};
    for (const { keyword, value, criteria } of this.#settings) {
      if (keyword.option === undefined || !matches(criteria, context)) continue;
      const current = values[keyword.option];
      if (current === undefined) values[keyword.option] = value;
      // Keywords that repeat have arrays: that is what their reader returns.
      else if (keyword.repeat === "append")
        values[keyword.option] = [...(current as []), ...(value as [])];
    }
    return { ...defaults, ...values };
  }
}

class Loader {
  readonly settings: Setting[] = [];
  readonly sources: Source[] = [];
  readonly notices: string[] = [];
  readonly errors: string[] = [];
  readonly #given: ReadonlyMap<string, string> | undefined;
  badOptions = 0;
  inOverrides = true;
  portGiven = false;

  constructor(given?: readonly Source[]) {
    this.#given =
      given === undefined ? undefined : new Map(given.map(({ path, content }) => [path, content]));
  }

  file(path: string, depth: number, outer: readonly Criterion[]): void {
    const content = this.#given?.get(path) ?? readFileSync(path, "utf8");
    if (!this.sources.some((source) => source.path === path)) this.sources.push({ path, content });
    let criteria = outer;
    content.split("\n").forEach((text, i) => {
      const where = `${path} line ${i + 1}`;
      if (text.includes("\0")) this.errors.push(`${where}: NUL byte`);
      else criteria = this.line(text, where, `${path}: line ${i + 1}`, depth, criteria, outer);
    });
  }

  /** Returns the criteria that hold from the next line on. */
  line(
    text: string,
    where: string,
    optionWhere: string,
    depth: number,
    criteria: readonly Criterion[],
    outer: readonly Criterion[],
  ): readonly Criterion[] {
    try {
      const line = parseLine(text);
      if (line === null) return criteria;
      if (line.keyword === "match") return [...outer, ...parseCriteria(line.words)];
      if (line.keyword === "include") this.#include(line, depth, criteria);
      else this.#setting(line, where, optionWhere, criteria);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.errors.push(`${where}: ${/^\s*(\S+)/.exec(text)?.[1] ?? ""}: ${error.message}`);
    }
    return criteria;
  }

  #setting(
    line: ConfigLine,
    where: string,
    optionWhere: string,
    criteria: readonly Criterion[],
  ): void {
    const name = aliases[line.keyword] ?? line.keyword;
    if (ignoredNames.has(name)) {
      if (name !== "protocol" && !name.startsWith("sshd"))
        this.notices.push(`${where}: Deprecated option ${line.written}`);
      return;
    }
    const keyword = byName.get(name);
    if (keyword === undefined) {
      this.badOptions += 1;
      this.errors.push(`${optionWhere}: Bad configuration option: ${line.written}`);
      return;
    }
    if (criteria.length > 0 && !keyword.inMatch) {
      throw new RangeError(`Directive '${line.written}' is not allowed within a Match block`);
    }
    const value = keyword.read(line);
    // sshd(8): Port lines are ignored when the command line has a port.
    if (keyword.option === "port" && !this.inOverrides && this.portGiven) return;
    if (keyword.option === "port" && this.inOverrides) this.portGiven = true;
    this.settings.push({ keyword, value, criteria });
  }

  #include(line: ConfigLine, depth: number, criteria: readonly Criterion[]): void {
    if (depth >= maxIncludeDepth) throw new RangeError("Too many recursive configuration includes");
    if (line.words.length === 0) throw new RangeError("missing argument");
    for (const word of line.words) {
      for (const path of this.#glob(isAbsolute(word) ? word : join(configFolder, word))) {
        this.file(path, depth + 1, criteria);
      }
    }
  }

  /** Files that fit, sorted; wildcards in the last component only, as every distribution uses them. None is fine. */
  #glob(pattern: string): string[] {
    const folder = dirname(pattern);
    const matching = (names: readonly string[]): string[] =>
      names
        .filter((name) => matchesPattern(name, basename(pattern)) && !name.startsWith("."))
        .sort();
    if (/[*?[]/.test(folder))
      throw new RangeError(`wildcards in the folder of "${pattern}" are not supported`);
    if (this.#given !== undefined) {
      const names = [...this.#given.keys()]
        .filter((path) => dirname(path) === folder)
        .map((path) => basename(path));
      return matching(names).map((name) => join(folder, name));
    }
    try {
      return matching(readdirSync(folder)).map((name) => join(folder, name));
    } catch {
      return [];
    }
  }
}

/** Throws ConfigError with everything that is wrong, or the error of the file itself. */
export function loadConfig(options: LoadOptions): Config {
  const loader = new Loader(options.sources);
  for (const text of options.overrides ?? []) {
    loader.line(text, "command-line", "command-line", maxIncludeDepth, [], []);
    if (/^\s*match/i.test(text)) loader.errors.push("command-line: Match cannot be used with -o");
  }
  loader.inOverrides = false;
  if (options.file !== "none") loader.file(options.file, 0, []);
  if (loader.badOptions > 0) {
    loader.errors.push(
      `${options.file}: terminating, ${loader.badOptions} bad configuration options`,
    );
  }
  if (loader.errors.length > 0) throw new ConfigError(loader.errors);
  return new Config(loader.settings, loader.sources, loader.notices);
}

/** `-T`: lower-case keyword and value, a line each; reading it again gives the same options. */
export function printOptions(options: ServerOptions): string[] {
  return keywords.flatMap(
    (keyword) =>
      keyword.print?.(options).map((value) => `${keyword.name.toLowerCase()} ${value}`) ?? [],
  );
}
