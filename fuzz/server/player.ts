// A client that goes the way of an honest one, as far as it likes: identification, key exchange, some attempts that fail, perhaps one that does not,
// and then what a session consists of. What makes it hostile are the changes afterwards (mutate.ts). The same seed is the same client.
import type { Dice } from "../../lab/player.ts";
import { live } from "./fields.ts";
import {
  channelOpen,
  disconnect,
  failing,
  kexInit,
  kexReply,
  lateMessage,
  login,
  serviceRequest,
  users,
} from "./messages.ts";
import { wait, type ClientSequence, type Step } from "./sequence.ts";

const lines = ["SSH-2.0-OpenSSH_9.2p1 Debian-2", "SSH-2.0-raw", "SSH-1.99-x", "SSH-2.0-libssh_0.10"]; // prettier-ignore

const line = (text: string): Step => ({ kind: "bytes", bytes: Buffer.from(`${text}\r\n`) });

function exchange(dice: Dice, isFirst: boolean): Step[] {
  const init = kexInit(dice, isFirst);
  return dice.percent(60) ? [init, wait, ...kexReply] : [init, ...kexReply];
}
function attempts(dice: Dice): Step[] {
  const user = dice.percent(75) ? live("user") : dice.pick(users);
  return Array.from({ length: dice.roll(4) }, () => failing(dice, user)).flatMap((attempt) =>
    dice.percent(75) ? [attempt, wait] : [attempt],
  );
}
/** Logged in. */
function session(dice: Dice): Step[] {
  const steps: Step[] = [];
  if (dice.percent(80)) steps.push(channelOpen, wait);
  for (let left = dice.roll(8); left > 0; left -= 1) {
    steps.push(...(dice.percent(12) ? exchange(dice, false) : [lateMessage(dice)]));
    if (dice.percent(50)) steps.push(wait);
  }
  return steps;
}
function ending(dice: Dice): Step[] {
  const roll = dice.roll(10);
  if (roll < 2) return [disconnect];
  if (roll < 3) return [{ kind: "reset" }];
  return roll < 6 ? [wait] : [];
}

/** An honest client. */
export function honestSequence(dice: Dice): ClientSequence {
  const steps: Step[] = [line(dice.pick(lines)), ...exchange(dice, true)];
  if (dice.percent(95)) steps.push(serviceRequest, wait, ...attempts(dice));
  if (dice.percent(45)) steps.push(login(dice.percent(50)), wait, ...session(dice));
  return { steps: [...steps, ...ending(dice)] };
}
