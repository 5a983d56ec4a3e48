// `sallyport console`: a person in the session process's place, at a terminal or by a script. What it does is in lab/console.ts.
import { parseArgs } from "node:util";
import { Console, renderSeen, type Output } from "../lab/console.ts";
import { Conversation, type Talk } from "../lab/conversation.ts";
import { exercises } from "../lab/exercises.ts";
import { judgedScenarios, type JudgedScenario } from "../lab/judged-scenarios.ts";
import { loadBroker } from "../lab/mutant-loader.ts";
import { mutantById, mutants } from "../lab/mutants.ts";
import { RealServer } from "../lab/real-server.ts";
import { twoUsers } from "../lab/scenario.ts";
import { perform, runScript, type Session } from "./console-script.ts";
import { interact } from "./console-terminal.ts";

const help = `usage: sallyport console [--mutant ID] [--scenario NAME] [--script FILE] [--json]
       sallyport console --exercise N [--fixed] [--script FILE] [--json]
       sallyport console --real --user USER [--mutant ID] [--script FILE] [--json]

  Speaks to a broker in this process as its session process would, in any order and with any bytes. Needs no root.

  --mutant ID      a broker with this bug; --mutants lists them
  --scenario NAME  what the broker finds: "plain" (default) and others; --scenarios says who may log in there with which key
  --exercise N     the broker and the keys of exercise N (docs/lab.md); --exercises lists them
  --fixed          the exercise without its bug: nothing should solve it
  --real           as root: a whole server on the loopback, copied and started for it; its session process obeys you
  --user USER      with --real: who may log in there, by the key "visitor", to run /bin/true and nothing else
  --script FILE    does what stands in FILE, a command a line, and ends; "-" or no terminal: from standard input
  --json           one object a line for all that is seen

Exit status: 0 done, and with --exercise solved; 1 not solved; 2 the call, or a line of the script, was wrong.`;

const plain: Readonly<Record<string, string>> = {
  answer: "<-",
  signing: "  signer",
  event: "  log",
  login: "LOGIN",
  end: "END",
  refused: "REFUSED",
  crashed: "CRASHED",
  phase: "  phase",
  over: "--",
  solved: "***",
};
const colours: Readonly<Record<string, number>> = {
  answer: 36,
  signing: 90,
  event: 90,
  login: 32,
  end: 33,
  refused: 31,
  crashed: 35,
  phase: 34,
  over: 90,
  solved: 92,
};

/** Lines for a person. */
export function render(output: Output, isColoured: boolean): string {
  if (output.kind === "text") return output.lines.join("\n");
  const line = `${plain[output.kind] ?? ""} ${renderSeen(output)}`;
  return isColoured ? `\u001b[${colours[output.kind] ?? 0}m${line}\u001b[0m` : line;
}
/** Bytes are hexadecimal in JSON. */
function json(output: Output): string {
  return JSON.stringify(output, (_key, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
    const isBuffer = typeof value === "object" && value !== null && "type" in value && "data" in value && value.type === "Buffer"; // prettier-ignore
    return isBuffer && Array.isArray(value.data) ? Buffer.from(value.data as number[]).toString("hex") : value; // prettier-ignore
  });
}

