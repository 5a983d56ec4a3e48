// Brokers with one bug each: the bugs that real monitors had, put into ours as patches of its compiled code. Only the lab and the tests load
// them (lab/mutant-loader.ts); a test holds every patch against the present code, so that none rots.
import type { Patch } from "./patches.ts";
import { authenticationMutants } from "./mutants-authentication.ts";
import { boundMutants } from "./mutants-bounds.ts";
import { keyMutants } from "./mutants-keys.ts";
import { monitorMutants } from "./mutants-monitor.ts";

export interface Mutant {
  readonly id: string;
  /** What this broker does wrong, as a sentence without a full stop. */
  readonly bug: string;
  /** Where it happened: a CVE, a commit of OpenSSH, or a number of attacks on monitors. */
  readonly mirrors: string;
  readonly patches: readonly Patch[];
}

export const mutants: readonly Mutant[] = [
  ...monitorMutants,
  ...authenticationMutants,
  ...keyMutants,
  ...boundMutants,
];

/** Throws RangeError for an id that nobody has. */
export function mutantById(id: string): Mutant {
  const found = mutants.find((mutant) => mutant.id === id);
  if (found === undefined)
    throw new RangeError(`no mutant ${JSON.stringify(id)}; there are ${mutants.map((each) => each.id).join(", ")}`); // prettier-ignore
  return found;
}
