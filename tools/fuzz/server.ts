// `sallyport fuzz server`: the front door of a real, running server, over TCP, by a client that obeys nothing.
import { parseArgs } from "node:util";
import { ServerEngine, type Found } from "../../fuzz/server/engine.ts";
import { Examiner } from "../../fuzz/server/examine.ts";
import { causeOf, possiblePairs } from "../../fuzz/server/features.ts";
import { minimizeSequence } from "../../fuzz/server/minimize.ts";
import {
  clientSequenceText,
  parseClientSequence,
  type ClientSequence,
} from "../../fuzz/server/sequence.ts";
import { statesAsDot } from "../../fuzz/states.ts";
import { contentOf, readFolder, serverCorpus, writeContent } from "./files.ts";
import { print } from "./jobs.ts";
import { numberOption } from "./options.ts";
import { pointAt, startOwn, type Started } from "./server-start.ts";
import { serverProgress, serverSummaryText, type ServerSummary } from "./server-summary.ts";

const help = `usage: sallyport fuzz server [OPTIONS]
       sallyport fuzz server --repro FILE | --minimize FILE

  SSH to the TCP port of a real server, with every message, field, packet and segment as wrong as can be, before and after authentication, with
  real keys. Listener, zygote, brokers and confined session processes are all real. Starts a server of its own on a free port of the loopback, for
  which it needs root; its one user runs /bin/cat and nothing else.

  --time SECONDS   stop after so long (default 60)
  --runs N         stop after so many connections
  --seed N         default 1: the same clients, as far as the server answers in the same way
  --jobs N         so many connections at a time (default 1)
  --corpus DIR     what to start from, and where new sequences that reach something new are kept (default: the
                   repository's own corpus, which nothing is added to)
  --user USER      who can log in to the server that is started (default nobody)
  --mutant ID      that server has a bug
  --address HOST:PORT   a server that runs already, instead. Nobody can log in then, and its processes are not looked at
  --event-log FILE      with --address: what its EventLog is
  --out DIR        where a sequence that breaks a rule is written (default: the current folder)
  --states         print the places that were reached, and by what, as DOT
  --repro FILE     play one sequence, and say what every message did
  --minimize FILE  the same sequence with as little in it as still breaks the rule
  --json           the summary, or the steps, as JSON

  --address must be on the loopback: what is sent here is meant to bring a server down, and takes its connections from others. On a machine that
  is not yours that is an attack, and a name or an address that leads there is refused.

Exit status: 0 no rule was broken; 1 one was; 2 the call or its input was wrong.`;

const readOne = (file: string): ClientSequence => parseClientSequence(contentOf(file), file);
const shown = (text: string): string => JSON.stringify(text).slice(1, -1);

/** 193, 193, 193 is "193 (3 times)". */
function inFew(answers: readonly number[]): string {
  const words: string[] = [];
  for (let i = 0, times = 1; i < answers.length; i += times) {
    for (times = 1; answers[i + times] === answers[i];) times += 1;
    words.push(`${answers[i] ?? 0}${times > 1 ? ` (${times} times)` : ""}`);
  }
  return words.join(", ");
}

/** Plays it, and says what each message did. 1 when it breaks a rule. */
async function reproduce(
  examiner: Examiner,
  sequence: ClientSequence,
  asJson: boolean,
): Promise<number> {
  // prettier-ignore
  const before = await examiner.check();
  const { played, events, finding } = await examiner.examine(sequence);
  const spoken = played?.spoken ?? [];
  for (const [i, { where, name, number, answers }] of spoken.entries())
    if (asJson) print(JSON.stringify({ step: i + 1, where, send: name, number, answers }));
    else print(`${String(i + 1).padStart(4)}  ${where.padEnd(13)} ${name}${answers.length === 0 ? "" : ` -> ${inFew(answers)}`}`); // prettier-ignore
  const broken = before ?? finding ?? (await examiner.check());
  const verdict = broken === null ? "no rule is broken" : `${broken.oracle}: ${shown(broken.text)}`;
  if (asJson) print(JSON.stringify({ ending: causeOf(events), finding: broken }));
  else print(`      ${played?.closed === "first" ? "the server closed" : "we closed"}: ${shown(causeOf(events))}\n${verdict}`); // prettier-ignore
  return broken === null ? 0 : 1;
}

async function minimizeFile(
  examiner: Examiner,
  sequence: ClientSequence,
  file: string,
  out: string,
): Promise<number> {
  // prettier-ignore
  const smaller = await minimizeSequence(examiner, sequence);
  if (smaller === null) {
    print(`${file}: no rule is broken; nothing to minimize`);
    return 0;
  }
  const { oracle, text, trials } = smaller;
  const written = writeContent(out, `minimized-${oracle}-`, clientSequenceText(smaller.sequence));
  const steps = smaller.sequence.steps.map((step) => step.kind === "send" ? step.name : step.kind); // prettier-ignore
  print(`${sequence.steps.length} steps -> ${steps.length}, after ${trials} connections: ${steps.join(", ")}`); // prettier-ignore
  print(`${oracle}: ${shown(text)}\n${written}`);
  return 1;
}

