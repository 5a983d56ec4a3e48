// `sallyport trace html`: a trace as one page that needs nothing but itself: lanes, phases, every record with what it said and why it was let
// through. All that comes from the trace is escaped; the page's policy lets no other script, style or address in.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Phase } from "../../broker/permits.ts";
import { traceParties, type TraceParty } from "../../ipc/trace.ts";
import { partyNames, partyStories, uidText, valueText } from "./describe.ts";
import type { Layer, MessageRecord, ProcessRecord, Trace, TraceRecord } from "./format.ts";
import { connectionRow, count, layerList, messageRow, processRow } from "./page-rows.ts";
import { script } from "./page-script.ts";
import { style } from "./page-style.ts";
import { readTrace, TraceError } from "./read.ts";
import { html } from "./visible.ts";

export const pageHelp = `usage: sallyport trace html FILE [-o OUT]

Makes one page of a trace: lanes with uid and sandbox, phases, every message with its fields and why it was permitted. It loads nothing
from anywhere; arrow keys walk through it.

  -o OUT   where to (default: FILE with .html at its end; "-" is standard output)`;

/** From here on a pause is said. */
const pauseUs = 250_000;
const sha256 = (text: string): string =>
  `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** What is known of a lane's process: the last word on each fact. */
interface LaneFacts {
  pid?: number;
  uid?: number;
  layers?: readonly Layer[];
}

function laneFacts(records: readonly TraceRecord[]): Map<TraceParty, LaneFacts> {
  const facts = new Map<TraceParty, LaneFacts>();
  for (const record of records) {
    if (record.kind !== "process") continue;
    const known = facts.get(record.party) ?? {};
    facts.set(record.party, known);
    known.pid ??= record.pid;
    if (record.uid !== undefined) known.uid = record.uid;
    // What the broker verified is more than what shows from the recorder's place.
    if (record.layers !== undefined && record.layers.length >= (known.layers?.length ?? 0))
      known.layers = record.layers;
  }
  return facts;
}

function head(party: TraceParty, facts: LaneFacts | undefined, peer: string): string {
  const story = `<p>${partyStories[party]}</p>`;
  if (party === "client")
    return `<button type="button" class="head"><b>client</b><small>${html(peer, 40)}</small><span class="pill none">untrusted</span><span class="pop">${story}</span></button>`;
  if (facts === undefined)
    return `<button type="button" class="head absent"><b>${partyNames[party]}</b><small>not started</small><span class="pop">${story}</span></button>`;
  const { pid = 0, uid, layers = [] } = facts;
  const held = layers.filter(({ state }) => state !== "missing").length;
  const isSandboxed = layers.some(({ name, state }) => name === "seccomp" && state !== "missing");
  const who = uid === 0 ? "root" : isSandboxed ? "boxed" : "user";
  const box = held === 0 ? "no sandbox" : `${held} layer${held > 1 ? "s" : ""}`;
  return (
    `<button type="button" class="head"><b>${partyNames[party]}</b><small>pid ${pid}</small>` +
    `<span class="pill ${who}">${uidText(uid)}</span> <span class="pill ${held === 0 ? "none" : "boxed"}">${box}</span>` +
    `<span class="pop">${story}${layers.length > 0 ? layerList(layers) : "<p>No layer of confinement shows in /proc.</p>"}</span></button>`
  );
}

/** Rows of what a lane's head shows already are left out; a login becoming its user is a step of the story. */
const isStep = (record: ProcessRecord): boolean =>
  record.event !== "seen" || record.party === "login" || record.party === "worker";

const note = (text: string, wired: boolean): string =>
  `<li class="note${wired ? " wired" : ""}"><span class="track"></span><b>${text}</b></li>`;

/** Bands of phases with their rows. */
function bands({ records }: Trace, peer: string): { bands: string; names: Phase[] } {
  let phase: Phase = "confining";
  const names: Phase[] = [phase];
  let rows: string[] = [];
  const done: string[] = [];
  let lastUs: number | undefined;
  let wired = false;
  const close = (): void => {
    const id = `phase-${done.length + 1}`;
    done.push(`<section class="band ph-${phase}" id="${id}" aria-label="phase ${phase}"><h2><span>${phase}</span></h2><ol>${rows.join("")}</ol></section>`); // prettier-ignore
    rows = [];
  };
  const enter = (next: Phase): void => {
    if (next === phase) return;
    close();
    phase = next;
    names.push(next);
  };
  for (const record of records) {
    if (record.kind === "process" && !isStep(record)) continue;
    if (record.kind === "message" && record.phase !== undefined) enter(record.phase.before);
    if (lastUs !== undefined && record.atUs - lastUs > pauseUs)
      rows.push(note(`${((record.atUs - lastUs) / 1e6).toFixed(2)} s later`, wired));
    lastUs = record.atUs;
    switch (record.kind) {
      case "message":
        if (record.from === "broker" && record.message === "go") {
          wired = true;
          rows.push(messageRow(record, wired));
          rows.push(note("from here on the session process speaks SSH with the client: encrypted, and not recorded", wired)); // prettier-ignore
        } else rows.push(messageRow(record, wired));
        break;
      case "process":
        if (record.party === "session" && record.event === "ended") wired = false;
        rows.push(processRow(record, wired));
        break;
      case "connection":
        rows.push(connectionRow(record, peer, wired));
        break;
      case "lost":
        rows.push(note(`${record.count} records were lost here`, wired));
        break;
    }
  }
  close();
  return { bands: done.join(""), names };
}

/** Who, and how it went: for the title. */
function outcome(records: readonly TraceRecord[]): { who: string; how: string; isGood: boolean } {
  const messages = records.filter((record): record is MessageRecord => record.kind === "message");
  const login = messages.find(({ message, from }) => message === "login" && from === "broker");
  const asked = messages.find(({ message }) => message === "lookupUser");
  const name = login?.fields["user"] ?? asked?.fields["user"];
  const ended = records.find((record) => record.kind === "connection" && record.event === "ended");
  const how = ended?.kind === "connection" ? (ended.end ?? "unknown") : "unknown";
  const user = name === undefined ? "a client" : valueText(name);
  return {
    who: login === undefined ? `${user} did not log in` : `${user} logs in`,
    how,
    isGood: login !== undefined && how === "ok",
  };
}

const legend = `<p class="key"><i class="k-request"></i>request of the session process: only what the permit table lets through
<i class="k-answer"></i>answer of the broker or the signer<i class="k-order"></i>between processes that trust one another
<i class="k-refused"></i>refused</p>`;

/** The whole page. */
export function tracePage(trace: Trace): string {
  const { header, records } = trace;
  const { remoteAddress, remotePort, localAddress, localPort } = header.connection;
  const peer = `${remoteAddress} port ${remotePort}`;
  const facts = laneFacts(records);
  const { who, how, isGood } = outcome(records);
  const { bands: body, names } = bands(trace, peer);
  const messages = records.filter(({ kind }) => kind === "message").length;
  const refused = records.filter((record) => record.kind === "message" && record.outcome === "refused").length; // prettier-ignore
  const [first, last] = [records.find(({ atUs }) => atUs >= 0)?.atUs ?? 0, records.at(-1)?.atUs ?? 0]; // prettier-ignore
  const policy = `default-src 'none'; style-src ${sha256(style)}; script-src ${sha256(script)}; img-src data:; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,"><title>${html(who, 80)}: a connection of sallyport</title>
