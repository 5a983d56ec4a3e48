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
const maxMoves = 20_000;
const names = new Map<number, string>(
  Object.entries(requests).map(([name, { type }]) => [type, name]),
);
/** The request that these bytes say they are. */
export const nameOf = (bytes: Uint8Array): string => names.get(bytes[0] ?? -1) ?? "unknown";

function isSame(one: Move | undefined, other: Move): boolean {
  if (one?.kind !== "send" || other.kind !== "send") return one?.kind === other.kind;
  return one.descriptors === other.descriptors && Buffer.from(one.bytes).equals(other.bytes);
}

export function sequenceText({ scenario, isGivenConnection, moves }: Sequence): string {
  const lines: unknown[] = [
    { format, scenario: scenario.name, ...(isGivenConnection ? {} : { connection: false }) },
  ];
  for (let i = 0, times = 1; i < moves.length; i += times) {
    const move = moves[i];
    if (move === undefined) break;
    for (times = 1; isSame(moves[i + times], move);) times += 1;
    const often = times > 1 ? { times } : {};
    if (move.kind !== "send") lines.push({ move: move.kind, ...often });
    else {
      const { bytes, descriptors } = move;
      const hex = Buffer.from(bytes).toString("hex");
      lines.push({ send: nameOf(bytes), ...often, ...(descriptors > 0 ? { descriptors } : {}), hex }); // prettier-ignore
    }
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** What is wrong in a file, with its line. */
export class BadSequence extends Error {}

export function jsonObject(line: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SyntaxError("not an object");
  return value as Readonly<Record<string, unknown>>;
}

/** One line: one move, or the same one several times. */
function moveLine(line: string): Move[] {
  const { times = 1, ...rest } = jsonObject(line);
  if (!Number.isInteger(times) || (times as number) < 1 || (times as number) > maxMoves)
    throw new SyntaxError(`times is not a number from 1 to ${maxMoves}`);
  return new Array<Move>(times as number).fill(moveOf(rest));
}
function moveOf({
  move: kind,
  send,
  hex,
  descriptors = 0,
}: Readonly<Record<string, unknown>>): Move {
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
  const head = at(0, jsonObject);
  if (head["format"] !== format)
    throw new BadSequence(`${file} line 1: not a sequence (its format must be "${format}")`);
  const scenario = judgedScenarios.find(({ name }) => name === head["scenario"]);
  if (scenario === undefined)
    throw new BadSequence(`${file} line 1: unknown scenario ${JSON.stringify(head["scenario"])}`);
  const moves: Move[] = [];
  for (let i = 1; i < lines.length; i += 1) {
    moves.push(...at(i, moveLine));
    if (moves.length > maxMoves)
      throw new BadSequence(`${file} line ${i + 1}: over ${maxMoves} moves`);
  }
  return { scenario, isGivenConnection: head["connection"] !== false, moves };
}

/** The form of fuzzing engines that know bytes alone (jazzer.js, AFL++): every byte string is a sequence. */
export function sequenceFromBytes(data: Uint8Array): Sequence {
  const first = data[0] ?? 0;
  const scenario = judgedScenarios[first % judgedScenarios.length];
  if (scenario === undefined) throw new TypeError("Cannot choose: no scenarios");
  const moves: Move[] = [];
  let at = 1;
  while (at < data.length && moves.length < 400) {
    const kind = data[at] ?? 0;
    if (kind >= 0xf0) {
      moves.push({ kind: kind < 0xf8 ? "hold" : "settle" });
      at += 1;
      continue;
    }
    if (at + 2 >= data.length) break;
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
