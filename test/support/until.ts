// Waiting for a condition instead of for a time.
import { setTimeout as pause } from "node:timers/promises";

/** What `look` finds once it is neither undefined nor false; throws after a minute, far above what anything here takes. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await pause(20);
  }
}
