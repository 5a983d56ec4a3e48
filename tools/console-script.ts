// Commands of the console that touch files: scripts, and sequences as the fuzzer's corpus has them.
import { readFileSync, writeFileSync } from "node:fs";
import { BadSequence, parseSequence, sequenceText } from "../fuzz/sequence.ts";
import type { Console, Output } from "../lab/console.ts";
import type { JudgedScenario } from "../lab/judged-scenarios.ts";

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

export interface Session {
  readonly engine: Console;
  /** Undefined where an exercise or a real server has one of its own. */
  readonly scenario: JudgedScenario | undefined;
}

function sequenceIn(path: string): ReturnType<typeof parseSequence> {
  try {
    return parseSequence(read(path), path);
  } catch (error) {
    if (error instanceof BadSequence) throw new RangeError(error.message, { cause: error });
    throw error;
  }
}

/** Commands that touch files, which the engine does not. */
export async function perform(
  session: Session,
  line: string,
  show: (output: Output) => void,
): Promise<void> {
  const [command, path = ""] = line.trim().split(/\s+/, 2);
  if (command === "script") await runScript(session, path, show);
  else if (command === "replay") {
    const { scenario, moves } = sequenceIn(path);
    if (scenario !== session.scenario)
      throw new RangeError(`${path} is of --scenario ${JSON.stringify(scenario.name)}`);
    for (const output of await session.engine.execute("reset")) show(output);
    for (const move of moves) for (const output of await session.engine.play(move)) show(output);
  } else if (command === "save") {
    if (path === "") throw new RangeError("save needs a file");
    if (session.scenario === undefined)
      throw new RangeError("only what was played in a --scenario can be a sequence");
    try {
      const { scenario, engine } = session;
      writeFileSync(path, sequenceText({ scenario, isGivenConnection: true, moves: engine.sent }));
    } catch (error) {
      throw new RangeError(
        `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
    show({ kind: "text", lines: [`${session.engine.sent.length} moves are in ${path}`] });
  } else for (const output of await session.engine.execute(line)) show(output);
}

/** Scripts may call scripts, but not for ever. */
let depth = 0;
export async function runScript(
  session: Session,
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
        await perform(session, line, show);
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