interface Wanted {
  readonly mutant: string | null;
  readonly exercise: (typeof exercises)[number] | undefined;
  /** Undefined with an exercise, and with a server outside. */
  readonly scenario: JudgedScenario | undefined;
}
function wanted(values: {
  mutant?: string;
  exercise?: string;
  scenario?: string;
  fixed: boolean;
  real: boolean;
}): Wanted {
  if (values.scenario !== undefined && (values.real || values.exercise !== undefined))
    throw new RangeError("--scenario goes with neither --exercise nor --real");
  const scenario = judgedScenarios.find(({ name }) => name === (values.scenario ?? "plain"));
  if (scenario === undefined)
    throw new RangeError(`no scenario ${JSON.stringify(values.scenario)}; there are ${judgedScenarios.map(({ name }) => JSON.stringify(name)).join(", ")}`); // prettier-ignore
  if (values.real && values.exercise !== undefined)
    throw new RangeError("the exercises are for a broker in this process, not for --real");
  if (values.exercise === undefined) {
    if (values.fixed) throw new RangeError("--fixed goes with --exercise");
    if (values.mutant !== undefined) mutantById(values.mutant);
    return { mutant: values.mutant ?? null, exercise: undefined, scenario: values.real ? undefined : scenario }; // prettier-ignore
  }
  if (values.mutant !== undefined) throw new RangeError("an exercise brings its own mutant");
  const exercise = exercises.find(({ number }) => String(number) === values.exercise);
  if (exercise === undefined)
    throw new RangeError(`no exercise ${JSON.stringify(values.exercise)}; there are 1 to ${exercises.length}`); // prettier-ignore
  return { mutant: values.fixed ? null : exercise.mutant, exercise, scenario: undefined };
}

function describeScenario({ name, config, grants }: JudgedScenario): string {
  const lines = [...grants].map(([user, list]) => `    ${user}: ${list.map(({ key, options }) => (options === "" ? key.name : `${key.name} (${options})`)).join(", ")}`); // prettier-ignore
  return [name, ...config.map((line) => `    ${line}`), ...lines].join("\n");
}

/** The exit status. */
export async function consoleCommand(args: readonly string[]): Promise<number> {
  let real: RealServer | undefined;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        mutant: { type: "string" },
        mutants: { type: "boolean", default: false },
        exercise: { type: "string" },
        exercises: { type: "boolean", default: false },
        fixed: { type: "boolean", default: false },
        real: { type: "boolean", default: false },
        user: { type: "string", default: "" },
        scenario: { type: "string" },
        scenarios: { type: "boolean", default: false },
        script: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(help);
      return 0;
    }
    if (values.mutants) {
      for (const { id, bug, mirrors } of mutants)
        console.log(values.json ? JSON.stringify({ id, bug, mirrors }) : `${id}\n    ${bug}\n    ${mirrors}`); // prettier-ignore
      return 0;
    }
    if (values.exercises) {
      for (const { number, title, mutant } of exercises)
        console.log(values.json ? JSON.stringify({ number, title, mutant }) : `${number}  ${title}`); // prettier-ignore
      return 0;
    }
    if (values.scenarios) {
      for (const scenario of judgedScenarios) console.log(describeScenario(scenario));
      return 0;
    }
    const { mutant, exercise, scenario } = wanted(values);
    real = values.real ? await RealServer.start(values.user, mutant) : undefined;
    const found = real?.scenario ?? exercise?.scenario ?? scenario ?? twoUsers;
    const code = await loadBroker(mutant);
    const begin = (): Talk | Promise<Talk> => real?.talk() ?? new Conversation(code, found);
    const engine = await Console.start(begin, found, exercise);
    const session: Session = { engine, scenario };
    const isTerminal = process.stdin.isTTY && values.script === undefined;
    const isColoured = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
    const show = (output: Output): void => {
      console.log(values.json ? json(output) : render(output, isColoured));
    };
    if (!isTerminal) await runScript(session, values.script ?? "-", show);
    else
      await interact(engine, async (line) => {
        try {
          await perform(session, line, show);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          console.log(error.message);
        }
      });
    engine.close();
    if (exercise === undefined) return 0;
    if (!engine.isSolved && !values.json) console.log(`exercise ${exercise.number} is not solved`);
    return engine.isSolved ? 0 : 1;
  } catch (error) {
    // Wrong calls, files and lines are told in one line; parseArgs throws TypeErrors with a code.
    if (!(error instanceof RangeError) && !(error instanceof TypeError && "code" in error)) throw error; // prettier-ignore
    console.error(`sallyport console: ${error.message.split("\n")[0] ?? ""}`);
    return 2;
  } finally {
    await real?.stop();
  }
}
