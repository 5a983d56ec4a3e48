// `sallyport fuzz session`: a real broker, confined, over its socket, from a session process that has been taken over.
import { parseArgs } from "node:util";
import { minimize, type Attempt } from "../../fuzz/minimize.ts";
import { nameOf, type Sequence } from "../../fuzz/sequence.ts";
import { reachablePairs, SessionEngine } from "../../fuzz/session/engine.ts";
import { maxBrokerBytes } from "../../fuzz/session/health.ts";
import { SessionRun, type Login } from "../../fuzz/session/run.ts";
import { statesAsDot } from "../../fuzz/states.ts";
import { loadBroker } from "../../lab/mutant-loader.ts";
import { mutantById } from "../../lab/mutants.ts";
import { login } from "../probe.ts";
import { ownCorpus, readCorpus, readSequence, sessionCorpus, writeSequence } from "./files.ts";
import { inParallel, print, sharedArgs } from "./jobs.ts";
import { numberOption } from "./options.ts";
import { sayMinimized, sayPlayed } from "./steps.ts";
import { progressLine, summaryText, type Summary } from "./summary.ts";

const help = `usage: sallyport fuzz session [OPTIONS]
       sallyport fuzz session --repro FILE | --minimize FILE

  The sequences of \`sallyport fuzz broker\` to the broker process of a real server, over its socket, from the place of its
  session process. Needs root: a copy of the server is started on the loopback for it, confined as ever, and is gone afterwards.
  The same --seed and the same corpus choose the same sequences.

  --user USER      who may log in, with keys made for the run, and to nothing but /bin/true (default nobody)
  --time SECONDS   stop after so long (default 60)
  --runs N         stop after so many sequences
  --seed N         default 1
  --jobs N         so many servers, with seeds of their own
  --corpus DIR     what to start from, and where new sequences that reach something new are kept (default: the
                   repository's own corpus, which nothing is added to)
  --mutant ID      a server whose broker has a bug (sallyport console --mutants)
  --out DIR        where a sequence that breaks a rule is written (default: the current folder)
  --states         print the phases that were reached, and by what, as DOT
  --repro FILE     play one sequence, and say what every message did
  --minimize FILE  the same sequence with as few messages, then bytes (in eights), as still break the rule
  --json           the summary, or the steps, as JSON

  --no-branches and --distill are \`sallyport fuzz broker\`'s alone: nobody counts branches in another process.
  Rules that are seen from outside: docs/fuzzing.md. A broker may have ${maxBrokerBytes / 2 ** 20} MiB of memory of its own.

Exit status: 0 no rule was broken; 1 one was; 2 the call or its input was wrong.`;

/** Somebody else's SSH (ssh2); what the user's shell makes of the command is its own affair. */
const honestLogin: Login = async ({ host, port, user, key }) => {
  const { authenticatedMs, exitStatus, error } = await login({
    host,
    port,
    username: user,
    privateKey: Buffer.from(key.privateKeyFile()),
    fingerprint: undefined,
    command: "true",
    timeoutMs: 30_000,
  });
  if (authenticatedMs !== undefined && exitStatus !== undefined) return null;
  return error ?? "the command did not end";
};

async function minimizeSequence(
  run: SessionRun,
  file: string,
  before: Sequence,
  out: string,
): Promise<number> {
  // prettier-ignore
  // The session process has said that it is confined before anybody takes it over; in the file it says so, for `fuzz broker`.
  const [first, ...rest] = before.moves;
  const isSaid = first?.kind === "send" && nameOf(first.bytes) === "confined";
  const attempt: Attempt = async (sequence) => ({ finding: (await run.execute(sequence)).finding, brokenBy: -1 }); // prettier-ignore
  const small = await minimize(attempt, isSaid ? { ...before, moves: rest } : before, 8);
  const after = isSaid ? { ...small, moves: [first, ...small.moves] } : small;
  return sayMinimized(file, before, after, (await run.execute(after)).finding, out);
}

