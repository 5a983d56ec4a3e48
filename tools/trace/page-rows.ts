// One record as a row of the page: an arrow between two lanes or a mark on one, and its details.
import { traceParties, type TraceParty } from "../../ipc/trace.ts";
import {
  fieldTexts,
  gist,
  layerMeaning,
  meaningOf,
  partyNames,
  processText,
  timeText,
  uidText,
  whyPermitted,
} from "./describe.ts";
import type { ConnectionRecord, Layer, MessageRecord, ProcessRecord } from "./format.ts";
import { html } from "./visible.ts";

const maxGist = 160;
const maxValue = 600;
const lane = (party: TraceParty): number => traceParties.indexOf(party);
export const count = (n: number): string => String(n).replaceAll(/\B(?=(\d{3})+$)/g, " ");

export function layerList(layers: readonly Layer[]): string {
  const items = layers.map(({ name, state, detail }) => {
    const meaning = html(detail === undefined || detail === "" ? layerMeaning(name) : detail, 200);
    return `<li><span class="${state}" title="${state}"></span><span>${html(name, 40)}</span><span>${meaning}</span></li>`;
  });
  return `<ul>${items.join("")}</ul>`;
}

const facts = (rows: readonly (readonly [string, string])[], more = ""): string =>
  rows.length === 0
    ? ""
    : `<dl${more}>${rows.map(([name, text]) => `<dt>${html(name, 64)}</dt><dd>${html(text, maxValue)}</dd>`).join("")}</dl>`;

/** `kind` colours it, `from` is for the filter. */
function item(
  { n, kind, from, time, label }: { n: number; kind: string; from: TraceParty; time: string; label: string }, // prettier-ignore
  track: string,
  detail: string,
  wired: boolean,
): string {
  const names = [`k-${kind}`, `from-${from}`, ...(wired ? ["wired"] : [])].join(" ");
  return (
    `<li class="${names}"><button type="button" class="row" id="r${n}" aria-describedby="d${n}" aria-label="${html(label, 200)}">` +
    `<span class="time">${time}</span><span class="track">${track}</span></button>` +
    `<div class="detail" id="d${n}">${detail}</div></li>`
  );
}

/** What colours an arrow: who is believed by whom. */
function kindOf({ from, to, outcome }: MessageRecord): string {
  if (outcome === "refused") return "refused";
  if (from === "session") return "request";
  return to === "session" || from === "signer" ? "answer" : "order";
}

function arrow(from: TraceParty, to: TraceParty, name: string, said: string): string {
  const direction = lane(to) > lane(from) ? "fwd" : "back";
  const place = `s${lane(from)} e${lane(to)}`;
  const gistText = said === "" ? "" : `<span class="gist ${place}"><i>${html(said, maxGist)}</i></span>`; // prettier-ignore
  return `<span class="arrow ${direction} ${place}"><span class="name">${html(name, 40)}</span></span>${gistText}`;
}

/** The monitor refuses what its table lets through, too: what it knows already contradicts it. */
function verdict({ outcome, permit }: MessageRecord): string {
  if (outcome === "done") return "why it was permitted";
  const isPermitted = permit !== undefined && permit.rule !== "never" && permit.left !== 0;
  return isPermitted ? "its table would permit it" : "why it was not permitted";
}

export function messageRow(record: MessageRecord, wired: boolean): string {
  const { n, from, to, message, atUs, bytes, descriptors, id, phase, outcome, refusal } = record;
  const phaseText = phase === undefined ? undefined : phase.before === phase.after ? phase.before : `${phase.before} → ${phase.after}`; // prettier-ignore
  const rows: [string, string][] = [
    ["time", `${timeText(atUs)} ms`],
    ["size", `${count(bytes)} bytes${descriptors > 0 ? `, ${descriptors} descriptor${descriptors > 1 ? "s" : ""}` : ""}`], // prettier-ignore
    ...(phaseText === undefined ? [] : [["phase", phaseText] as [string, string]]),
    ...(id > 0 ? [["request", `number ${id}`] as [string, string]] : []),
  ];
  const fields = fieldTexts(record);
  const refused = outcome === "refused" ? `<p class="why refusal"><b>refused</b>${html(refusal ?? "", maxValue)}</p>` : ""; // prettier-ignore
  const detail =
    `<h3>${html(message, 64)}</h3><p class="route">${partyNames[from]} → ${partyNames[to]}</p>` +
    `<p>${html(meaningOf(record))}</p>${refused}` +
    `<p class="why"><b>${verdict(record)}</b>${html(whyPermitted(record))}</p>` +
    facts(rows) +
    (fields.length === 0 ? "" : `<h4>fields</h4>${facts(fields, ' class="fields"')}`);
  const label = `${message}, ${partyNames[from]} to ${partyNames[to]}, ${bytes} bytes${phase === undefined ? "" : `, phase ${phase.before}`}${outcome === "refused" ? ", refused" : ""}`; // prettier-ignore
  const head = { n, kind: kindOf(record), from, time: timeText(atUs), label };
  return item(
    head,
    arrow(from, to, message, outcome === "refused" ? (refusal ?? "") : gist(record)),
    detail,
    wired,
  );
}

