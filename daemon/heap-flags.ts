/** V8's bounds of a process of ours, MiB: a connection's buffers are native memory and bounded elsewhere. */
export const heapFlags: readonly string[] = [
  "--max-old-space-size=192",
  "--max-semi-space-size=2",
  "--min-semi-space-size=1",
  // What the zygote has compiled stays compiled: a collection would throw bytecode away that has not run lately.
  "--no-flush-bytecode",
  "--no-lazy",
  // What the interpreter learns (shapes of objects) it learns in the rehearsal, from the first call on: a child that learns writes pages.
  "--no-lazy-feedback-allocation",
];
