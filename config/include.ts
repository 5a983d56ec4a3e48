// Include: which files a pattern names, as glob(3): `*`, `?`, `[...]` in any part of the path, sorted; none is fine.

/** What the search sees of the file system, or of a configuration that was shipped as text. */
export interface Folders {
  /** Names in a folder; empty when there is none, or it may not be read. */
  list(folder: string): readonly string[];
  exists(path: string): boolean;
}

const hasWildcard = (part: string): boolean => /[*?[]/.test(part);
const unescaped = (part: string): string => part.replaceAll(/\\(.)/g, "$1");

/** One element of a pattern: does it take this character? "star" takes any number. */
type Element = "star" | ((character: string) => boolean);

/** `[abc]`, `[a-z]`, `[!a-z]` from `at`, which is behind the bracket; undefined when it does not end. */
function bracket(part: string, at: number): { element: Element; end: number } | undefined {
  const isNegated = part.charAt(at) === "!" || part.charAt(at) === "^";
  const start = isNegated ? at + 1 : at;
  // A "]" that comes first is a character of the set.
  const end = part.indexOf("]", start + 1);
  if (end < 0) return undefined;
  const set = part.slice(start, end);
  const fits = (character: string): boolean => {
    for (let i = 0; i < set.length; i += 1) {
      if (set.charAt(i + 1) === "-" && i + 2 < set.length) {
        if (set.charAt(i) <= character && character <= set.charAt(i + 2)) return true;
        i += 2;
      } else if (set.charAt(i) === character) return true;
    }
    return false;
  };
  return { element: (character) => fits(character) !== isNegated, end };
}

function elementsOf(part: string): Element[] {
  const elements: Element[] = [];
  for (let i = 0; i < part.length; i += 1) {
    const character = part.charAt(i);
    const set = character === "[" ? bracket(part, i + 1) : undefined;
    if (set !== undefined) {
      elements.push(set.element);
      i = set.end;
    } else if (character === "*") elements.push("star");
    else if (character === "?") elements.push(() => true);
    else {
      if (character === "\\" && i + 1 < part.length) i += 1;
      const literal = part.charAt(i);
      elements.push((other) => other === literal);
    }
  }
  return elements;
}

/** Only the last star is ever gone back to. */
function fits(name: string, elements: readonly Element[]): boolean {
  let at = 0;
  let e = 0;
  let star = -1;
  let mark = 0;
  while (at < name.length) {
    const element = elements[e];
    if (element === "star") {
      star = e;
      mark = at;
      e += 1;
    } else if (element?.(name.charAt(at)) === true) {
      at += 1;
      e += 1;
    } else if (star >= 0) {
      e = star + 1;
      mark += 1;
      at = mark;
    } else return false;
  }
  while (elements[e] === "star") e += 1;
  return e === elements.length;
}

/** Paths that an absolute pattern names, sorted. Hidden files only where the pattern begins with the dot itself. */
export function expandInclude(pattern: string, folders: Folders): string[] {
  let paths = [""];
  for (const part of pattern.split("/").filter((each) => each !== "")) {
    if (!hasWildcard(part)) {
      paths = paths.map((path) => `${path}/${unescaped(part)}`);
      continue;
    }
    const elements = elementsOf(part);
    paths = paths.flatMap((path) =>
      folders
        .list(path === "" ? "/" : path)
        .filter((name) => (part.startsWith(".") || !name.startsWith(".")) && fits(name, elements))
        .map((name) => `${path}/${name}`),
    );
  }
  return paths.filter((path) => folders.exists(path)).sort();
}

/** The folders that a set of files implies. */
export function foldersOf(files: Iterable<string>): Folders {
  const names = new Map<string, Set<string>>();
  const paths = new Set(files);
  for (const file of paths) {
    for (let path = file; path !== "" && path !== "/";) {
      const slash = path.lastIndexOf("/");
      const folder = slash <= 0 ? "/" : path.slice(0, slash);
      const known = names.get(folder) ?? new Set();
      names.set(folder, known.add(path.slice(slash + 1)));
      path = slash < 0 ? "" : folder;
    }
  }
  return { list: (folder) => [...(names.get(folder) ?? [])], exists: (path) => paths.has(path) };
}
