// The broker as the fuzzer loads it: once more, with marks in its branches, with its private fields open to be measured, and with a node:crypto
// that remembers. What it does is what the server's own does, or a mutant's.
import { checkMutant, loadBrokerCopy, patched, type BrokerCode } from "../lab/mutant-loader.ts";
import { cryptoMeter } from "../lab/remembering-crypto.ts";
import { BranchCounters, typescript } from "./branch-counting.ts";

/** What parses and decides; what only reaches the operating system is not run by a fuzzer. */
const copied = /^(broker\/|ipc\/(protocol|fields|public-key|signature)\.js$)/;
const left = /^broker\/(main|system-world|session-process|users|key-file|recording|session-end)\.js$/; // prettier-ignore
const isCopied = (file: string): boolean => copied.test(file) && !left.test(file);

let copies = 0;

export interface CountedBroker {
  readonly code: BrokerCode;
  /** Branches in all; 0 where they are not counted. */
  readonly total: number;
  /** Numbers of those that were taken since the last call. */
  readonly take: () => readonly number[];
}

/** Private names as plain ones. In the broker's compiled modules `#name` is nothing else (test/fuzz/counted-broker.test.ts). */
export const withOpenFields = (source: string): string =>
  source.replace(/#(?=[A-Za-z_])/g, "_private_");

/**
 * Loads the broker, or a mutant of it, for a fuzzer. RangeError where branches are to be counted and TypeScript is not installed (`npm ci`
 * installs it), and for an unknown mutant.
 */
export async function loadCountedBroker(
  areCounted = true,
  mutant: string | null = null,
): Promise<CountedBroker> {
  const counters = areCounted ? new BranchCounters(await typescript()) : undefined;
  if (mutant !== null) checkMutant(mutant, isCopied);
  copies += 1;
  const code = await loadBrokerCopy({
    name: `fuzzed=${copies}`,
    isCopied,
    change: (file, source) => {
      const open = withOpenFields(mutant === null ? source : patched(mutant, file, source));
      return counters === undefined ? open : counters.mark(open);
    },
    instead: new Map([["node:crypto", "lab/remembering-crypto.js"]]),
  });
  return {
    code: { ...code, meters: { branches: counters?.meter, crypto: cryptoMeter, isOpen: true } },
    total: counters?.total ?? 0,
    take: () => counters?.take() ?? [],
  };
}
