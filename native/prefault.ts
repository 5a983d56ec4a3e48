// Copying the pages that a forked child will write before it writes them: one call in the place of hundreds of page faults.
import { addon } from "./addon.ts";

const raw = addon as unknown as {
  pagesOfItsOwn: (pid: number) => BigUint64Array;
  populate: (ranges: BigUint64Array) => void;
  packHeap: () => number;
  keepHeapTogether: () => BigUint64Array;
  letHeapScatter: (ranges: BigUint64Array) => void;
};

/** Starts and ends of address ranges, in turn; they mean something in the process that learned them and its children. */
export type PageRanges = BigUint64Array;
/** What a broker and its session process are going to write. */
export interface PagesOfPair {
  readonly broker: PageRanges;
  readonly session: PageRanges;
}

/**
 * The private memory of this process that `pid`, forked from it, has copies of by now: what it wrote (proc_pid_pagemap(5)). Throws ESRCH,
 * ENOENT or EACCES when that process cannot be looked at.
 */
export const pagesOfItsOwn = raw.pagesOfItsOwn;
/** `MADV_POPULATE_WRITE` on each range of the calling process; what the kernel refuses is left to page faults. */
export const populate = raw.populate;
/**
 * Takes what is free in malloc's arena out of circulation, for ever: children then allocate at its top, page by page, and not in holes all
 * over pages that they would have to copy. Once, in a process that is about to fork. Returns how many bytes.
 */
export const packHeap = raw.packHeap;
let taken: PageRanges = new BigUint64Array();
/**
 * From now on V8's heap grows side by side, not at random all over the address space, so that a fork has half as many page tables to copy.
 * First of all, in a process that is going to fork. Where the kernel refuses, nothing changes.
 */
export function keepHeapTogether(): void {
  taken = raw.keepHeapTogether();
}
/** Ends that: the process is as large again as it looks. Once all is loaded. */
export function letHeapScatter(): void {
  raw.letHeapScatter(taken);
  taken = new BigUint64Array();
}
