// What --repro and --minimize say about one sequence.
import { nameOf, type Sequence } from "../../fuzz/sequence.ts";
import type { Finding } from "../../lab/judge.ts";
import { writeSequence } from "./files.ts";
import { print } from "./jobs.ts";

interface Played {
  readonly finding: Finding | null;
  readonly brokenBy: number;
  readonly features: readonly string[];
}
const oneLine = ({ oracle, text }: Finding): string =>
  `${oracle}: ${JSON.stringify(text).slice(1, -1)}`;

/** Says what each message did. The exit status: 1 when a rule is broken. */
export function sayPlayed({ finding, brokenBy, features }: Played, asJson: boolean): number {
  for (const [i, step] of features.entries()) {
    const mark = i === brokenBy ? "  <== breaks" : "";
    print(asJson ? JSON.stringify({ step: i + 1, did: step, broken: i === brokenBy }) : `${String(i + 1).padStart(4)}  ${step}${mark}`); // prettier-ignore
  }
  const verdict = finding === null ? "no rule is broken" : oneLine(finding);
  print(asJson ? JSON.stringify({ finding }) : verdict);
  return finding === null ? 0 : 1;
}

/** Writes `after` into `out`, and says how much smaller than `before` it is. The exit status: 0 when it breaks nothing. */
export function sayMinimized(
  file: string,
  before: Sequence,
  after: Sequence,
  finding: Finding | null,
  out: string,
): number {
  if (finding === null) {
    print(`${file}: no rule is broken; nothing to minimize`);
    return 0;
  }
  const bytes = ({ moves }: Sequence): number =>
    moves.reduce((sum, move) => sum + (move.kind === "send" ? move.bytes.length : 0), 0);
  const written = writeSequence(out, `minimized-${finding.oracle}-`, after);
  const names = after.moves.map((move) => (move.kind === "send" ? nameOf(move.bytes) : move.kind));
  print(`${before.moves.length} moves, ${bytes(before)} bytes -> ${after.moves.length} moves, ${bytes(after)} bytes: ${names.join(", ")}`); // prettier-ignore
  print(`${oneLine(finding)}\n${written}`);
  return 1;
}
