// Every exercise can be solved as its solution says, and only because of its bug: the same script gets nowhere with the broker as it is.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { exercises } from "../../lab/exercises.ts";
import { mutantById } from "../../lab/mutants.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const play = (
  number: number,
  ...more: readonly string[]
): Promise<{ status: unknown; out: string }> =>
  new Promise((resolve) => {
    const script = `${root}test/lab/solutions/${number}.txt`;
    const args = ["console", "--exercise", String(number), "--script", script, ...more];
    execFile(`${root}bin/sallyport`, args, { timeout: 60_000 }, (error, out) => {
      resolve({ status: error === null ? 0 : error.code, out });
    });
  });

t.test("There are eight exercises, each with a bug of its own", (t) => {
  t.strictSame(exercises.map(({ number }) => number), [1, 2, 3, 4, 5, 6, 7, 8]); // prettier-ignore
  t.equal(new Set(exercises.map(({ mutant }) => mutantById(mutant))).size, 8);
  t.ok(exercises.every(({ hints, story }) => hints.length > 0 && story.length > 0));
  t.end();
});

for (const { number, title } of exercises)
  t.test(`Exercise ${number}, "${title}", is solved by its bug and by nothing else`, async (t) => {
    const fixed = await play(number, "--fixed");
    t.equal(fixed.status, 1, fixed.out);
    t.match(fixed.out, `exercise ${number} is not solved`);
    const solved = await play(number);
    t.equal(solved.status, 0, solved.out);
    t.match(solved.out, `exercise ${number} is solved`);
  });

t.test("docs/lab.md has every exercise", (t) => {
  const page = readFileSync(`${root}docs/lab.md`, "utf8");
  for (const { number, title } of exercises) t.match(page, `${number}. ${title}`);
  t.end();
});
