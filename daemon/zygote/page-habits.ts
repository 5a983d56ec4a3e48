// Which pages each kind of child writes: learned from the first children, so that later ones have them copied in one call instead of in
// hundreds of page faults. It changes what a connection costs, never what it does.
import { readFileSync } from "node:fs";
import { pagesOfItsOwn, type PageRanges } from "../../native/prefault.ts";

export type ChildKind = "broker" | "session" | "login";

/** Looks at this many children of a kind, then never again. */
const samples = 8;
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
    if (this.#seen[kind].length === samples) return false;
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

  /**
   * Only what all of them had is a habit: a page that one copied for a reason of its own would be memory that every connection pays for. Until
   * all have been looked at there is none, for copies made in advance would be learned too.
   */
  #learn(kind: ChildKind, pid: number): void {
    const seen = this.#seen[kind];
    if (seen.length === samples) return;
    seen.push(pagesOfItsOwn(pid));
    if (seen.length === samples) this.#ranges[kind] = seen.reduce(common);
  }
}
