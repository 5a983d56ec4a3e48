// What nobody may find in a log: secrets of the lab, the same on every machine.
import { createHash } from "node:crypto";

const secret = (name: string): Uint8Array =>
  createHash("sha256").update(`sallyport lab secret ${name}`).digest();

/** From which the broker makes the time that a failure takes (broker/failure-delay.ts). */
export const delaySecret = secret("delay");
/** Of the lab's key exchanges. */
export const sharedSecret = secret("exchange");
export const labSecrets = [delaySecret, sharedSecret] as const;
