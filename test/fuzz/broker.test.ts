// The fuzzer of the broker's protocol, as a user calls it and piece by piece.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { Monitor } from "../../broker/monitor.ts";
import { execute } from "../../fuzz/execute.ts";
import { possiblePairs } from "../../fuzz/features.ts";
import { decode } from "../../ipc/protocol.ts";
import {
  parseSequence,
  sequenceBytes,
  sequenceFromBytes,
  sequenceText,
} from "../../fuzz/sequence.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const corpusFolder = `${root}fuzz/corpus/broker`;
const corpus = readdirSync(corpusFolder).map((name) =>
  parseSequence(readFileSync(`${corpusFolder}/${name}`, "utf8"), name),
);

function sallyport(...args: string[]): { status: number | null; out: string; err: string } {
  const ran = spawnSync(`${root}bin/sallyport`, ["fuzz", ...args], { encoding: "utf8" });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}
function folder(t: Test): string {
  const path = mkdtempSync("/tmp/sallyport-fuzz-");
  t.teardown(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

t.test("Bad input is one line and exit status 2", (t) => {
  const own = folder(t);
  const head = '{"format":"sallyport sequence 1","scenario":"plain"}\n';
  const write = (name: string, content: string): string => {
    writeFileSync(`${own}/${name}`, content);
    return `${own}/${name}`;
  };
  const calls: readonly (readonly [readonly string[], RegExp])[] = [
    [["nothing"], /unknown target "nothing"/],
    [["broker", "--repro", `${own}/absent`], /absent: ENOENT/],
    [["broker", "--repro", write("a", "not json\n")], /a line 1: /],
    [["broker", "--repro", write("b", '{"format":"other"}\n')], /b line 1: not a sequence/],
    [["broker", "--repro", write("c", head.replace("plain", "none"))], /c line 1: unknown scenario "none"/],
    [["broker", "--repro", write("d", `${head}{"send":"sign","hex":"01"}\n`)], /d line 2: unknown message/],
    [["broker", "--repro", write("e", `${head}{"hex":"0"}\n`)], /e line 2: hex/],
    [["broker", "--repro", write("f", `${head}{"move":"jump"}\n`)], /f line 2: unknown move "jump"/],
    [["broker", "--repro", write("g", `${head}{"hex":"01","times":1e9}\n`)], /g line 2: times/],
    [["broker", "--minimize", `${own}/absent`], /absent: ENOENT/],
    [["broker", "--mutant", "none", "--runs", "1"], /no mutant "none"/],
    [["broker", "--time", "soon"], /--time "soon"/],
    [["broker", "--wrong"], /--wrong/],
    [["broker", "--corpus", write("h", ""), "--runs", "1"], /h: ENOTDIR/],
  ]; // prettier-ignore
  for (const [args, why] of calls) {
    const { status, out, err } = sallyport(...args);
    t.equal(status, 2, args.join(" "));
    t.equal(out, "");
    t.match(err, why);
    t.equal(err.split("\n").length, 2, err);
  }
  t.end();
});

t.test("A broker with a bug is caught, its sequence reproduced and made small", (t) => {
  const out = folder(t);
  const caught = sallyport("broker", "--mutant", "user-resent", "--time", "60", "--out", out);
  t.equal(caught.status, 1, caught.err);
  t.match(caught.out, /FOUND +permit-table: lookupUser taken in phase authenticating/);
  const [name = ""] = readdirSync(out);
  const again = sallyport("broker", "--mutant", "user-resent", "--repro", `${out}/${name}`);
  t.equal(again.status, 1);
  t.match(again.out, /<== breaks/);
  const other = sallyport("broker", "--repro", `${out}/${name}`);
  t.equal(other.status, 0, "the broker as it is does not do it");
  t.match(other.out, /no rule is broken/);
  const small = sallyport("broker", "--mutant", "user-resent", "--minimize", `${out}/${name}`, "--out", out); // prettier-ignore
  t.equal(small.status, 1);
  t.match(small.out, /-> 5 moves, .*: confined, adopted, sign, lookupUser, lookupUser/);
  t.end();
});

t.test(
  "The corpus breaks no rule of the broker, and reaches every pair of the permit table",
  (t) => {
    const reached = new Set<string>();
    for (const sequence of corpus) {
      const { finding, pairs } = execute({ Monitor, decode }, sequence);
      t.equal(finding, null);
      for (const pair of pairs) reached.add(pair);
    }
    t.same([...possiblePairs].filter((pair) => !reached.has(pair)), []); // prettier-ignore
    t.same([...reached].filter((pair) => !possiblePairs.has(pair)), []); // prettier-ignore
    t.end();
  },
);

t.test("The same seed and corpus are the same run, and reach nothing that breaks a rule", (t) => {
  const run = (): Record<string, unknown> => {
    const { status, out, err } = sallyport("broker", "--runs", "600", "--seed", "7", "--json");
    t.equal(status, 0, err);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const [one, other] = [run(), run()];
  t.same({ ...one, seconds: 0 }, { ...other, seconds: 0 });
  t.match(one, { finding: null, executions: 600, branches: { total: Number } });
  t.end();
});

for (const [mutant, oracle] of [
  ["offers-kept", "memory"],
  ["count-believed", "work"],
] as const)
  // prettier-ignore
  t.test(`What ${mutant} does is counted again, and made small`, (t) => {
    const out = folder(t);
    t.equal(sallyport("broker", "--mutant", mutant, "--time", "60", "--out", out).status, 1);
    const [name = ""] = readdirSync(out);
    const small = sallyport("broker", "--mutant", mutant, "--minimize", `${out}/${name}`, "--out", out); // prettier-ignore
    t.equal(small.status, 1, small.err);
    const [file = ""] = readdirSync(out).filter((each) => each.startsWith(`minimized-${oracle}-`));
    const again = sallyport("broker", "--mutant", mutant, "--repro", `${out}/${file}`);
    t.equal(again.status, 1);
    t.match(again.out, new RegExp(`^${oracle}: `, "m"));
    t.equal(sallyport("broker", "--repro", `${out}/${file}`).status, 0);
    t.end();
  });

t.test("--speed says what the machine is, and a rate of messages for each part", (t) => {
  const { status, out, err } = sallyport("broker", "--speed", "--time", "1");
  t.equal(status, 0, err);
  t.match(out, /^v\d+\.\d+\.\d+ on \d+ of /);
  t.equal(out.match(/^\S.* [\d,]+ +[\d,]+$/gm)?.length, 5, out);
  t.end();
});

t.test("Jobs add up, and --states is a graph", (t) => {
  const jobs = sallyport("broker", "--runs", "150", "--jobs", "2", "--no-branches");
  t.equal(jobs.status, 0, jobs.err);
  t.match(jobs.out, /^sequences +300 in/);
  const states = sallyport("broker", "--runs", "200", "--states", "--no-branches");
  t.match(states.out, /^digraph broker \{[\s\S]*"kex" -> "lookup" \[label="sign"\];[\s\S]*\}\n$/);
  t.end();
});

t.test("A sequence is the same after it was text, and after it was bytes", (t) => {
  for (const sequence of corpus) {
    t.same(sequenceText(parseSequence(sequenceText(sequence), "x")), sequenceText(sequence));
    const short = { ...sequence, moves: sequence.moves.slice(0, 100) };
    if (short.moves.some((move) => move.kind === "send" && move.bytes.length > 0xffff)) continue;
    t.same(sequenceText(sequenceFromBytes(sequenceBytes(short))), sequenceText(short));
  }
  t.end();
});
