// A process with threads reads back what each of them has: a half-confined process is worse than none, which says so.
import { threadReport } from "../native/threads.ts";
import type { LayerSteps } from "./layer-steps.ts";

/**
 * Throws, naming the thread, unless every one has what its process has taken on: no_new_privs and, where they are its layers, exactly the
 * capabilities `kept` (undefined: not looked at) and as many filters. Reads /proc, so that a filter which stops that comes after it.
 */
export function proveThreads(
  who: string,
  { holds }: LayerSteps,
  { kept, filters }: { readonly kept: bigint | undefined; readonly filters: number },
): void {
  for (const { name, tid, noNewPrivs, seccompFilters, capabilities } of threadReport())
    if (
      (holds("noNewPrivs") && !noNewPrivs) ||
      seccompFilters < filters ||
      (kept !== undefined &&
        holds("capabilities") &&
        (capabilities.permitted !== kept || capabilities.effective !== kept))
    )
      throw new Error(`Cannot confine ${who}: thread ${name} (${tid}) is not confined`);
}
