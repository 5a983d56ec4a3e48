// Where V8's pages come to lie. `argv[2]`: "apart" as V8 has it, "together", or "refused" with a bound on the address space.
import { readFileSync } from "node:fs";
import { setRlimit } from "../../../native/confine.ts";
import { keepHeapTogether, letHeapScatter } from "../../../native/prefault.ts";
import { say } from "./report.ts";

const [, , how] = process.argv;
const RLIMIT_AS = 9;
const GiB = 1024 ** 3;
const pageTableBytes = 2 * 1024 * 1024;

/** Private writable memory without a name: V8's, malloc's mappings, stacks. */
const mappings = (): { start: number; end: number }[] =>
  readFileSync("/proc/self/maps", "latin1")
    .split("\n")
    .flatMap((line) => {
      const found = /^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ \S+\s*$/.exec(line);
      return found === null ? [] : [{ start: Number.parseInt(found[1] ?? "", 16), end: Number.parseInt(found[2] ?? "", 16) }]; // prettier-ignore
    });
const tables = (): Set<number> => {
  const all = new Set<number>();
  for (const { start, end } of mappings())
    for (let at = start; at < end; at += 4096) all.add(Math.floor(at / pageTableBytes));
  return all;
};
const virtualBytes = (): number =>
  Number(/^VmSize:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0) * 1024;

if (how === "refused") setRlimit(RLIMIT_AS, 8 * GiB, 8 * GiB);
const before = { tables: tables(), bytes: virtualBytes() };
if (how !== "apart") keepHeapTogether();
const during = virtualBytes();
// 32 MiB of old objects: more than a hundred pages of V8's.
const kept = Array.from({ length: 1024 }, (_, i) => Array.from({ length: 4096 }, () => i));
const after = tables();
if (how !== "apart") letHeapScatter();
say({
  kept: kept.length,
  newTables: [...after].filter((table) => !before.tables.has(table)).length,
  tookMoreThanTerabytes: during - before.bytes > 16 * 1024 * GiB,
  leftOver: virtualBytes() - before.bytes > GiB,
});
