// `sallyport trace diff`: two conversations, compared by what they are made of, not by when and with which numbers.
import { parseArgs } from "node:util";
import { gist } from "./describe.ts";
import type { MessageRecord, Trace, TraceRecord } from "./format.ts";
import { readTrace, TraceError } from "./read.ts";
import { visible } from "./visible.ts";

/** A port, a pid or an mpint may be some digits longer the next time. */
const defaultSlack = 16;

export const diffHelp = `usage: sallyport trace diff A B [--slack BYTES] [--digests]

Compares messages, descriptors, phases, permits, outcomes and sizes; and which processes were forked, with which layers. Times, pids,
uids, ports and digests are not compared. Exit status 0: the same; 1: not the same.

  --slack BYTES   sizes that differ by up to this are the same (default ${defaultSlack}: ports, pids and mpints have more or fewer digits)
  --digests       compare plain digests too (the same host key, the same user's key)`;

/** One line of a comparison: what must be the same, and what is shown of it. */
interface Item {
  readonly key: string;
  /** Compared with slack; -1: no size. */
  readonly bytes: number;
  readonly shown: string;
}

function messageItem(record: MessageRecord, digests: boolean): Item {
  const { from, to, message, descriptors, phase, permit, outcome, refusal, bytes } = record;
  const phaseText = phase === undefined ? "" : phase.before === phase.after ? phase.before : `${phase.before}→${phase.after}`; // prettier-ignore
  const rule = permit === undefined ? "" : `[${permit.rule}${permit.left === undefined ? "" : `, ${permit.left} left`}]`; // prettier-ignore
  // The code in front of the colon; what follows has names and numbers.
  const verdict = outcome === "refused" ? `refused ${(refusal ?? "").split(":")[0] ?? ""}` : "";
  const fds = descriptors > 0 ? `${descriptors} fd` : "";
  const code =
    message === "event" || message === "log" ? JSON.stringify(record.fields["code"]) : "";
  const result = message === "authResult" ? JSON.stringify(record.fields["outcome"]) : "";
  const seen = digests
    ? Object.values(record.fields)
        .flatMap((value) => (typeof value === "object" && "sha256" in value ? value.sha256 : []))
        .join(" ")
    : "";
  const key = [`${from} → ${to}`, message, code, result, phaseText, rule, fds, verdict, seen].filter((part) => part !== "").join("  "); // prettier-ignore
  const said = gist(record);
  return { key, bytes, shown: `${key}  ${bytes} bytes${said === "" ? "" : `  (${said})`}` };
}

function item(record: TraceRecord, digests: boolean): Item {
  switch (record.kind) {
    case "message":
      return messageItem(record, digests);
    case "process": {
      const { party, event, by, layers = [], status, signal } = record;
      const confined = layers.map(({ name, state }) => `${name}:${state}`).join(" ");
      const how = signal === undefined ? (status ?? "") : `signal ${signal}`;
      const key = [`process ${party}`, event, `by ${by}`, how, confined].join("  ");
      return { key, bytes: -1, shown: key };
    }
    case "connection": {
      const key = `connection ${record.event} ${record.end ?? ""}`;
      return { key, bytes: -1, shown: key };
    }
    case "lost":
      return { key: "records lost", bytes: -1, shown: `${record.count} records lost` };
  }
}

/** The broker's story, and the listener's: between the two there is no order but time, which is another one each time. */
function stories({ records }: Trace, digests: boolean): Item[][] {
  const isListeners = (record: TraceRecord): boolean =>
    record.kind === "message" ? record.phase === undefined : record.kind === "connection";
  const isBrokers = (record: TraceRecord): boolean =>
    (record.kind === "message" && record.phase !== undefined) ||
    (record.kind === "process" && record.by === "broker") ||
    record.kind === "lost";
  const items = (of: readonly TraceRecord[]): Item[] => of.map((record) => item(record, digests));
  // What the recorder sees of a login depends on when it looks.
  const isChance = (record: TraceRecord): boolean =>
    record.kind === "process" && record.event === "seen" && (record.party === "login" || record.party === "worker"); // prettier-ignore
  const others = records.filter((record) => !isBrokers(record) && !isListeners(record) && !isChance(record)); // prettier-ignore
  const looks = items(others).sort((one, other) => (one.key < other.key ? -1 : 1));
  // What the zygote is told of one pid does not wait for another: by receiver and name.
  const relayed = items(records.filter(isListeners)).sort((one, other) => (one.key < other.key ? -1 : 1)); // prettier-ignore
  return [items(records.filter(isBrokers)), relayed, looks];
}

/** Longest common subsequence, lines of both that are not in it marked. Common starts and ends are taken off first. */
function compare(a: readonly Item[], b: readonly Item[], slack: number): string[] {
  const isSame = (one: Item | undefined, other: Item | undefined): boolean =>
    one !== undefined && other !== undefined && one.key === other.key && Math.abs(one.bytes - other.bytes) <= slack; // prettier-ignore
  let start = 0;
  while (start < a.length && start < b.length && isSame(a[start], b[start])) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && isSame(a[endA - 1], b[endB - 1])) {
    endA -= 1;
    endB -= 1;
  }
  const [restA, restB] = [a.slice(start, endA), b.slice(start, endB)];
  if (restA.length * restB.length > maxCells)
    return [`  the two differ from record ${start + 1} of a story on, in too much to be listed`];
  const columns = restB.length + 1;
  const lengths = new Uint32Array((restA.length + 1) * columns);
  const at = (i: number, j: number): number => lengths[i * columns + j] ?? 0;
  for (let i = restA.length - 1; i >= 0; i -= 1)
    for (let j = restB.length - 1; j >= 0; j -= 1)
      lengths[i * columns + j] = isSame(restA[i], restB[j])
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < restA.length || j < restB.length) {
    const [one, other] = [restA[i], restB[j]];
    if (isSame(one, other)) {
      i += 1;
      j += 1;
    } else if (other === undefined || (one !== undefined && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`- ${one?.shown ?? ""}`);
      i += 1;
    } else {
      lines.push(`+ ${other.shown}`);
      j += 1;
    }
  }
  return lines;
}
const maxCells = 20_000_000;

/** What is different, a line each; empty when nothing is. */
export function differences(
  a: Trace,
  b: Trace,
  { slack = defaultSlack, digests = false }: { slack?: number; digests?: boolean } = {},
): string[] {
  const others = stories(b, digests);
  return stories(a, digests).flatMap((story, i) => compare(story, others[i] ?? [], slack));
}

/** The exit status. */
export function diff(args: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      slack: { type: "string", default: String(defaultSlack) },
      digests: { type: "boolean", default: false },
    },
  });
  const [a, b, ...more] = positionals;
  if (a === undefined || b === undefined || more.length > 0)
    throw new TraceError("two traces are compared; see diff --help");
  const slack = /^\d{1,9}$/.test(values.slack) ? Number(values.slack) : Number.NaN;
  if (Number.isNaN(slack)) throw new TraceError(`--slack ${values.slack} is not a number of bytes`);
  const lines = differences(readTrace(a), readTrace(b), { slack, digests: values.digests });
  if (lines.length === 0) return 0;
  console.log(`--- ${a}\n+++ ${b}`);
  for (const line of lines) console.log(visible(line, 300));
  return 1;
}
