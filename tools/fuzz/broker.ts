// `sallyport fuzz broker`: the broker in this process, against a world without an operating system.
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { loadCountedBroker, type CountedBroker } from "../../fuzz/counted-broker.ts";
import { Engine } from "../../fuzz/engine.ts";
import { execute } from "../../fuzz/execute.ts";
import { possiblePairs } from "../../fuzz/features.ts";
import { distill, minimize } from "../../fuzz/minimize.ts";
import { statesAsDot } from "../../fuzz/states.ts";
import type { BrokerCode } from "../../lab/mutant-loader.ts";
import { ownCorpus, readCorpus, readSequence, writeSequence } from "./files.ts";
import { inParallel, print, sharedArgs } from "./jobs.ts";
import { numberOption } from "./options.ts";
import { measureSpeed, speedHeading, speedLine } from "./speed.ts";
import { sayMinimized, sayPlayed } from "./steps.ts";
import { progressLine, summaryText, type Summary } from "./summary.ts";

const help = `usage: sallyport fuzz broker [OPTIONS]
       sallyport fuzz broker --speed [--time SECONDS] [--seed N]
       sallyport fuzz broker --repro FILE | --minimize FILE | --distill [--corpus DIR]

  Sequences of messages, made from the permit table, to a broker in this process; an independent judge watches each step.
  Needs no root. The same --seed and the same corpus give the same run.

  --time SECONDS   stop after so long (default 60)
  --runs N         stop after so many sequences
  --seed N         default 1
  --jobs N         so many processes, with seeds of their own
  --corpus DIR     what to start from, and where new sequences that reach something new are kept (default: the
                   repository's own corpus, which nothing is added to)
  --mutant ID      a broker with a bug (sallyport console --mutants)
  --out DIR        where a sequence that breaks a rule is written (default: the current folder)
  --no-branches    do not count branches: faster
  --states         print the phases that were reached, and by what, as DOT
  --speed          messages a second on this machine, and what each part of the fuzzer costs: --time for each part
  --repro FILE     play one sequence, and say what every message did
  --minimize FILE  the same sequence with as few messages, then bytes, as still break the rule
  --distill        leave in --corpus the fewest sequences that reach all that all of them reach
  --json           the summary, or the steps, as JSON

Exit status: 0 no rule was broken; 1 one was; 2 the call or its input was wrong.`;

async function minimizeFile(code: BrokerCode, file: string, out: string): Promise<number> {
  const before = readSequence(file);
  const after = await minimize((each) => Promise.resolve(execute(code, each)), before);
  return sayMinimized(file, before, after, execute(code, after).finding, out);
}

function distillFolder(counted: CountedBroker, folder: string): number {
  const all = readCorpus(folder);
  const chosen = distill(counted.code, all, counted.take);
  const kept = new Set(chosen.map((sequence) => writeSequence(folder, "", sequence)));
  for (const sequence of all) {
    const file = writeSequence(folder, "", sequence);
    if (!kept.has(file)) rmSync(file);
  }
  print(`${all.length} sequences -> ${chosen.length}`);
  return 0;
}

export async function fuzzBroker(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      time: { type: "string" },
      runs: { type: "string" },
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: "1" },
      corpus: { type: "string" },
      mutant: { type: "string" },
      out: { type: "string", default: "." },
      "no-branches": { type: "boolean", default: false },
      states: { type: "boolean", default: false },
      repro: { type: "string" },
      minimize: { type: "string" },
      speed: { type: "boolean", default: false },
      distill: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    print(help);
    return 0;
  }
  // Most messages that are made up are refused, and nobody reads where an error came from; and most code runs too seldom for V8 to compile it
  // by itself.
  Error.stackTraceLimit = 0;
  setFlagsFromString("--always-sparkplug");
  const { mutant = null } = values;
  const areCounted = !values["no-branches"];
  if (values.repro !== undefined || values.minimize !== undefined) {
    // The same copy that the fuzzer plays against: what it does and keeps is counted in no other.
    const { code } = await loadCountedBroker(areCounted, mutant);
    if (values.minimize !== undefined) return minimizeFile(code, values.minimize, values.out);
    return sayPlayed(execute(code, readSequence(values.repro ?? "")), values.json);
  }
  if (values.distill) return distillFolder(await loadCountedBroker(), values.corpus ?? ownCorpus);

  const runs = values.runs === undefined ? Infinity : numberOption(values.runs, "--runs", 1e9);
  const seconds = values.time === undefined ? (runs === Infinity ? 60 : Infinity) : numberOption(values.time, "--time", 1e6); // prettier-ignore
  const seed = numberOption(values.seed, "--seed", 0xffff_ffff);
  if (values.speed) {
    print(speedHeading());
    const each = values.time === undefined ? 10 : seconds;
    for await (const speed of measureSpeed(each, seed, readCorpus(values.corpus ?? ownCorpus)))
      print(speedLine(speed));
    return 0;
  }
  const jobs = numberOption(values.jobs, "--jobs", 64);
  if (jobs === 0) throw new RangeError("--jobs 0 would do nothing");
  if (jobs > 1) {
    const summaries = await inParallel<Summary>("broker", sharedArgs(args), seed, jobs);
    print(values.json ? JSON.stringify(summaries) : summaryText(summaries, mutant));
    return summaries.some(({ finding }) => finding !== null) ? 1 : 0;
  }

  const counted = await loadCountedBroker(areCounted, mutant);
  const corpus = readCorpus(values.corpus ?? ownCorpus, values.corpus !== undefined);
  const began = performance.now();
  let shownAt = began;
  const isTerminal = process.stderr.isTTY && !values.json;
  const elapsed = (): number => (performance.now() - began) / 1000;
  const engine = new Engine({
    code: counted.code,
    seed,
    corpus,
    ...(areCounted ? { takeBranches: counted.take } : {}),
    isDone: (at) => {
      if (isTerminal && performance.now() - shownAt > 500) {
        shownAt = performance.now();
        process.stderr.write(
          `\r\x1b[K${progressLine(at, possiblePairs.size, elapsed())}, branches ${at.branches}`,
        );
      }
      return elapsed() >= seconds || at.executions >= runs;
    },
    onKept: (sequence) => {
      if (values.corpus !== undefined) writeSequence(values.corpus, "", sequence);
    },
  });
  const found = engine.run();
  if (isTerminal) process.stderr.write("\r\x1b[K");
  const file = found === null ? undefined : writeSequence(values.out, `fuzz-${found.finding.oracle}-`, found.sequence); // prettier-ignore
  const summary: Summary = {
    seed,
    executions: engine.executions,
    messages: engine.messages,
    seconds: elapsed(),
    pairs: [...engine.pairs].sort(),
    possiblePairs: possiblePairs.size,
    missingPairs: [...possiblePairs].filter((pair) => !engine.pairs.has(pair)),
    features: engine.features,
    branches: areCounted ? { taken: engine.branches, total: counted.total } : null,
    corpus: corpus.length,
    kept: engine.kept.length,
    finding: found === null ? null : { ...found.finding, file: file ?? "" },
  };
  if (values.states) print(statesAsDot([...engine.transitions.values()]));
  else print(values.json ? JSON.stringify(summary) : summaryText([summary], mutant));
  return found === null ? 0 : 1;
}