const eventWords: Readonly<Record<ProcessRecord["event"], string>> = {
  forked: "forked",
  verified: "verified",
  seen: "is",
  ended: "ended",
};

export function processRow(record: ProcessRecord, wired: boolean): string {
  const { n, party, event, by, pid, uid, gid, layers, atUs, refusal, status, signal, cpuUs } =
    record;
  const held = layers?.filter(({ state }) => state !== "missing").length ?? 0;
  const shown: Readonly<Record<ProcessRecord["event"], string>> = {
    forked: `pid ${pid}`,
    verified: `${held} layers`,
    seen: `${uidText(uid)}, pid ${pid}`,
    ended: signal === undefined ? `status ${status ?? 0}` : `signal ${signal}`,
  };
  const word = event === "seen" ? partyNames[party] : `${partyNames[party]} ${eventWords[event]}`;
  const track =
    `<span class="dot ${event} s${lane(party)}"></span>` +
    `<span class="s${lane(party)}"><span class="what"><b>${word}</b> ${html(shown[event])}</span></span>`;
  const rows: [string, string][] = [
    ["time", `${timeText(atUs)} ms`],
    ["pid", String(pid)],
  ];
  if (uid !== undefined) rows.push(["uid", `${uid}${uid === 0 ? " (root)" : ""}`]);
  if (gid !== undefined) rows.push(["gid", String(gid)]);
  if (status !== undefined) rows.push(["exit status", String(status)]);
  if (signal !== undefined) rows.push(["ended by signal", String(signal)]);
  if (cpuUs !== undefined) rows.push(["CPU time", `${(cpuUs / 1000).toFixed(1)} ms`]);
  const how: Readonly<Record<ProcessRecord["event"], string>> = {
    forked: `forked by the ${partyNames[by]}`,
    verified: `looked at from outside by the ${partyNames[by]}, in /proc, before a byte of the network`,
    seen: "as the recorder saw it in /proc",
    ended: `reaped by the ${partyNames[by]}`,
  };
  const detail =
    `<h3>${partyNames[party]} ${eventWords[event]}</h3><p class="route">${how[event]}</p>` +
    (refusal === undefined ? "" : `<p class="why refusal"><b>refused</b>${html(refusal, maxValue)}</p>`) + // prettier-ignore
    facts(rows) +
    (layers === undefined || layers.length === 0 ? "" : `<h4>layers of confinement</h4>${layerList(layers)}`); // prettier-ignore
  const label = `${partyNames[party]} ${processText(record)}`;
  const kind = refusal === undefined ? "wire" : "refused";
  return item({ n, kind, from: party, time: timeText(atUs), label }, track, detail, wired);
}

export function connectionRow(record: ConnectionRecord, peer: string, wired: boolean): string {
  const { n, event, end = "", bytesReceived = 0, bytesSent = 0, atUs } = record;
  const isStart = event === "accepted";
  const said = isStart
    ? `from ${peer}`
    : `${end}; ${count(bytesReceived)} bytes received, ${count(bytesSent)} sent`;
  const detail =
    `<h3>connection ${event}</h3><p class="route">client ${isStart ? "→" : "←"} listener</p>` +
    `<p>${isStart ? "TCP: the listener accepts, and gives the descriptor to a broker whose session process is confined already. All times count from here." : "The broker has ended, and its listener knows how."}</p>` +
    facts(isStart ? [["peer", peer]] : [["time", `${timeText(atUs)} ms`], ["end", end], ["bytes received", count(bytesReceived)], ["bytes sent", count(bytesSent)]]); // prettier-ignore
  const track = isStart ? arrow("client", "listener", "connects", said) : arrow("listener", "client", "closed", said); // prettier-ignore
  const head = { n, kind: "wire", from: "client" as const, time: timeText(atUs), label: `connection ${event} ${said}` }; // prettier-ignore
  return item(head, track, detail, wired);
}
