// What saves page faults and page tables changes what a fork costs, and nothing else.
import t from "tap";
import { programResult } from "./run-program.ts";

interface Seen {
  readonly kept: number;
  readonly newTables: number;
  readonly tookMoreThanTerabytes: boolean;
  readonly leftOver: boolean;
}
const heap = (how: string): Seen => programResult("heap-together", [how]) as Seen;

t.test("keepHeapTogether() is lived without where the address space is bounded", (t) => {
  t.match(heap("refused"), { kept: 1024, tookMoreThanTerabytes: false, leftOver: false });
  t.end();
});

t.test(
  "keepHeapTogether() lets V8's pages share page tables, letHeapScatter() gives back what that took",
  (t) => {
    const apart = heap("apart");
    const together = heap("together");
    t.match(together, { kept: 1024, tookMoreThanTerabytes: true, leftOver: false });
    t.ok(apart.newTables > 100, `${apart.newTables} page tables for pages of V8's own choice`);
    t.ok(together.newTables < 60, `${together.newTables} page tables side by side`);
    t.end();
  },
);
