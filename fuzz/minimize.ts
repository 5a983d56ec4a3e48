// A sequence that breaks a rule, made as small as it can be: whole messages first, then bytes.
import type { Finding } from "../lab/judge.ts";
import type { BrokerCode } from "../lab/mutant-loader.ts";
import type { Move } from "../lab/player.ts";
import { execute } from "./execute.ts";
import type { Sequence } from "./sequence.ts";

/** Plays a sequence: which rule is broken, and by which of its moves (-1: not known, or none). */
export type Attempt = (
  sequence: Sequence,
) => Promise<{ readonly finding: Finding | null; readonly brokenBy: number }>;
type Holds = (candidate: Sequence) => Promise<boolean>;

async function fewerMoves(sequence: Sequence, holds: Holds): Promise<Sequence> {
  let { moves } = sequence;
  for (let size = Math.max(1, moves.length >> 1); ; size = size >> 1) {
    for (let at = 0; at < moves.length;) {
      const without = [...moves.slice(0, at), ...moves.slice(at + size)];
      if (await holds({ ...sequence, moves: without })) moves = without;
      else at += size;
    }
    if (size <= 1) return { ...sequence, moves };
  }
}

async function fewerBytes(sequence: Sequence, holds: Holds, fewest: number): Promise<Sequence> {
  let moves = [...sequence.moves];
  const tryMove = async (at: number, move: Move): Promise<boolean> => {
    const changed = moves.with(at, move);
    if (!(await holds({ ...sequence, moves: changed }))) return false;
    moves = changed;
    return true;
  };
  for (const [at, move] of sequence.moves.entries()) {
    if (move.kind !== "send") continue;
    let now = move;
    const without = { ...now, descriptors: 0 };
    if (now.descriptors > 0 && (await tryMove(at, without))) now = without;
    for (let size = now.bytes.length >> 1; size >= fewest; size = size >> 1) {
      for (;;) {
        const shorter = { ...now, bytes: now.bytes.subarray(0, now.bytes.length - size) };
        if (now.bytes.length <= size || !(await tryMove(at, shorter))) break;
        now = shorter;
      }
    }
    // What is left is told apart from what matters: zero where zero does.
    for (let i = 1; i < now.bytes.length; i += fewest) {
      const end = Math.min(now.bytes.length, i + fewest);
      if (now.bytes.subarray(i, end).every((byte) => byte === 0)) continue;
      const zeroed = { ...now, bytes: Uint8Array.from(now.bytes).fill(0, i, end) };
      if (await tryMove(at, zeroed)) now = zeroed;
    }
  }
  return { ...sequence, moves };
}

/**
 * The same sequence when it breaks nothing. A candidate that breaks the same rule (by the oracle's name: another text of the same oracle is the
 * same bug, seen from elsewhere) is taken; bytes go in pieces of `fewest`, for who plays slowly.
 */
export async function minimize(
  attempt: Attempt,
  sequence: Sequence,
  fewest = 1,
): Promise<Sequence> {
  const { finding, brokenBy } = await attempt(sequence);
  if (finding === null) return sequence;
  const holds: Holds = async (candidate) =>
    (await attempt(candidate)).finding?.oracle === finding.oracle;
  const cut = { ...sequence, moves: sequence.moves.slice(0, brokenBy < 0 ? undefined : brokenBy + 1) }; // prettier-ignore
  const plain = { ...cut, isGivenConnection: true };
  const start = (await holds(plain)) ? plain : cut;
  return fewerBytes(await fewerMoves(start, holds), holds, fewest);
}

/** The fewest of `sequences` that together reach the pairs and branches that all of them reach, shorter ones first. */
export function distill(
  code: BrokerCode,
  sequences: readonly Sequence[],
  takeBranches: () => readonly number[],
): Sequence[] {
  const reached = new Set<string>();
  const chosen: Sequence[] = [];
  for (const sequence of [...sequences].sort(
    (one, other) => one.moves.length - other.moves.length,
  )) {
    takeBranches();
    const { pairs } = execute(code, sequence);
    const all = [...pairs, ...takeBranches().map(String)];
    if (all.every((each) => reached.has(each))) continue;
    for (const each of all) reached.add(each);
    chosen.push(sequence);
  }
  return chosen;
}
