// New sequences from old ones: which messages in which order, what their fields say, how their packets are made, how their bytes are cut.
import {
  maxAuthRequests,
  maxKexInitBytes,
  maxKexPublicBytes,
  maxKeyBlobBytes,
  maxMessageBytes,
  maxNameBytes,
  maxSignatureBytes,
  maxUserBytes,
  maxVersionBytes,
} from "../../ipc/limits.ts";
import type { Dice } from "../../lab/player.ts";
import { maxPacketBytes } from "../../session/ssh/packet-reader.ts";
import { liveNames, type Field } from "./fields.ts";
import { anyMessage } from "./messages.ts";
import { wait, type ClientSequence, type Step } from "./sequence.ts";
import type { PacketLie } from "./reference-cipher.ts";

const mostSteps = 400;
const around = (bound: number): number[] => [bound - 1, bound, bound + 1];
/** Numbers that bounds are wrong by. */
const edges = [0, 1, 4, 8, 12, 16, 28, 0x7f, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 1 << 21, 0x7fff_ffff, 0x8000_0000, 0xffff_fffb, 0xffff_fffc, 0xffff_ffff]; // prettier-ignore
/** Every bound that a string of a client's can meet (docs/limits.md). */
const lengths = [0, 1, 2, 31, 32, 33, 255, 256, 257, 1216, ...[maxNameBytes, maxUserBytes, maxVersionBytes, maxKexPublicBytes, maxSignatureBytes, maxKeyBlobBytes, 1 << 15, maxKexInitBytes, 1 << 16].flatMap(around), maxMessageBytes, maxPacketBytes - 64]; // prettier-ignore
const words = [
  "", ",", "none", "ssh-userauth", "ssh-connection", "ssh-ed25519", "rsa-sha2-512", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "x", "root", "root:x",
  "publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic", "publickey-hostbound-v00@openssh.com", "session", "direct-tcpip",
  "shell", "exec", "subsystem", "sftp", "pty-req", "env", "LD_PRELOAD", "TERM", "signal", "KILL", "window-change", "exit-status", "eow@openssh.com",
  "curve25519-sha256", "mlkem768x25519-sha256", "ecdh-sha2-nistp521", "diffie-hellman-group1-sha1", "ext-info-c", "ext-info-s", "kex-strict-c-v00@openssh.com",
  "kex-strict-s-v00@openssh.com", "aes128-ctr", "chacha20-poly1305@openssh.com", "hmac-sha2-256", "zlib@openssh.com", "a,b,c,d", "%s%n", "\0", "\r\nX: y", "\x1b]0;x\x07",
]; // prettier-ignore

function newContent(content: Uint8Array, dice: Dice): Uint8Array {
  switch (dice.roll(7)) {
    case 0:
      return Buffer.from(dice.pick(words), "latin1");
    case 1:
      return new Uint8Array(dice.pick(lengths)).fill(dice.pick([0, 0x2c, 0x61, 0xff]));
    case 2:
      return content.subarray(0, dice.roll(content.length + 1));
    case 3:
      return Buffer.concat([content, Uint8Array.from({ length: 1 + dice.roll(8) }, () => dice.roll(256))]); // prettier-ignore
    case 4:
      return Buffer.concat([content, Buffer.from(`,${dice.pick(words)}`, "latin1")]);
    default: {
      if (content.length === 0) return Uint8Array.of(dice.roll(256));
      const at = dice.roll(content.length);
      return Uint8Array.from(content).with(at, (content[at] ?? 0) ^ (1 << dice.roll(8)));
    }
  }
}
const newLength = (length: number, dice: Dice): number =>
  dice.percent(50) ? Math.max(0, length + dice.pick([-4, -1, 1, 4])) : dice.pick(edges);