function filesOf(found: Found | null, out: string): string[] {
  if (found === null) return [];
  const { sequence, suspects, finding } = found;
  return (sequence === null ? suspects : [sequence]).map((each) =>
    writeContent(out, `fuzz-${finding.oracle}-`, clientSequenceText(each)),
  );
}
const unseenOf = ({ examined }: Started): string[] => [
  ...(examined.target.account === null ? ["what follows a login: nobody can log in"] : []),
  ...(examined.events === null ? ["what the server logs: no --event-log"] : []),
  ...(examined.watch === null ? ["processes, descriptors and memory: it is not our server"] : []),
];

export async function fuzzServer(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      time: { type: "string" },
      runs: { type: "string" },
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: "1" },
      corpus: { type: "string" },
      user: { type: "string", default: "nobody" },
      mutant: { type: "string" },
      address: { type: "string" },
      "event-log": { type: "string" },
      out: { type: "string", default: "." },
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
  const { mutant = null, address, repro, minimize, out } = values;
  const runs = values.runs === undefined ? Infinity : numberOption(values.runs, "--runs", 1e9);
  const seconds = values.time === undefined ? (runs === Infinity ? 60 : Infinity) : numberOption(values.time, "--time", 1e6); // prettier-ignore
  const seed = numberOption(values.seed, "--seed", 0xffff_ffff);
  const jobs = numberOption(values.jobs, "--jobs", 64);
  if (jobs === 0) throw new RangeError("--jobs 0 would do nothing");
  if (address === undefined && values["event-log"] !== undefined) throw new RangeError("--event-log goes with --address"); // prettier-ignore
  if (address !== undefined && mutant !== null) throw new RangeError("--mutant is for the server that is started, not for --address"); // prettier-ignore
  const file = repro ?? minimize;
  // What is wrong with the input is said before a server starts.
  const one = file === undefined ? null : readOne(file);
  const corpus = one === null ? readFolder(values.corpus ?? serverCorpus, values.corpus !== undefined, readOne) : []; // prettier-ignore
  const started = address === undefined ? await startOwn(values.user, mutant) : pointAt(address, values["event-log"]); // prettier-ignore
  const examiner = new Examiner(started.examined);
  try {
    if (one !== null && repro !== undefined) return await reproduce(examiner, one, values.json);
    if (one !== null) return await minimizeFile(examiner, one, file ?? "", out);

    // Once: what has been reached is said, and the server ended. It may have had the same signal, so what happens then says nothing about it.
    let isStopped = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        isStopped = true;
      });
    const isAsked = (): boolean => isStopped; // what a callback changes, the compiler takes for constant
    const began = performance.now();
    const elapsed = (): number => (performance.now() - began) / 1000;
    let shownAt = began;
    const isTerminal = process.stderr.isTTY && !values.json;
    const engine = new ServerEngine({
      examiner,
      seed,
      jobs,
      corpus,
      isDone: (at) => {
        if (isTerminal && performance.now() - shownAt > 500) {
          shownAt = performance.now();
          process.stderr.write(`\r\x1b[K${serverProgress(at, elapsed())}`);
        }
        return isStopped || elapsed() >= seconds || at.connections >= runs;
      },
      onKept: (sequence) => {
        if (values.corpus !== undefined) writeContent(values.corpus, "", clientSequenceText(sequence)); // prettier-ignore
      },
    });
    const result = await engine.run();
    const found = isAsked() ? null : result;
    if (isTerminal) process.stderr.write("\r\x1b[K");
    const summary: ServerSummary = {
      seed,
      connections: engine.connections,
      messages: engine.messages,
      seconds: elapsed(),
      pairs: engine.pairs.size,
      possiblePairs,
      outcomes: engine.features,
      endings: Object.fromEntries(engine.endings),
      corpus: corpus.length,
      kept: engine.kept,
      logins: examiner.logins,
      growthKiB: started.examined.watch === null ? null : examiner.growthKiB,
      unseen: unseenOf(started),
      finding: found === null ? null : { ...found.finding, files: filesOf(found, out) },
    };
    if (values.states) print(statesAsDot(engine.transitions, "server"));
    else print(values.json ? JSON.stringify(summary) : serverSummaryText(summary, mutant));
    return found === null ? 0 : 1;
  } finally {
    examiner.close();
    await started.stop();
  }
}
