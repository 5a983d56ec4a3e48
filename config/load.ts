// Reading a configuration: the overrides of the command line, then files with Include and Match.
import { isUtf8 } from "node:buffer";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { expandInclude, foldersOf, type Folders } from "./include.ts";
import { NotSupported, several } from "./keyword.ts";
import { keywordByName, keywords } from "./keywords.ts";
import { BadLine, parseLine, type ConfigLine } from "./lines.ts";
import { parseCriteria, type Criterion, type MatchContext } from "./match.ts";
import type { ServerOptions } from "./options.ts";
import { matchesPatternList } from "./patterns.ts";
import { resolveSettings, type Setting } from "./resolve.ts";

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
export interface LoadOptions {
  /** "none": no file. */
  readonly file: string;
  /** `Keyword value` lines of the command line; they come first, so they win. A Port among them replaces all Port lines. */
  readonly overrides?: readonly string[];
  /** Taken instead of the file system: `Config.sources` of a configuration that another process read. */
  readonly sources?: readonly Source[];
}

/** sshd's SERVCONF_MAX_DEPTH. */
const maxIncludeDepth = 16;
/** Includes that fan out; sshd has no such bound, and no operator comes near. */
const maxLines = 200_000;
const maxErrors = 100;
/** All files together, in UTF-16 units; what an answer to the zygote may carry. */
const maxContent = 4 * 1024 * 1024;
const configFolder = "/etc/ssh";

/** A configuration that was read whole, without an error. */
export class Config {
  readonly #settings: readonly Setting[];
  readonly #hasMatch: boolean;
  /** The files as they were read: `loadConfig` with them needs no file system and gives the same options. */
  readonly sources: readonly Source[];
  /** Lines for the log, level info: deprecated keywords met, lines skipped by IgnoreUnsupported. */
  readonly notices: readonly string[];
  /** What holds when nothing is known of a connection. */
  readonly global: ServerOptions;

  constructor(
    settings: readonly Setting[],
    sources: readonly Source[],
    notices: readonly string[],
  ) {
    this.#settings = settings;
    this.#hasMatch = settings.some(({ criteria }) => criteria.length > 0);
    this.sources = sources;
    this.notices = notices;
    this.global = resolveSettings(settings, {});
  }

  /** The options that hold for a connection: Match blocks that fit replace what stands outside of them. */
  resolve(context: MatchContext): ServerOptions {
    return this.#hasMatch ? resolveSettings(this.#settings, context) : this.global;
  }
}

const fileSystem: Folders = {
  list: (folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return []; // as glob(3)
    }
  },
  exists: existsSync,
};

/** Where a line stands. */
interface Place {
  readonly file: string;
  readonly number: number;
  readonly depth: number;
  /** Criteria around the file: of the Match block that its Include stands in. */
  readonly outer: readonly Criterion[];
}

class Loader {
  readonly settings: Setting[] = [];
  readonly sources = new Map<string, string>();
  readonly notices: string[] = [];
  readonly errors: string[] = [];
  readonly notSupported: { keyword: string; where: string; error: NotSupported }[] = [];
  readonly #given: ReadonlyMap<string, string> | undefined;
  readonly #folders: Folders;
  #content = 0;
  #lines = 0;
  badOptions = 0;
  portGiven = false;

  constructor(given?: readonly Source[]) {
    if (given !== undefined)
      this.#given = new Map(given.map(({ path, content }) => [path, content]));
    this.#folders = this.#given === undefined ? fileSystem : foldersOf(this.#given.keys());
  }

