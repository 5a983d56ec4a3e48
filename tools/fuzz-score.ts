// `npm run fuzz:score`: does the fuzzer find the bugs that monitors have had? A run against every mutant until the judge finds something, and
// against the broker as it is, where he must find nothing.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { loadCountedBroker } from "../fuzz/counted-broker.ts";
import { score, type Score } from "../fuzz/score.ts";
import { mutantById, mutants } from "../lab/mutants.ts";

const help = `usage: npm run fuzz:score -- [--mutant ID] [--seed N] [--seconds N] [--clean-seconds N] [--json]

  --mutant ID         this mutant only, and not the broker as it is
  --seed N            of each run (default 1): the same seed is the same run
  --seconds N         against one mutant at most (default 12: all of them stay below ten minutes)
  --clean-seconds N   against the broker as it is, where nothing may be found (default 30)
  --json              one object a line

Exit status: 0 every mutant was found, and nothing in the broker; 1 not so; 2 the call was wrong.`;

interface Row extends Score {
  /** Null: the broker as it is. */
  readonly mutant: string | null;
}

const heading = `${"mutant".padEnd(26)}${"found by".padEnd(18)}${"sequences".padStart(10)}${"messages".padStart(10)}${"seconds".padStart(9)}  what was seen`; // prettier-ignore
function line({ mutant, finding, executions, messages, seconds }: Row): string {
  const name = (mutant ?? "(the broker as it is)").padEnd(26);
  const by = (finding?.oracle ?? (mutant === null ? "nothing" : "NOT FOUND")).padEnd(18);
  const numbers = `${String(executions).padStart(10)}${String(messages).padStart(10)}${seconds.toFixed(1).padStart(9)}`; // prettier-ignore
  const what = finding === null ? "" : JSON.stringify(finding.text).slice(1, -1).slice(0, 60); // prettier-ignore
  return `${name}${by}${numbers}  ${what}`.trimEnd();
}

function number(typed: string, option: string, max: number): number {
  if (!/^\d{1,10}$/.test(typed) || Number(typed) > max)
    throw new RangeError(`${option} ${JSON.stringify(typed)} is not a number up to ${max}`);
  return Number(typed);
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      mutant: { type: "string" },
      seed: { type: "string", default: "1" },
      seconds: { type: "string", default: "12" },
      "clean-seconds": { type: "string", default: "30" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const seed = number(values.seed, "--seed", 0xffff_ffff);
  const seconds = number(values.seconds, "--seconds", 3600);
  const cleanSeconds = number(values["clean-seconds"], "--clean-seconds", 3600);
  const chosen = values.mutant === undefined ? mutants : [mutantById(values.mutant)];
  if (!values.json) console.log(heading);
  let [found, wrong] = [0, 0];
  const play = async (mutant: string | null, budget: number): Promise<void> => {
    const broker = await loadCountedBroker(true, mutant);
    const row = { mutant, ...score(broker, { seed, seconds: budget, executions: Infinity }) };
    if (mutant !== null && row.finding !== null) found += 1;
    if ((row.finding !== null) !== (mutant !== null)) wrong += 1;
    console.log(values.json ? JSON.stringify(row) : line(row));
  };
  for (const { id } of chosen) await play(id, seconds);
  if (values.mutant === undefined) await play(null, cleanSeconds);
  if (!values.json) console.log(`\n${found} of ${chosen.length} mutants found`);
  return wrong === 0 ? 0 : 1;
}

// As the fuzzer itself: tools/fuzz/broker.ts.
Error.stackTraceLimit = 0;
setFlagsFromString("--always-sparkplug");
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof RangeError) && !(error instanceof TypeError && "code" in error)) throw error; // prettier-ignore
  console.error(`fuzz:score: ${error.message.split("\n")[0] ?? ""}`);
  process.exitCode = 2;
}
