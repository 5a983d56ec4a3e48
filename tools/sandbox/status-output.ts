// `sallyport sandbox status` for a person: a line a process, and with --verbose all that was seen.
import { capability } from "../../sandbox/constants.ts";
import { landlockAbi } from "../../native/confine.ts";
import { landlockLacks } from "../../sandbox/landlock.ts";
import type { ProcessFacts } from "./process-facts.ts";
import type { ProcessStatus } from "./status.ts";

export interface RenderOptions {
  readonly isVerbose: boolean;
  readonly isColoured: boolean;
}
type Paint = (code: number, text: string) => string;

const names = new Map<number, string>(Object.entries(capability).map(([name, bit]) => [bit, name]));
/** Above this many a list says less than the number. */
const maxNamed = 6;

/** "none", a few by name, or how many. */
function capabilities(hex: string): string {
  const set = BigInt(`0x${hex === "" ? "0" : hex}`);
  const bits = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => ((set >> BigInt(bit)) & 1n) === 1n); // prettier-ignore
  if (bits.length === 0) return "none";
  if (bits.length > maxNamed) return `${bits.length} of them`;
  return bits.map((bit) => names.get(bit) ?? `capability ${bit}`).join(",");
}

/** A mark and two words at the most. */
function verdictOf({ verdict, wrong, missing }: ProcessStatus, paint: Paint): string {
  if (verdict === "free") return paint(90, "○ not confined");
  if (verdict === "broken") return paint(31, `✗ ${wrong.length} wrong`);
  return missing.length === 0 ? paint(32, "✓ holds") : paint(33, `✓ holds, ${missing.length} optional missing`); // prettier-ignore
}

const columns = ["process", "pid", "uid", "capabilities", "filter", "nnp", "own ns", "root", "threads", "fds"] as const; // prettier-ignore

function row({ pid, title, facts, filter }: ProcessStatus): string[] {
  const [main] = facts.threads;
  const own = Object.values(facts.namespaces).filter((kind) => kind === "own").length;
  const isUnseen = Object.values(facts.namespaces).includes("unseen");
  const loaded =
    main === undefined || main.seccomp === 0 ? "-" : `${filter ?? "?"} ×${main.filters}`;
  return [
    title.replace(/^sallyportd: /, "").replace(/^.*\[listener\].*$/, "listener"),
    String(pid),
    String(facts.uids[1] ?? ""),
    capabilities(main?.capabilities.effective ?? ""),
    loaded,
    facts.threads.every(({ noNewPrivs }) => noNewPrivs) ? "yes" : "no",
    isUnseen ? "unseen" : `${own}`,
    facts.rootEntries === "unseen" ? "unseen" : facts.rootEntries === 0 ? "empty" : "/",
    String(facts.threads.length),
    facts.descriptors === "unseen" ? "unseen" : String(facts.descriptors.length),
  ];
}

function details(facts: ProcessFacts): string[] {
  const { uids, gids, groups, threads, namespaces, limits, descriptors } = facts;
  return [
    `uids ${uids.join(" ")}; gids ${gids.join(" ")}; groups ${groups.length === 0 ? "none" : groups.join(" ")}`,
    ...threads.map(({ tid, name, noNewPrivs, seccomp, filters, capabilities: sets }) => {
      const cut = Object.entries(sets).map(([set, hex]) => `${set} ${capabilities(hex)}`);
      return `thread ${tid} ${name}: seccomp ${seccomp} (${filters} filters), no_new_privs ${noNewPrivs ? "yes" : "no"}, ${cut.join(", ")}`;
    }),
    `namespaces: ${Object.entries(namespaces)
      .map(([kind, whose]) => `${kind} ${whose}`)
      .join(", ")}`,
    `limits (soft hard): ${Object.entries(limits)
      .map(([name, value]) => `${name.replace("Max ", "")} ${value}`)
      .join("; ")}`,
    descriptors === "unseen"
      ? "descriptors: unseen"
      : `descriptors: ${descriptors.map(({ fd, is }) => `${fd} ${is}`).join(", ")}`,
    "Landlock, MDWE: not shown by the kernel from outside; the server's log says when a process could not have them",
  ];
}

/** What several processes of a role lack alike is said once. */
function missingLines(processes: readonly ProcessStatus[]): string[] {
  const lines = processes.flatMap(({ role, missing }) => missing.map((text) => `  ${role}: ${text}`)); // prettier-ignore
  const lacking = landlockLacks(landlockAbi());
  if (lacking.length > 0) lines.push(`  all: landlock: this kernel's does not restrict ${lacking.join(", ")}`); // prettier-ignore
  return lines.length === 0 ? [] : ["", "missing, and not required:", ...new Set(lines)];
}

export function render(
  processes: readonly ProcessStatus[],
  { isVerbose, isColoured }: RenderOptions,
): string {
  const paint: Paint = (code, text) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  const rows = processes.map(row);
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((cells) => (cells[i] ?? "").length))); // prettier-ignore
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ");
  const broken = processes.filter(({ verdict }) => verdict === "broken").length;
  return [
    paint(1, line([...columns])),
    ...processes.flatMap((process, i) => [
      `${line(rows[i] ?? [])}  ${verdictOf(process, paint)}`,
      ...process.wrong.map((text) => paint(31, `    ✗ ${text}`)),
      ...(isVerbose ? details(process.facts).map((text) => paint(90, `    ${text}`)) : []),
    ]),
    ...missingLines(processes).map((text) => paint(33, text)),
    "",
    broken === 0
      ? paint(32, "everything that is required holds")
      : paint(31, `what is required does not hold in ${broken} of ${processes.length} processes`),
  ].join("\n");
}