  /** Nothing after this line can be trusted to be read right. */
  #stop(message: string): never {
    throw new ConfigError([...this.errors, message]);
  }

  #read(path: string): string {
    const known = this.sources.get(path) ?? this.#given?.get(path);
    const content = known ?? this.#readFile(path);
    if (!this.sources.has(path)) this.#content += content.length;
    if (this.#content > maxContent) this.#stop(`${path}: configuration is too large`);
    this.sources.set(path, content);
    return content;
  }

  #readFile(path: string): string {
    if (this.#given !== undefined) this.#stop(`${path}: No such file or directory`);
    try {
      const bytes = readFileSync(path);
      if (isUtf8(bytes)) return bytes.toString("utf8");
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException; // node:fs throws nothing else
      const texts: Readonly<Record<string, string>> = {
        ENOENT: "No such file or directory",
        EACCES: "Permission denied",
        EISDIR: "Is a directory",
      };
      this.#stop(`${path}: ${texts[code] ?? code}`);
    }
    return this.#stop(`${path}: not UTF-8`);
  }

  file(path: string, depth: number, outer: readonly Criterion[]): void {
    if (depth > maxIncludeDepth) this.#stop("Too many recursive configuration includes");
    let criteria = outer;
    this.#read(path)
      .split("\n")
      .forEach((text, i) => {
        criteria = this.line(text, { file: path, number: i + 1, depth, outer }, criteria);
      });
  }

  /** Returns the criteria that hold from the next line on. */
  line(text: string, place: Place, criteria: readonly Criterion[]): readonly Criterion[] {
    this.#lines += 1;
    if (this.#lines > maxLines) this.#stop(`${place.file}: too many lines`);
    const where = `${place.file} line ${place.number}`;
    try {
      if (text.includes("\0")) throw new BadLine("NUL byte");
      const line = parseLine(text);
      if (line === null) return criteria;
      const isFile = place.number > 0;
      if (!isFile && (line.keyword === "match" || line.keyword === "include"))
        throw new RangeError(`${line.written} directive not supported as a command-line option`);
      if (line.keyword === "match") return [...place.outer, ...parseCriteria(line.words)];
      if (line.keyword === "include") this.#include(line, place.depth, criteria);
      else this.#setting(line, place, criteria);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (error instanceof BadLine) this.badOptions += place.number > 0 ? 1 : 0;
      if (error instanceof NotSupported) {
        const written = parseLine(text)?.keyword ?? "";
        const keyword = (keywordByName.get(written)?.name ?? written).toLowerCase();
        this.notSupported.push({ keyword, where, error });
      } else this.errors.push(`${where}: ${error.message}`);
      if (this.errors.length >= maxErrors) this.#stop(`${place.file}: too many errors`);
    }
    return criteria;
  }

  #setting(line: ConfigLine, place: Place, criteria: readonly Criterion[]): void {
    const keyword = keywordByName.get(line.keyword);
    if (keyword === undefined) {
      if (place.number > 0) this.badOptions += 1;
      const where = `${place.file}: line ${place.number}`;
      this.errors.push(`${where}: Bad configuration option: ${line.written}`);
      return;
    }
    if (keyword.support === "silent") return;
    if (keyword.support === "ignored") {
      this.notices.push(`${place.file} line ${place.number}: Deprecated option ${line.written}`);
      return;
    }
    // `Match all` ends a block: what follows it holds for everybody, so it may be anything.
    const isForAll = criteria.every(({ name }) => name === "all");
    if (!isForAll && !keyword.inMatch) {
      throw new RangeError(`Directive '${line.written}' is not allowed within a Match block`);
    }
    const value = keyword.read(line);
    if (keyword.option === "port") {
      // sshd(8): a port of the command line replaces those of the file.
      if (place.number > 0 && this.portGiven) return;
      if (place.number === 0) this.portGiven = true;
    }
    this.settings.push({ keyword, value, criteria: keyword.inMatch ? criteria : [] });
  }

  #include(line: ConfigLine, depth: number, criteria: readonly Criterion[]): void {
    for (const word of several(line)) {
      const pattern = isAbsolute(word) ? word : join(configFolder, word);
      for (const path of expandInclude(pattern, this.#folders))
        this.file(path, depth + 1, criteria);
    }
  }

  /** Once all lines are read: IgnoreUnsupported may stand behind what it is about. */
  sortOutUnsupported(patterns: readonly string[]): void {
    for (const { keyword, where, error } of this.notSupported) {
      if (!error.isRestriction && matchesPatternList(keyword, patterns))
        this.notices.push(`${where}: skipped (IgnoreUnsupported): ${error.message}`);
      else this.errors.push(`${where}: ${error.message}`);
    }
  }
}

/** Throws ConfigError with everything that is wrong. */
export function loadConfig(options: LoadOptions): Config {
  const loader = new Loader(options.sources);
  const commandLine = { file: "command-line", number: 0, depth: 0, outer: [] };
  for (const text of options.overrides ?? []) {
    if (text.includes("\n")) throw new ConfigError(["command-line line 0: more than one line"]);
    loader.line(text, commandLine, []);
  }
  if (options.file !== "none") loader.file(options.file, 0, []);
  const sources = [...loader.sources].map(([path, content]) => ({ path, content }));
  const config = new Config(loader.settings, sources, loader.notices);
  const { authenticationMethods, pubkeyAuthentication, ignoreUnsupported } = config.global;
  loader.sortOutUnsupported(ignoreUnsupported);
  if (authenticationMethods.length > 0 && !pubkeyAuthentication) {
    loader.errors.push(
      "AuthenticationMethods cannot be satisfied by enabled authentication methods",
    );
  }
  if (loader.badOptions > 0) {
    const { file } = options;
    loader.errors.push(`${file}: terminating, ${loader.badOptions} bad configuration options`);
  }
  if (loader.errors.length > 0) throw new ConfigError(loader.errors);
  return config;
}

/** `-T`: lower-case keyword and value, a line each, as sshd prints them; a file of these lines gives the same options. */
export function printOptions(options: ServerOptions): string[] {
  return keywords.flatMap((keyword) =>
    keyword.print(options).map((value) => `${keyword.name.toLowerCase()} ${value}`),
  );
}
