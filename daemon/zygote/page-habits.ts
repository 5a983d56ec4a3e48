// Which pages each kind of child writes: learned from the first children, so that later ones have them copied in one call instead of in
// hundreds of page faults. It changes what a connection costs, never what it does.
import { readFileSync } from "node:fs";
import { pagesOfItsOwn, type PageRanges } from "../../native/prefault.ts";

export type ChildKind = "broker" | "session" | "login";

/** Looks at this many children of a kind, then never again. */
const samples = 8;
/**
 * Copies made ahead are memory that each process holds until its end: 3 MiB. More than that is no habit but the zygote's own doing: what it has
 * written since its children were forked is theirs alone, and looks as if they had.
 */
const mostPages = 768n;
const pageBytes = 4096n;
const none: PageRanges = new BigUint64Array();

/** What both have; each is sorted. */
export function common(one: PageRanges, other: PageRanges): PageRanges {
  const both: bigint[] = [];
  for (let i = 0, j = 0; i + 1 < one.length && j + 1 < other.length;) {
    const [start = 0n, end = 0n] = one.subarray(i, i + 2);
    const [otherStart = 0n, otherEnd = 0n] = other.subarray(j, j + 2);
    const from = start > otherStart ? start : otherStart;
    const to = end < otherEnd ? end : otherEnd;
    if (from < to) both.push(from, to);
    if (end < otherEnd) i += 2;
    else j += 2;
  }
  return BigUint64Array.from(both);
}

/** What all of them had; nothing where that is too much to be a habit. */
export function habitOf(seen: readonly PageRanges[]): PageRanges {
  const [first = none, ...others] = seen;
  const shared = others.reduce(common, first);
  const bytes = shared.reduce((sum, edge, i) => (i % 2 === 0 ? sum - edge : sum + edge), 0n);
  return bytes <= mostPages * pageBytes ? shared : none;
}

export class PageHabits {
  readonly #seen: Record<ChildKind, PageRanges[]> = { broker: [], session: [], login: [] };
  readonly #ranges: Record<ChildKind, PageRanges> = { broker: none, session: none, login: none };

  of(kind: ChildKind): PageRanges {
    return this.#ranges[kind];
  }

  /**
   * Looks at a living child, and for a broker at its session process. True when it did, which leaves much garbage. One that waits for a connection
   * or a user is passed over: its work is still to come.
   */
  look(kind: "broker" | "login", pid: number): boolean {
    if (this.#isKnown(kind) && (kind === "login" || this.#isKnown("session"))) return false;
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("[warm]")) return false;
      this.#learn(kind, pid);
      if (kind !== "broker") return true;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
      for (const child of children.split(" ").filter(Boolean))
        this.#learn("session", Number(child));
    } catch {
      // It has ended, or a container hides it: then there is nothing to learn.
    }
    return true;
  }

  #isKnown(kind: ChildKind): boolean {
    return this.#seen[kind].length === samples;
  }

  /**
   * Only what all of them had is a habit: a page that one copied for a reason of its own would be memory that every connection pays for. Until
   * all have been looked at there is none, for copies made in advance would be learned too.
   */
  #learn(kind: ChildKind, pid: number): void {
    if (this.#isKnown(kind)) return;
    const pages = pagesOfItsOwn(pid);
    // It has ended and waits to be reaped: that nothing is left of it says nothing about its work.
    if (pages.length === 0) return;
    this.#seen[kind].push(pages);
    if (this.#isKnown(kind)) this.#ranges[kind] = habitOf(this.#seen[kind]);
  }
}
