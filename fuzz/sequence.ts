// A conversation as the fuzzer keeps it: a scenario and moves, in a file that a person can read and edit. The first line names the
// scenario; each further line is one move. What a message says is for the reader; its bytes count.
import { judgedScenarios, type JudgedScenario } from "../lab/judged-scenarios.ts";
import type { Move } from "../lab/player.ts";
import { requests } from "../ipc/monitor.ts";
import { maxMessageBytes } from "../ipc/limits.ts";

export interface Sequence {
  readonly scenario: JudgedScenario;
  /** False: the listener never gives this pair a connection. */
  readonly isGivenConnection: boolean;
  readonly moves: readonly Move[];
}

const format = "sallyport sequence 1";
const maxMoves = 10_000;
const names = new Map<number, string>(
  Object.entries(requests).map(([name, { type }]) => [type, name]),
);
/** The request that these bytes say they are. */
export const nameOf = (bytes: Uint8Array): string => names.get(bytes[0] ?? -1) ?? "unknown";

export function sequenceText({ scenario, isGivenConnection, moves }: Sequence): string {
  const lines: unknown[] = [
    { format, scenario: scenario.name, ...(isGivenConnection ? {} : { connection: false }) },
  ];
  for (const move of moves) {
    if (move.kind !== "send") lines.push({ move: move.kind });
    else {
      const { bytes, descriptors } = move;
      const hex = Buffer.from(bytes).toString("hex");
      lines.push({ send: nameOf(bytes), ...(descriptors > 0 ? { descriptors } : {}), hex });
    }
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** What is wrong in a file, with its line. */
export class BadSequence extends Error {}

function object(line: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SyntaxError("not an object");
  return value as Readonly<Record<string, unknown>>;
}

function move(line: string): Move {
  const { move: kind, send, hex, descriptors = 0 } = object(line);
  if (kind === "hold" || kind === "settle") return { kind };
  if (kind !== undefined) throw new SyntaxError(`unknown move ${JSON.stringify(kind)}`);
  if (typeof hex !== "string" || !/^([0-9a-f]{2})*$/.test(hex))
    throw new SyntaxError("hex is missing, or is no hex");
  if (hex.length > 4 * maxMessageBytes) throw new SyntaxError("a message of over twice the limit");
  if (!Number.isInteger(descriptors) || (descriptors as number) < 0 || (descriptors as number) > 8)
    throw new SyntaxError("descriptors is not a number from 0 to 8");
  const bytes = new Uint8Array(Buffer.from(hex, "hex"));
  if (send !== undefined && send !== nameOf(bytes))
    throw new SyntaxError(`unknown message: ${JSON.stringify(send)} is not what the bytes say (${nameOf(bytes)})`); // prettier-ignore
  return { kind: "send", bytes, descriptors: descriptors as number };
}

/** Throws BadSequence, `FILE line N: what is wrong`. */
export function parseSequence(text: string, file: string): Sequence {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const at = <T>(i: number, read: (line: string) => T): T => {
    try {
      return read(lines[i] ?? "");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new BadSequence(`${file} line ${i + 1}: ${why}`);
    }
  };
  if (lines.length - 1 > maxMoves) throw new BadSequence(`${file}: over ${maxMoves} moves`);
  const head = at(0, object);
  if (head["format"] !== format)
    throw new BadSequence(`${file} line 1: not a sequence (its format must be "${format}")`);
  const scenario = judgedScenarios.find(({ name }) => name === head["scenario"]);
  if (scenario === undefined)
    throw new BadSequence(`${file} line 1: unknown scenario ${JSON.stringify(head["scenario"])}`);
  return {
    scenario,
    isGivenConnection: head["connection"] !== false,
    moves: lines.slice(1).map((_, i) => at(i + 1, move)),
  };
}

/** The form of fuzzing engines that know bytes alone (jazzer.js, AFL++): every byte string is a sequence. */
export function sequenceFromBytes(data: Uint8Array): Sequence {
  const first = data[0] ?? 0;
  const scenario = judgedScenarios[first % judgedScenarios.length];
  if (scenario === undefined) throw new TypeError("Cannot choose: no scenarios");
  const moves: Move[] = [];
  let at = 1;
  while (at + 2 < data.length && moves.length < 400) {
    const kind = data[at] ?? 0;
    if (kind >= 0xf0) {
      moves.push({ kind: kind < 0xf8 ? "hold" : "settle" });
      at += 1;
      continue;
    }
    const length = ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
    const descriptors = kind >= 0xe0 ? kind & 3 : 0;
    moves.push({ kind: "send", bytes: data.slice(at + 3, at + 3 + length), descriptors });
    at += 3 + length;
  }
  return { scenario, isGivenConnection: first < 0xf0, moves };
}
/** The other way, for a corpus of theirs. Messages over 64 KiB do not fit, and are left out. */
export function sequenceBytes({ scenario, isGivenConnection, moves }: Sequence): Uint8Array {
  const count = judgedScenarios.length;
  const index = judgedScenarios.indexOf(scenario);
  const first = isGivenConnection ? index : 0xf0 + ((index + count - (0xf0 % count)) % count);
  const parts: Uint8Array[] = [Uint8Array.of(first)];
  for (const each of moves) {
    if (each.kind !== "send") parts.push(Uint8Array.of(each.kind === "hold" ? 0xf0 : 0xf8));
    else if (each.bytes.length <= 0xffff) {
      const { bytes, descriptors } = each;
      const kind = descriptors > 0 ? 0xe0 | Math.min(3, descriptors) : 0;
      parts.push(Uint8Array.of(kind, bytes.length >> 8, bytes.length & 0xff), bytes);
    }
  }
  return Buffer.concat(parts);
}