export async function fuzzSession(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      user: { type: "string", default: "nobody" },
      time: { type: "string" },
      runs: { type: "string" },
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: "1" },
      corpus: { type: "string" },
      mutant: { type: "string" },
      out: { type: "string", default: "." },
      "no-branches": { type: "boolean", default: false },
      distill: { type: "boolean", default: false },
      states: { type: "boolean", default: false },
      repro: { type: "string" },
      minimize: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    print(help);
    return 0;
  }
  for (const option of ["no-branches", "distill"] as const)
    if (values[option]) throw new RangeError(`--${option} is for sallyport fuzz broker: branches of another process are not counted`); // prettier-ignore
  const { mutant = null, user, out } = values;
  const patches = mutant === null ? [] : mutantById(mutant).patches;
  const runs = values.runs === undefined ? Infinity : numberOption(values.runs, "--runs", 1e9);
  const seconds = values.time === undefined ? (runs === Infinity ? 60 : Infinity) : numberOption(values.time, "--time", 1e6); // prettier-ignore
  const seed = numberOption(values.seed, "--seed", 0xffff_ffff);
  const jobs = numberOption(values.jobs, "--jobs", 64);
  if (jobs === 0) throw new RangeError("--jobs 0 would do nothing");
  const file = values.repro ?? values.minimize;
  const sequence = file === undefined ? undefined : readSequence(file);
  const folders = values.corpus === undefined ? [sessionCorpus, ownCorpus] : [values.corpus];
  const corpus = sequence === undefined ? folders.flatMap((folder) => readCorpus(folder, values.corpus !== undefined)) : []; // prettier-ignore
  if (process.getuid?.() !== 0) throw new RangeError(`a server of its own needs root: sudo sallyport fuzz session ${args.join(" ")}`.trimEnd()); // prettier-ignore
  if (jobs > 1 && file === undefined) {
    const summaries = await inParallel<Summary>("session", sharedArgs(args), seed, jobs);
    print(values.json ? JSON.stringify(summaries) : summaryText(summaries, mutant, "session"));
    return summaries.some(({ finding }) => finding !== null) ? 1 : 0;
  }

  const run = await SessionRun.start(user, patches, honestLogin);
  if (sequence !== undefined && file !== undefined) {
    try {
      return values.repro !== undefined ? sayPlayed(await run.execute(sequence), values.json) : await minimizeSequence(run, file, sequence, out); // prettier-ignore
    } finally {
      await run.stop();
    }
  }
  const isTerminal = process.stderr.isTTY && !values.json;
  let isStopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      isStopped = true;
    });
  const began = performance.now();
  let shownAt = began;
  const elapsed = (): number => (performance.now() - began) / 1000;
  const engine = new SessionEngine({
    code: await loadBroker(null),
    execute: (each) => run.execute(each),
    seed,
    corpus,
    isDone: (at) => {
      if (isTerminal && performance.now() - shownAt > 500) {
        shownAt = performance.now();
        process.stderr.write(`\r\x1b[K${progressLine(at, reachablePairs.size, elapsed())}`);
      }
      return isStopped || elapsed() >= seconds || at.executions >= runs;
    },
    onKept: (kept) => {
      if (values.corpus !== undefined) writeSequence(values.corpus, "", kept);
    },
  });
  const [found, tookSeconds, after] = await (async () => {
    try {
      return [await engine.run(), elapsed(), await run.finish()] as const;
    } finally {
      await run.stop();
    }
  })();
  if (isTerminal) process.stderr.write("\r\x1b[K");
  const written = found === null ? "" : writeSequence(out, `fuzz-${found.finding.oracle}-`, found.sequence); // prettier-ignore
  const finding = found?.finding ?? after;
  const summary: Summary = {
    seed,
    executions: engine.executions,
    messages: engine.messages,
    seconds: tookSeconds,
    pairs: [...engine.pairs].sort(),
    possiblePairs: reachablePairs.size,
    missingPairs: [...reachablePairs].filter((pair) => !engine.pairs.has(pair)),
    features: engine.features,
    branches: null,
    corpus: corpus.length,
    kept: engine.kept.length,
    finding: finding === null ? null : { ...finding, file: written },
    brokerBytes: engine.brokerBytes,
  };
  if (values.states) print(statesAsDot([...engine.transitions.values()]));
  else print(values.json ? JSON.stringify(summary) : summaryText([summary], mutant, "session"));
  return finding === null ? 0 : 1;
}
