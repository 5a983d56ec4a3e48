// From settings, in the order of their lines, to the options that hold: what sshd's copy_set_server_options does.
import type { Keyword } from "./keyword.ts";
import { matches, type Criterion, type MatchContext } from "./match.ts";
import { defaults, type ServerOptions } from "./options.ts";

export interface Setting {
  readonly keyword: Keyword;
  readonly value: unknown;
  /** Criteria of the Match blocks around it; empty outside. */
  readonly criteria: readonly Criterion[];
}

/** The first of each name. */
function firstOfName(values: readonly { name: string }[]): readonly unknown[] {
  const seen = new Set<string>();
  return values.filter(({ name }) => !seen.has(name) && seen.add(name));
}

/** Lines of one keyword, together. Keywords whose lines add up read arrays: their types in ServerOptions are. */
function join({ repeat }: Keyword, earlier: unknown, later: unknown): unknown {
  switch (repeat) {
    case "first":
      return earlier;
    case "append":
      return [...(earlier as unknown[]), ...(later as unknown[])]; // see above
    case "named":
      return firstOfName([...(earlier as { name: string }[]), ...(later as { name: string }[])]); // see above
  }
}

/** One pass: everything outside of Match blocks, or everything in those that fit. */
function gather(settings: readonly Setting[]): Map<Keyword, unknown> {
  const values = new Map<Keyword, unknown>();
  for (const { keyword, value } of settings) {
    values.set(keyword, values.has(keyword) ? join(keyword, values.get(keyword), value) : value);
  }
  return values;
}

/**
 * Match blocks replace what stands outside of them, wherever they stand; among blocks that fit the first line wins, or lines add up.
 * Subsystems of a block join those outside.
 */
export function resolveSettings(
  settings: readonly Setting[],
  context: MatchContext,
): ServerOptions {
  const outside = gather(settings.filter(({ criteria }) => criteria.length === 0));
  // Lines of a block share its array of criteria, so each block is asked once.
  const held = new Map<readonly Criterion[], boolean>();
  const fits = (criteria: readonly Criterion[]): boolean => {
    const known = held.get(criteria) ?? matches(criteria, context);
    held.set(criteria, known);
    return known;
  };
  const inside = gather(settings.filter(({ criteria }) => criteria.length > 0 && fits(criteria)));
  for (const [keyword, value] of inside) {
    const isJoined = keyword.repeat === "named" && outside.has(keyword);
    outside.set(keyword, isJoined ? join(keyword, value, outside.get(keyword)) : value);
  }
  const values: Record<string, unknown> = {};
  const withoutEffect: Record<string, string> = {};
  for (const [keyword, value] of outside) {
    if (keyword.option !== undefined) values[keyword.option] = value;
    else withoutEffect[keyword.name.toLowerCase()] = String(value);
  }
  return { ...defaults, ...values, withoutEffect };
}