function spoiltField(field: Field, dice: Dice): Field {
  if ("bytes" in field) return { bytes: newContent(field.bytes, dice) };
  if ("number" in field) return { number: dice.percent(40) ? (field.number + dice.pick([1, 0xffff_ffff])) % 2 ** 32 : dice.pick(edges) }; // prettier-ignore
  if ("string" in field)
    return dice.percent(30)
      ? { ...field, says: newLength(field.string.length, dice) }
      : { ...field, string: newContent(field.string, dice) };
  const roll = dice.roll(4);
  if (roll === 0) return { ...field, says: newLength(32, dice) };
  if (roll === 1) return { live: dice.pick(liveNames) };
  return roll === 2 ? { ...field, flip: dice.roll(1024) } : { string: newContent(new Uint8Array(32), dice) }; // prettier-ignore
}
function spoiltFields(fields: readonly Field[], dice: Dice): Field[] {
  const out = [...fields];
  const at = dice.roll(out.length + 1);
  const here = out[at];
  switch (dice.roll(12)) {
    case 0:
      return out.slice(0, at);
    case 1:
      out.splice(at, 1);
      return out;
    case 2:
      if (here !== undefined) out.splice(at, 0, here);
      return out;
    case 3:
      out.splice(at, 0, { bytes: Uint8Array.from({ length: 1 + dice.roll(5) }, () => dice.roll(256)) }); // prettier-ignore
      return out;
    case 4:
      if (out[0] !== undefined) out[0] = { bytes: Uint8Array.of(dice.roll(256)) };
      return out;
    default:
      // A message of one field has its number only.
      if (out.length > 0) {
        const chosen = out.length === 1 ? 0 : 1 + dice.roll(out.length - 1);
        out[chosen] = spoiltField(out[chosen] ?? { number: 0 }, dice);
      }
      return out;
  }
}
const anyLie = (dice: Dice): PacketLie =>
  dice.pick<() => PacketLie>([
    () => ({ length: dice.percent(50) ? dice.roll(300) : dice.pick([...edges, ...around(maxPacketBytes), maxPacketBytes + 16]) }), // prettier-ignore
    () => ({ padding: dice.roll(256) }),
    () => ({ flip: dice.roll(2048) }),
  ])();

function spoiltStep(step: Step, dice: Dice): Step {
  if (step.kind === "bytes")
    return dice.percent(20)
      ? { ...step, cut: "byte" }
      : { ...step, bytes: newContent(step.bytes, dice) };
  if (step.kind !== "send") return step;
  const roll = dice.roll(20);
  if (roll < 2) return { ...step, cut: dice.pick(["joined", "byte"]) };
  if (roll < 5) return { ...step, lie: anyLie(dice) };
  return { ...step, fields: spoiltFields(step.fields, dice) };
}

/** One change of `sequence`; `other` lends its end. */
export function mutateOnce(
  { steps: before }: ClientSequence,
  other: ClientSequence,
  dice: Dice,
): ClientSequence {
  // prettier-ignore
  const steps = [...before];
  // What is wrong early ends a connection early: most of it is wrong late.
  const half = dice.percent(60) ? steps.length >> 1 : 0;
  const at = half + dice.roll(steps.length - half + 1);
  const here = steps[at];
  switch (dice.roll(16)) {
    case 0:
    case 1:
      steps.splice(at, 1 + dice.roll(2));
      break;
    case 2:
      if (here !== undefined) steps.splice(at, 0, here);
      break;
    case 3: {
      const to = dice.roll(steps.length + 1);
      if (here !== undefined) steps.splice(to, 0, ...steps.splice(at, 1));
      break;
    }
    case 4:
      steps.splice(at, steps.length, ...other.steps.slice(dice.roll(other.steps.length + 1)));
      break;
    case 5:
      // Past every bound before authentication.
      if (here?.kind === "send" || here?.kind === "bytes") steps.splice(at, 0, ...new Array<Step>(dice.percent(30) ? maxAuthRequests + 2 : 1 + dice.roll(12)).fill(here)); // prettier-ignore
      break;
    case 6:
    case 7:
    case 8:
      steps.splice(at, 0, dice.percent(70) ? anyMessage(dice) : spoiltStep(anyMessage(dice), dice));
      break;
    case 9: {
      const kind = dice.pick(["deaf", "half-close", "reset"] as const);
      steps.splice(at, 0, dice.percent(60) ? wait : { kind });
      break;
    }
    default:
      if (here !== undefined) steps[at] = spoiltStep(here, dice);
  }
  return { steps: steps.slice(0, mostSteps) };
}

/** Some changes: most end a connection, so most sequences have few. */
export function mutate(
  sequence: ClientSequence,
  other: ClientSequence,
  dice: Dice,
): ClientSequence {
  // prettier-ignore
  let changed = sequence;
  for (let left = dice.pick([1, 1, 1, 2, 2, 4]); left > 0; left -= 1)
    changed = mutateOnce(changed, other, dice);
  return changed;
}
