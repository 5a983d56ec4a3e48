// What a run says to a person.
import { maxBrokerBytes } from "../../fuzz/session/health.ts";

export interface Summary {
  readonly seed: number;
  readonly executions: number;
  readonly messages: number;
  readonly seconds: number;
  readonly pairs: readonly string[];
  readonly possiblePairs: number;
  readonly missingPairs: readonly string[];
  readonly features: number;
  readonly branches: { readonly taken: number; readonly total: number } | null;
  /** Sequences that it began with, and that it has now. */
  readonly corpus: number;
  readonly kept: number;
  readonly finding: {
    readonly oracle: string;
    readonly text: string;
    readonly file: string;
  } | null;
  /** Of a broker that is a process: the most that it had, bytes. */
  readonly brokerBytes?: number;
}

/** A fuzzer on its way. */
export interface Progress {
  readonly executions: number;
  readonly messages: number;
  readonly pairs: ReadonlySet<string>;
  readonly features: number;
  readonly kept: readonly unknown[];
}

const longestList = 10;
const perSecond = (count: number, seconds: number): string =>
  Math.round(count / Math.max(seconds, 0.001)).toLocaleString("en");

export function progressLine(engine: Progress, possible: number, seconds: number): string {
  const { executions, messages, pairs, features, kept } = engine;
  const speed = `${perSecond(executions, seconds)} sequences/s, ${perSecond(messages, seconds)} messages/s`; // prettier-ignore
  return `${Math.round(seconds)} s  ${speed}, pairs ${pairs.size}/${possible}, outcomes ${features}, kept ${kept.length}`; // prettier-ignore
}

/** Of one process, or of several. */
export function summaryText(
  all: readonly Summary[],
  mutant: string | null = null,
  target = "broker",
): string {
  const sum = (pick: (summary: Summary) => number): number => all.reduce((total, each) => total + pick(each), 0); // prettier-ignore
  const seconds = Math.max(...all.map((each) => each.seconds));
  const pairs = new Set(all.flatMap((each) => each.pairs));
  const missing = (all[0]?.missingPairs ?? []).filter((pair) => !pairs.has(pair));
  const branches = all.map((each) => each.branches).filter((each) => each !== null);
  const most = branches.sort((one, other) => other.taken - one.taken)[0];
  const lines = [
    `sequences   ${sum((each) => each.executions).toLocaleString("en")} in ${seconds.toFixed(1)} s: ${perSecond(sum((each) => each.executions), seconds)} a second`, // prettier-ignore
    `messages    ${sum((each) => each.messages).toLocaleString("en")}: ${perSecond(sum((each) => each.messages), seconds)} a second`, // prettier-ignore
    `pairs       ${pairs.size} of ${all[0]?.possiblePairs ?? 0} (phase x request x granted, not permitted, spent)`,
    ...missing.slice(0, longestList).map((pair) => `            not reached: ${pair}`),
    ...(missing.length > longestList
      ? [`            and ${missing.length - longestList} more`]
      : []),
    `outcomes    ${Math.max(...all.map((each) => each.features)).toLocaleString("en")} different, with what came before them`,
    ...(most === undefined ? [] : [`branches    ${most.taken} of ${most.total} of broker/ and of what it reads messages with`]), // prettier-ignore
    `corpus      ${all[0]?.corpus ?? 0} sequences at the start; ${sum((each) => Math.max(0, each.kept - each.corpus))} more reached something new`, // prettier-ignore
  ];
  const memory = Math.max(...all.map((each) => each.brokerBytes ?? 0)) / 2 ** 20;
  if (memory > 0) lines.push(`memory      ${memory.toFixed(1)} MiB of its own at most, of one broker (bound: ${maxBrokerBytes / 2 ** 20} MiB)`); // prettier-ignore
  const findings = all.map((each) => each.finding).filter((each) => each !== null);
  for (const { oracle, text, file } of findings)
    lines.push(`FOUND       ${oracle}: ${JSON.stringify(text).slice(1, -1)}`, `            ${file}`, `            sallyport fuzz ${target}${mutant === null ? "" : ` --mutant ${mutant}`} --minimize ${file}`); // prettier-ignore
  if (findings.length === 0) lines.push("found       nothing: no rule was broken");
  return lines.join("\n");
}
