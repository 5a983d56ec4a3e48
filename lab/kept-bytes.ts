// How much hangs on an object: a broker's monitor, whose private fields the fuzzer's copy has open (fuzz/counted-broker.ts).

/** What an object and an entry of it take besides, about; strings count by UTF-16 units. */
const objectBytes = 16;
const entryBytes = 8;

/** In bytes, about; the same for the same object. What is `shared` is somebody else's, and functions are not looked into. */
export function keptBytes(root: object, shared: ReadonlySet<object>): number {
  const seen = new Set<object>();
  let total = 0;
  const add = (value: unknown): void => {
    if (typeof value === "string") total += value.length;
    if (typeof value !== "object" || value === null || seen.has(value) || shared.has(value)) return;
    seen.add(value);
    total += objectBytes;
    if (ArrayBuffer.isView(value)) {
      total += value.byteLength;
      return;
    }
    if (value instanceof Map || value instanceof Set) {
      for (const [key, item] of value.entries()) {
        total += entryBytes;
        add(key);
        add(item);
      }
    }
    for (const item of Object.values(value)) {
      total += entryBytes;
      add(item);
    }
  };
  add(root);
  return total;
}
