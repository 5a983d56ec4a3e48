// What a run of `sallyport fuzz server` says to a person.
import type { ServerEngine } from "../../fuzz/server/engine.ts";
import { possiblePairs } from "../../fuzz/server/features.ts";
import { mostGrowthKiB } from "../../fuzz/server/watch.ts";

export interface ServerSummary {
  readonly seed: number;
  readonly connections: number;
  readonly messages: number;
  readonly seconds: number;
  readonly pairs: number;
  readonly possiblePairs: number;
  readonly outcomes: number;
  /** How the server says it ended, and how often. */
  readonly endings: Readonly<Record<string, number>>;
  readonly corpus: number;
  readonly kept: number;
  /** Honest clients that were served in between. */
  readonly logins: number;
  /** Of a session process, beyond a warm one; null: not seen from here. */
  readonly growthKiB: number | null;
  readonly unseen: readonly string[];
  readonly finding: { readonly oracle: string; readonly text: string; readonly files: readonly string[] } | null; // prettier-ignore
}

const mostEndings = 8;
const rate = (count: number, seconds: number): string => (count / Math.max(seconds, 0.001)).toFixed(1); // prettier-ignore

export const serverProgress = ({ connections, pairs, features, endings, kept }: ServerEngine, seconds: number): string => // prettier-ignore
  `${Math.round(seconds)} s  ${connections} connections, ${rate(connections, seconds)}/s, pairs ${pairs.size}/${possiblePairs}, outcomes ${features}, endings ${endings.size}, kept ${kept}`; // prettier-ignore

export function serverSummaryText(summary: ServerSummary, mutant: string | null): string {
  const { connections, messages, seconds, endings, growthKiB, finding, unseen } = summary;
  const often = Object.entries(endings).sort(([, one], [, other]) => other - one);
  const lines = [
    `connections ${connections.toLocaleString("en")} in ${seconds.toFixed(1)} s: ${rate(connections, seconds)} a second`,
    `messages    ${messages.toLocaleString("en")}`,
    `pairs       ${summary.pairs} of ${summary.possiblePairs} (place x message number)`,
    `outcomes    ${summary.outcomes.toLocaleString("en")} different (place, message, answers; what followed; how it ended)`,
    ...(often.length === 0 ? [] : [`endings     ${often.length} different, the most often:`]),
    ...often.slice(0, mostEndings).map(([ending, count]) => `            ${String(count).padStart(6)}  ${ending}`), // prettier-ignore
    `corpus      ${summary.corpus} sequences at the start; ${Math.max(0, summary.kept - summary.corpus)} more reached something new`,
    `logins      ${summary.logins} honest clients were served in between`,
    ...(growthKiB === null ? [] : [`memory      a session process grew by ${growthKiB.toLocaleString("en")} KiB at most, bound ${mostGrowthKiB.toLocaleString("en")}`]), // prettier-ignore
    ...unseen.map((what) => `not seen    ${what}`),
  ];
  if (finding === null) return [...lines, "found       nothing: no rule was broken"].join("\n");
  lines.push(`FOUND       ${finding.oracle}: ${JSON.stringify(finding.text).slice(1, -1)}`);
  for (const file of finding.files) lines.push(`            ${file}`);
  const [file] = finding.files;
  if (finding.files.length > 1) lines.push("            among these, none of which does it alone");
  else if (file !== undefined) lines.push(`            sallyport fuzz server${mutant === null ? "" : ` --mutant ${mutant}`} --minimize ${file}`); // prettier-ignore
  return lines.join("\n");
}
