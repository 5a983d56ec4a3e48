// New sequences from old ones: the order of messages, their number, their bytes, their descriptors.
import { judgedScenarios } from "../lab/judged-scenarios.ts";
import type { Dice } from "../lab/player.ts";
import { Player, type Move } from "../lab/player.ts";
import { phases } from "../broker/permits.ts";
import { maxMessageBytes } from "../ipc/limits.ts";
import type { Sequence } from "./sequence.ts";

const maxMoves = 300;
/** Lengths and numbers that bounds are wrong by. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]; // prettier-ignore

function spoil(bytes: Uint8Array, dice: Dice): Uint8Array {
  const out = Uint8Array.from(bytes);
  switch (dice.roll(7)) {
    case 0:
      if (out.length > 0) out[dice.roll(out.length)] = dice.roll(256);
      return out;
    case 1: {
      // A length, or a number, by its edge.
      if (out.length < 9) return out;
      new DataView(out.buffer).setUint32(5 + dice.roll(out.length - 8), dice.pick(edges));
      return out;
    }
    case 2:
      return out.subarray(0, dice.roll(out.length + 1));
    case 3:
      return Buffer.concat([out, new Uint8Array(1 + dice.roll(8))]);
    case 4:
      return Buffer.concat([out, new Uint8Array(dice.pick([512, 65_536, maxMessageBytes + 1 - out.length]))]); // prettier-ignore
    case 5:
      out[0] = dice.roll(256);
      return out;
    default: {
      if (out.length === 0) return out;
      const at = dice.roll(out.length);
      out[at] = (out[at] ?? 0) ^ (1 << dice.roll(8));
      return out;
    }
  }
}

/** Any message, as the player makes it. */
function anyMove(sequence: Sequence, dice: Dice): Move {
  return new Player(sequence.scenario, dice).next(dice.pick(phases));
}

/** One change of `sequence`; `other` lends its end. */
export function mutate(sequence: Sequence, other: Sequence, dice: Dice): Sequence {
  const moves = [...sequence.moves];
  const at = dice.roll(moves.length + 1);
  const here = moves[at];
  switch (dice.roll(14)) {
    case 0:
      moves.splice(at, 1 + dice.roll(3));
      break;
    case 1:
      if (here !== undefined) moves.splice(at, 0, here);
      break;
    case 2: {
      const to = dice.roll(moves.length + 1);
      if (here !== undefined) moves.splice(to, 0, ...moves.splice(at, 1));
      break;
    }
    case 3:
      moves.splice(at, moves.length, ...other.moves.slice(dice.roll(other.moves.length + 1)));
      break;
    case 4:
      if (here !== undefined) moves.splice(at, 0, ...Array.from({ length: 1 + dice.roll(140) }, () => here)); // prettier-ignore
      break;
    case 5:
    case 6:
      moves.splice(at, 0, anyMove(sequence, dice));
      break;
    case 7:
      moves.splice(at, 0, { kind: dice.percent(50) ? "hold" : "settle" });
      break;
    case 8:
      if (here?.kind === "send") moves[at] = { ...here, descriptors: dice.roll(4) };
      break;
    case 9:
      return { ...sequence, scenario: dice.pick(judgedScenarios), isGivenConnection: dice.percent(97) }; // prettier-ignore
    case 10: {
      // Two messages in one packet, or one in two: a packet is a message, and nothing is put together again.
      const next = moves[at + 1];
      if (here?.kind === "send" && next?.kind === "send") moves.splice(at, 2, { ...here, bytes: Buffer.concat([here.bytes, next.bytes]) }); // prettier-ignore
      break;
    }
    case 11: {
      if (here?.kind !== "send") break;
      const cut = dice.roll(here.bytes.length + 1);
      moves.splice(at, 1, { ...here, bytes: here.bytes.subarray(0, cut) }, { ...here, bytes: here.bytes.subarray(cut) }); // prettier-ignore
      break;
    }
    default:
      if (here?.kind === "send") moves[at] = { ...here, bytes: spoil(here.bytes, dice) };
  }
  return { ...sequence, moves: moves.slice(0, maxMoves) };
}
