// `sallyport trace show`: a trace in the terminal, a line a record.
import { parseArgs } from "node:util";
import { phases } from "../../broker/permits.ts";
import type { TraceParty } from "../../ipc/trace.ts";
import { gist, partyNames, processText, timeText } from "./describe.ts";
import type { MessageRecord, Trace, TraceRecord } from "./format.ts";
import { readTrace, TraceError } from "./read.ts";
import { visible } from "./visible.ts";

export const showHelp = `usage: sallyport trace show FILE [--phase PHASE] [--json]

A line a record: milliseconds since the connection came, who to whom, message, bytes, phase, and what let it through (for requests
of the session process) or what it says.

  --phase PHASE   only messages in this phase: ${phases.join(", ")}
  --json          the records as they are in the file, one a line`;

type Paint = (text: string) => string;
interface Colours {
  readonly dim: Paint;
  readonly bold: Paint;
  readonly red: Paint;
  readonly party: (party: TraceParty) => Paint;
}
const colour: Readonly<Record<TraceParty, number>> = {
  client: 37,
  session: 33,
  broker: 36,
  signer: 35,
  listener: 34,
  zygote: 34,
  login: 32,
  worker: 32,
};
const painted = (code: number): Paint => (text) => `\u001b[${code}m${text}\u001b[0m`; // prettier-ignore
const plain: Paint = (text) => text;
const withColours: Colours = {
  dim: painted(2),
  bold: painted(1),
  red: painted(31),
  party: (party) => painted(colour[party]),
};
const without: Colours = { dim: plain, bold: plain, red: plain, party: () => plain };

const width = { time: 11, parties: 19, name: 16, bytes: 7, phase: 14 };

function messageLine(record: MessageRecord, paint: Colours): string {
  const { from, to, message, bytes, phase, permit, outcome, refusal } = record;
  const arrow = `${from} → ${to}`;
  const rule = permit === undefined ? "" : `[${permit.rule}] `;
  const said = visible(gist(record), 100);
  const phaseText = phase === undefined ? "" : phase.before;
  const verdict = outcome === "refused" ? paint.red(` REFUSED ${visible(refusal ?? "")}`) : "";
  const cells = [
    paint.dim(timeText(record.atUs).padStart(width.time)),
    paint.party(from)(arrow.padEnd(width.parties)),
    paint.bold(visible(message).padEnd(width.name)),
    String(bytes).padStart(width.bytes),
    paint.dim(phaseText.padEnd(width.phase)),
  ];
  return `${cells.join(" ")} ${rule}${said}${verdict}`;
}

function otherLine(record: Exclude<TraceRecord, MessageRecord>, paint: Colours): string {
  const time = paint.dim(timeText(record.atUs).padStart(width.time));
  switch (record.kind) {
    case "process": {
      const what = visible(processText(record), 200);
      return `${time} ${paint.party(record.party)(partyNames[record.party].padEnd(width.parties))} ${paint.dim(what)}`;
    }
    case "connection": {
      const { end, bytesReceived, bytesSent } = record;
      const traffic =
        bytesReceived === undefined
          ? ""
          : `: ${end ?? ""}, ${bytesReceived} bytes received, ${bytesSent ?? 0} sent`;
      return `${time} ${paint.bold(`${"connection".padEnd(width.parties)} ${record.event}${traffic}`)}`;
    }
    case "lost":
      return `${time} ${paint.red(`${record.count} records were lost here`)}`;
  }
}

/** Lines as they are printed. */
export function showLines(
  { header, records }: Trace,
  isColoured: boolean,
  only?: string,
): string[] {
  const paint = isColoured ? withColours : without;
  const { remoteAddress, remotePort, localAddress, localPort } = header.connection;
  const lines = [
    paint.bold(`${visible(remoteAddress)} port ${remotePort} to ${visible(localAddress)} port ${localPort}`), // prettier-ignore
    paint.dim(`recorded ${visible(header.recorded)} by ${visible(header.server)} on Linux ${visible(header.kernel)}`), // prettier-ignore
  ];
  let phase: string | undefined;
  for (const record of records) {
    if (record.kind !== "message") {
      if (only === undefined) lines.push(otherLine(record, paint));
      continue;
    }
    const now = record.phase?.before;
    if (only !== undefined && now !== only) continue;
    if (now !== undefined && now !== phase) {
      phase = now;
      lines.push(paint.bold(`── ${now} ${"─".repeat(Math.max(0, 60 - now.length))}`));
    }
    lines.push(messageLine(record, paint));
  }
  return lines;
}

/** The exit status. */
export function show(args: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { phase: { type: "string" }, json: { type: "boolean", default: false } },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    throw new TraceError("one trace is shown; see show --help");
  const { phase, json } = values;
  if (phase !== undefined && !phases.some((name) => name === phase))
    throw new TraceError(`unknown phase ${JSON.stringify(phase)}; there are ${phases.join(", ")}`);
  const trace = readTrace(file);
  if (json) {
    const isWanted = (record: TraceRecord): boolean =>
      phase === undefined || (record.kind === "message" && record.phase?.before === phase);
    // ASCII only: what a peer said must not move the cursor of who looks at it.
    const line = (value: unknown): string =>
      JSON.stringify(value).replaceAll(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`); // prettier-ignore
    for (const value of [trace.header, ...trace.records.filter(isWanted)]) console.log(line(value));
    return 0;
  }
  const isColoured = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  for (const line of showLines(trace, isColoured, phase)) console.log(line);
  return 0;
}
