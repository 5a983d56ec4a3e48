// Which pages each kind of child writes: learned from the first children, so that later ones have them copied in one call instead of in
// hundreds of page faults. It changes what a connection costs, never what it does.
import { readFileSync } from "node:fs";
import { pagesOfItsOwn, type PageRanges } from "../../native/prefault.ts";

export type ChildKind = "broker" | "session" | "login";

/** Looks at this many children of a kind, then never again. */
const samples = 48;
/** A child that has moved much data has touched more than a usual one: 6 MiB is no habit. */
const mostPages = 1536n;
const pageBytes = 4096n;

const pages = (ranges: PageRanges): bigint => {
  let total = 0n;
  for (let i = 0; i + 1 < ranges.length; i += 2)
    total += ((ranges[i + 1] ?? 0n) - (ranges[i] ?? 0n)) / pageBytes;
  return total;
};

export class PageHabits {
  readonly #ranges: Record<ChildKind, PageRanges> = {
    broker: new BigUint64Array(),
    session: new BigUint64Array(),
    login: new BigUint64Array(),
  };
  readonly #left: Record<ChildKind, number> = { broker: samples, session: samples, login: samples };

  of(kind: ChildKind): PageRanges {
    return this.#ranges[kind];
  }

  /** Looks at a living child, and for a broker at its session process. True when it did, which leaves much garbage. */
  look(kind: "broker" | "login", pid: number): boolean {
    if (this.#left[kind] === 0) return false;
    try {
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

  /** The one that wrote most is kept: the others' pages are among its own, since all began alike. */
  #learn(kind: ChildKind, pid: number): void {
    if (this.#left[kind] === 0) return;
    this.#left[kind] -= 1;
    const seen = pagesOfItsOwn(pid);
    const count = pages(seen);
    if (count <= mostPages && count > pages(this.#ranges[kind])) this.#ranges[kind] = seen;
  }
}