<style>${style}</style></head><body>
<header class="top"><h1><bdi>${html(who, 80)}</bdi></h1>
<p class="sub">${html(peer)} to ${html(localAddress)} port ${localPort}, recorded ${html(header.recorded)} by ${html(header.server)} on Linux ${html(header.kernel)}</p>
<ul class="facts"><li class="${isGood ? "good" : "bad"}">ended: ${html(how)}</li><li>${count(messages)} messages</li><li>${((last - first) / 1000).toFixed(1)} ms</li>
<li class="${refused > 0 ? "bad" : ""}">${refused === 0 ? "every message was permitted" : `${refused} refused`}</li></ul>
<nav aria-label="phases">phases ${names.map((name, i) => `<a href="#phase-${i + 1}">${name}</a>`).join(" ")}
<label><input type="checkbox" id="only"> only what the session process asks</label></nav></header>
<main><div class="chart"><div class="heads"><span>ms since<br>the accept</span><div class="lanes">${traceParties.map((party) => head(party, facts.get(party), peer)).join("")}</div></div>
${body}</div>
<aside class="side"><div class="panel"><div class="hint"><p>Point at a message, or walk with <kbd>↑</kbd> <kbd>↓</kbd>: what it said, and why it was permitted, is shown here. Click to keep it, <kbd>Esc</kbd> to let go.</p>${legend}</div></div></aside></main>
<footer>Made by sallyport trace html. Secrets are lengths and digests; SHA-256, the first 8 bytes; those of short secrets are salted.</footer>
<script>${script}</script></body></html>
`;
}

/** The exit status. */
export function page(args: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { output: { type: "string", short: "o" } },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    throw new TraceError("a page is made of one trace; see html --help");
  const content = tracePage(readTrace(file));
  const output = values.output ?? `${file.replace(/\.jsonl$/, "")}.html`;
  if (output === "-") {
    process.stdout.write(content);
    return 0;
  }
  try {
    writeFileSync(output, content);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // fs sets it
    throw new TraceError(`cannot write ${output}: ${String(code)}`, { cause: error });
  }
  console.log(output);
  return 0;
}
