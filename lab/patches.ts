// Changes to compiled code, by the exact text that they replace: how the lab makes a broker with a bug, or a session process that has been
// taken over, without a switch that production could ever reach.

export interface Patch {
  /** Below dist/, such as "broker/monitor.js". */
  readonly file: string;
  /** Must stand there exactly once. */
  readonly search: string;
  readonly replacement: string;
}

/** Throws RangeError when `search` does not stand in `source` exactly once: the code has changed, and the patch must follow. */
export function applyPatch(source: string, { file, search, replacement }: Patch): string {
  const at = source.indexOf(search);
  const found = at < 0 ? 0 : source.includes(search, at + 1) ? 2 : 1;
  if (found !== 1)
    throw new RangeError(
      `Cannot patch ${file}: ${JSON.stringify(search)} stands there ${found === 0 ? "nowhere" : "more than once"}`,
    );
  return source.slice(0, at) + replacement + source.slice(at + search.length);
}
