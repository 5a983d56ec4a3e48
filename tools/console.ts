// `sallyport console`: a person in the session process's place, at a terminal or by a script. What it does is in lab/console.ts.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Console, renderSeen, type Output } from "../lab/console.ts";
import { Conversation } from "../lab/conversation.ts";
import { exercises } from "../lab/exercises.ts";
import { loadBroker } from "../lab/mutant-loader.ts";
import { mutantById, mutants } from "../lab/mutants.ts";
import { RealServer } from "../lab/real-server.ts";
import { openScenario } from "../lab/scenario.ts";
import { sequenceText } from "../lab/sequence-file.ts";
import { interact } from "./console-terminal.ts";

const help = `usage: sallyport console [--mutant ID | --exercise N [--fixed]] [--script FILE] [--json]

  Speaks to a broker in this process as its session process would, in any order and with any bytes. Needs no root.

  --mutant ID      a broker with this bug; --mutants lists them
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

/** Reads a file that a person named; one line says why not. */
function read(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new RangeError(
      `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** Commands that touch files, which the engine does not. */
async function perform(
  console_: Console,
  line: string,
  show: (output: Output) => void,
): Promise<void> {
  const [command, path = ""] = line.trim().split(/\s+/, 2);
  if (command === "script") await runScript(console_, path, show);
  else if (command === "save") {
    if (path === "") throw new RangeError("save needs a file");
    try {
      writeFileSync(path, sequenceText(console_.sent));
    } catch (error) {
      throw new RangeError(
        `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
    show({ kind: "text", lines: [`${console_.sent.length} messages are in ${path}`] });
  } else for (const output of await console_.execute(line)) show(output);
}

/** Scripts may call scripts, but not for ever. */
let depth = 0;
async function runScript(
  console_: Console,
  path: string,
  show: (output: Output) => void,
): Promise<void> {
  if (path === "") throw new RangeError("script needs a file");
  if (depth === 8) throw new RangeError("scripts call one another too deep");
  depth += 1;
  try {
    for (const [i, line] of read(path).split("\n").entries()) {
      if (line.trim() === "quit") break;
      try {
        await perform(console_, line, show);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        const where = /^(\S+:\d+: |cannot read )/.test(error.message) ? "" : `${path}:${i + 1}: `;
        throw new RangeError(`${where}${error.message}`, { cause: error });
      }
    }
  } finally {
    depth -= 1;
  }
}

async function inProcess(mutant: string | null, exercise: Wanted["exercise"]): Promise<Console> {
  const code = await loadBroker(mutant);
  const scenario = exercise?.scenario ?? openScenario;
  return Console.start(() => new Conversation(code, scenario), scenario, exercise);
}

interface Wanted {
  readonly mutant: string | null;
  readonly exercise: (typeof exercises)[number] | undefined;
}
function wanted(values: {
  mutant?: string;
  exercise?: string;
  fixed: boolean;
  real: boolean;
}): Wanted {
  if (values.real && values.exercise !== undefined)
    throw new RangeError("the exercises are for a broker in this process, not for --real");
  if (values.exercise === undefined) {
    if (values.fixed) throw new RangeError("--fixed goes with --exercise");
    if (values.mutant !== undefined) mutantById(values.mutant);
    return { mutant: values.mutant ?? null, exercise: undefined };
  }
  if (values.mutant !== undefined) throw new RangeError("an exercise brings its own mutant");
  const exercise = exercises.find(({ number }) => String(number) === values.exercise);
  if (exercise === undefined)
    throw new RangeError(`no exercise ${JSON.stringify(values.exercise)}; there are 1 to ${exercises.length}`); // prettier-ignore
  return { mutant: values.fixed ? null : exercise.mutant, exercise };
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
    const { mutant, exercise } = wanted(values);
    real = values.real ? await RealServer.start(values.user, mutant) : undefined;
    const engine = await ((): Promise<Console> => {
      const server = real;
      if (server !== undefined) return Console.start(() => server.talk(), server.scenario);
      return inProcess(mutant, exercise);
    })();
    const isTerminal = process.stdin.isTTY && values.script === undefined;
    const isColoured = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
    const show = (output: Output): void => {
      console.log(values.json ? json(output) : render(output, isColoured));
    };
    if (!isTerminal) await runScript(engine, values.script ?? "-", show);
    else
      await interact(engine, async (line) => {
        try {
          await perform(engine, line, show);
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
