import fc from "fast-check";
import t from "tap";
import { common, habitOf } from "../../daemon/zygote/page-habits.ts";

const ranges = (...numbers: readonly bigint[]): BigUint64Array => BigUint64Array.from(numbers);

t.test("habitOf() takes more than 3 MiB for the zygote's doing, and copies nothing ahead", (t) => {
  const MiB = 1024n * 1024n;
  const two = ranges(0n, 2n * MiB, 8n * MiB, 9n * MiB + 4096n);
  t.same(habitOf([two, two]), ranges());
  t.same(
    habitOf([two, ranges(4096n, 16n * MiB)]),
    ranges(4096n, 2n * MiB, 8n * MiB, 9n * MiB + 4096n),
  );
  t.same(habitOf([]), ranges());
  t.end();
});

t.test("common() keeps nothing that only one of them has", (t) => {
  t.same(common(ranges(), ranges(0n, 4n)), ranges());
  t.same(common(ranges(0n, 4n), ranges(4n, 8n)), ranges());
  t.end();
});

t.test("common() gives what both have, range by range", (t) => {
  t.same(
    common(ranges(0n, 4n, 6n, 9n, 20n, 30n), ranges(2n, 7n, 8n, 22n, 25n, 40n)),
    ranges(2n, 4n, 6n, 7n, 8n, 9n, 20n, 22n, 25n, 30n),
  );
  t.end();
});

t.test("common() agrees with sets of pages", (t) => {
  const pages = (from: BigUint64Array): bigint[] => {
    const all: bigint[] = [];
    for (let i = 0; i + 1 < from.length; i += 2)
      for (let page = from[i] ?? 0n; page < (from[i + 1] ?? 0n); page += 1n) all.push(page);
    return all;
  };
  const some = fc
    .uniqueArray(fc.bigInt({ min: 0n, max: 60n }), { minLength: 0, maxLength: 16 })
    .map((edges) => {
      const sorted = edges.sort((one, other) => (one < other ? -1 : 1));
      return BigUint64Array.from(sorted.slice(0, sorted.length & ~1));
    });
  fc.assert(
    fc.property(some, some, (one, other) => {
      const others = new Set(pages(other));
      t.same(
        pages(common(one, other)),
        pages(one).filter((page) => others.has(page)),
      );
    }),
    { seed: 2 },
  );
  t.end();
});
