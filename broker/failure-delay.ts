// A failure takes at least so long, and longer by a little that depends on the user's name alone (auth2.c, user_specific_delay): whether a
// user exists cannot be told from the time of an answer.
import { createHmac } from "node:crypto";

const minimumMs = 5;
const spreadMs = 4.2;
/** Beyond this the work itself took so long that no padding hides anything. */
const longestMs = 5000;

/** Milliseconds still to wait after `elapsedMs` of work. */
export function failureDelay(elapsedMs: number, user: Uint8Array, secret: Uint8Array): number {
  const digest = createHmac("sha256", secret).update(user).digest();
  let total = minimumMs + (digest.readUInt32BE(0) / 0xffff_ffff) * spreadMs;
  if (elapsedMs > longestMs) return 0;
  while (total < elapsedMs) total *= 2;
  return total - elapsedMs;
}
