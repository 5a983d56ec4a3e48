// A sequence that breaks a rule, made as small as it can be: whole messages first, then bytes.
import type { BrokerCode } from "../lab/mutant-loader.ts";
import type { Move } from "../lab/player.ts";
import { execute } from "./execute.ts";
import type { Sequence } from "./sequence.ts";

/** Still breaks the same rule (by the oracle's name: another text of the same oracle is the same bug, seen from elsewhere). */
function breaks(code: BrokerCode, sequence: Sequence, oracle: string): boolean {
  return execute(code, sequence).finding?.oracle === oracle;
}

function fewerMoves(sequence: Sequence, holds: (candidate: Sequence) => boolean): Sequence {
  let { moves } = sequence;
  for (let size = Math.max(1, moves.length >> 1); ; size = size >> 1) {
    for (let at = 0; at < moves.length;) {
      const without = [...moves.slice(0, at), ...moves.slice(at + size)];
      if (holds({ ...sequence, moves: without })) moves = without;
      else at += size;
    }
    if (size <= 1) return { ...sequence, moves };
  }
}

function fewerBytes(sequence: Sequence, holds: (candidate: Sequence) => boolean): Sequence {
  let moves = [...sequence.moves];
  const tryMove = (at: number, move: Move): boolean => {
    const changed = moves.with(at, move);
    if (!holds({ ...sequence, moves: changed })) return false;
    moves = changed;
    return true;
  };
  for (const [at, move] of sequence.moves.entries()) {
    if (move.kind !== "send") continue;
    let now = move;
    if (now.descriptors > 0 && tryMove(at, { ...now, descriptors: 0 })) now = { ...now, descriptors: 0 }; // prettier-ignore
    for (let size = now.bytes.length >> 1; size > 0; size = size >> 1) {
      const shorter = { ...now, bytes: now.bytes.subarray(0, now.bytes.length - size) };
      while (now.bytes.length > size && tryMove(at, shorter)) now = shorter;
    }
    // What is left is told apart from what matters: zero where zero does.
    for (let i = 1; i < now.bytes.length; i += 1) {
      if (now.bytes[i] === 0) continue;
      const zeroed = { ...now, bytes: now.bytes.with(i, 0) };
      if (tryMove(at, zeroed)) now = zeroed;
    }
  }
  return { ...sequence, moves };
}

/** The same sequence when it breaks nothing. */
export function minimize(code: BrokerCode, sequence: Sequence): Sequence {
  const { finding, brokenBy } = execute(code, sequence);
  if (finding === null) return sequence;
  const holds = (candidate: Sequence): boolean => breaks(code, candidate, finding.oracle);
  const cut = { ...sequence, moves: sequence.moves.slice(0, brokenBy + 1) };
  const plain = { ...cut, isGivenConnection: true };
  const start = holds(plain) ? plain : cut;
  return fewerBytes(fewerMoves(start, holds), holds);
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
