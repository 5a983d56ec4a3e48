// What was played and what the server's log says of it, put together step by step, and handed to the judge.
import type { Phase } from "../../broker/permits.ts";
import { requests, type RequestName } from "../../ipc/monitor.ts";
import { encode } from "../../ipc/protocol.ts";
import type { Seen } from "../../lab/conversation.ts";
import { Judge, type Finding } from "../../lab/judge.ts";
import type { JudgedScenario } from "../../lab/judged-scenarios.ts";
import { hostKey } from "../../lab/lab-world.ts";
import type { ServerEvent } from "../../lab/real-talk.ts";
import { outcomeOf, pairOf } from "../features.ts";
import { nameOf } from "../sequence.ts";
import type { Play, PlayedStep } from "./play.ts";
import { exchangeHash, isExchange, isSignedByHost, proofData } from "./signatures.ts";
import { requestOf } from "./stand-ins.ts";

export interface Verdict {
  readonly finding: Finding | null;
  /** The step that broke the rule, by its place. */
  readonly brokenBy: number;
  readonly pairs: readonly string[];
  readonly features: readonly string[];
  readonly transitions: readonly { readonly from: Phase; readonly by: string; readonly to: Phase }[]; // prettier-ignore
}

/** Of the reasons that the log may give for an end, those that are refusals. */
const refusals = [
  "monitor.violation",
  "sandbox.violation",
  "signer.refused",
  "monitor.session-died",
];
/** Field `end` of the last event, by the reason. */
const endDue: Readonly<Record<string, string>> = { "signer.refused": "refused", "monitor.session-died": "crash" }; // prettier-ignore
/** Ends of a session process that said so itself. */
const saidEnded: ReadonlySet<unknown> = new Set(["ok", "no-auth", "invalid-user", "auth-failed"]);

const codes: readonly (readonly [RegExp, string])[] = [
  [/not permitted in phase/, "NOT_PERMITTED"],
  [/permits are spent in phase|proved once already/, "SPENT"],
  [/is not in the protocol/, "UNKNOWN_TYPE"],
  [/bytes after its end/, "TRAILING_BYTES"],
  [/bytes wanted, \d+ left/, "TRUNCATED"],
  [/limit is|longer than its limit|number above/, "OUT_OF_BOUNDS"],
  [/unknown service|no host key of ours|not ours|no connection was given/, "MISMATCH"],
  [/not the name of an event|not UTF-8|Cannot read /, "MALFORMED"],
];

/** How it ended, by the one event that says so. */
interface Ending {
  readonly code: string;
  readonly text: string;
  readonly end: unknown;
}

function endingOf(events: readonly ServerEvent[]): Ending | Finding {
  const reasons = events.filter(({ code }) => refusals.includes(code));
  const ends = events.filter(({ code }) => code === "connection.ended");
  const [reason, second] = reasons;
  const end = ends[0]?.fields["end"];
  const wrong = (text: string): Finding => ({ oracle: "event", text });
  if (ends.length !== 1) return wrong(`${ends.length} ends of one connection in the log`);
  if (second !== undefined) return wrong(`ended twice: ${reason?.msg ?? ""}; ${second.msg}`);
  if (reason === undefined)
    return saidEnded.has(end) ? { code: "ended", text: "", end } : wrong(`ended with ${String(end)}, and no event says why`); // prettier-ignore
  const due = endDue[reason.code] ?? "violation";
  if (end !== due) return wrong(`${reason.code} ended with ${String(end)}`);
  return { code: reason.code, text: reason.msg, end };
}

/** Whether this step can be the one that the event is about. */
function isAbout({ code, text }: Ending, { request, descriptors, bytes }: PlayedStep): boolean {
  switch (code) {
    case "ended":
      return request === "ended";
    case "sandbox.violation":
      return descriptors > 0;
    // An empty packet reads as a close: the session process is taken for gone, and ended.
    case "monitor.session-died":
      return bytes.length === 0 && descriptors === 0;
    case "signer.refused":
      return request === "sign" || request === "proveHostKey";
    default: {
      if (descriptors > 0) return false;
      const [, named] = /Cannot answer (\w+)/.exec(text) ?? [];
      if (named !== undefined) return request === named;
      const about: readonly (readonly [RegExp, RequestName])[] = [[/Cannot sign/, "sign"], [/Cannot look up user/, "lookupUser"], [/Cannot prove host key/, "proveHostKey"], [/Cannot log/, "log"]]; // prettier-ignore
      const found = about.find(([what]) => what.test(text));
      return found === undefined ? request === undefined : request === found[1];
    }
  }
}

const seenEvent = ({ level, code, msg }: ServerEvent): Seen => {
  const text = msg.replace(/ \[preauth\]$/, "");
  return { kind: "event", event: { level, code, text, preauth: text !== msg } };
};

/** An answer, and before it what the signer must have signed. */
function seenAnswer(step: PlayedStep, sessionId: Uint8Array): Seen[] | Finding {
  if (step.answer === undefined) return [];
  const { answer, atMs } = step.answer;
  const { name, id, body } = answer;
  // Timers are a fraction of a millisecond early.
  const seen: Seen = { kind: "answer", name, id, body, atMs: Math.ceil(atMs - step.sentMs) };
  const request = requestOf(step.bytes);
  const wrong = (text: string): Finding => ({ oracle: "signing", text });
  if (name === "signed" && request?.name === "sign") {
    if (!isExchange(request.body)) return wrong("parts that are no key exchange were signed");
    const hash = exchangeHash(request.body);
    if (!Buffer.from(hash).equals(body.exchangeHash) || !isSignedByHost(hash, body.signature))
      return wrong("the signature is not over the exchange hash of these parts");
    return [{ kind: "signing", what: "exchange", body: request.body }, seen];
  }
  if (name === "proved" && request?.name === "proveHostKey") {
    if (!isSignedByHost(proofData(sessionId), body.signature))
      return wrong("the proof is not over this session id and our host key");
    return [{ kind: "signing", what: "proof", body: { blob: hostKey.blob, sessionId } }, seen];
  }
  return [seen];
}

const isFinding = (value: object): value is Finding => "oracle" in value;

/** `events` are all of this connection, in order; `peer` is our end, as lines name it. */
export function verdictOf(
  play: Play,
  events: readonly ServerEvent[],
  scenario: JudgedScenario,
  peer: string,
): Verdict {
  const judge = new Judge(scenario, peer);
  const pairs: string[] = [];
  const features: string[] = [];
  const transitions: { from: Phase; by: string; to: Phase }[] = [];
  const verdict = (finding: Finding | null, brokenBy = -1): Verdict => ({ finding, brokenBy, pairs, features, transitions }); // prettier-ignore
  const ending = play.problem ?? endingOf(events);
  const lines = events.filter(({ code }) => code.startsWith("session."));
  const steps = play.steps.filter(({ isUnsent }) => !isUnsent);
  let sessionId: Uint8Array = new Uint8Array();
  let isOver = false;
  let isLoggedIn = false;
  const started = { bytes: encode(requests, "confined", 0, { missing: [] }), descriptors: 0, isBusy: false, hasConnection: true, atMs: 0 }; // prettier-ignore
  judge.judge({ ...started, phase: "handover", isBusyAfter: false, seen: [] });

  for (const [i, step] of steps.entries()) {
    if (isOver) break;
    const phase = judge.phase;
    const seen: Seen[] = [];
    const answer = seenAnswer(step, sessionId);
    if (isFinding(answer)) return verdict(answer, i);
    const line = step.request === "log" && step.answer === undefined ? lines.shift() : undefined;
    if (answer.length > 0) seen.push(...answer);
    else if (line !== undefined) seen.push(seenEvent(line));
    else if (
      !isFinding(ending) &&
      isAbout(ending, step) &&
      // In a hurry answers may be lost: the refused one is the first that had to be.
      (!step.isHurried ||
        ending.code !== "monitor.violation" ||
        judge.refuses(step.bytes, step.descriptors))
    ) {
      isOver = true;
      const { code, text, end } = ending;
      const refused = codes.find(([what]) => what.test(text))?.[1] ?? code;
      if (code.endsWith(".violation") || code === "monitor.session-died") seen.push({ kind: "refused", code: code === "sandbox.violation" ? "SANDBOX" : refused, text }); // prettier-ignore
      // The reasons that the log knows, in the judge's word for an end.
      seen.push({ kind: "end", end: end as Extract<Seen, { kind: "end" }>["end"] });
      if (code === "signer.refused" && step.request === "sign") {
        const request = requestOf(step.bytes);
        if (request?.name === "sign" && isExchange(request.body)) return verdict({ oracle: "signing", text: "the signer refused an honest exchange" }, i); // prettier-ignore
      }
    }
    const login = step.answer?.answer;
    const finding = judge.judge({
      bytes: step.bytes,
      descriptors: step.descriptors,
      isBusy: false,
      hasConnection: true,
      atMs: 0,
      phase: isOver ? "ended" : step.phase,
      // What was sent in a hurry may be answered by nothing that still arrives.
      isBusyAfter: step.isHurried && !isOver,
      seen,
      ...(login?.name === "authenticated" ? { loggedIn: login.body.user } : {}),
    });
    const request = nameOf(step.bytes);
    // What arrives of the answers to what was sent in a hurry is chance: no reason to keep a sequence.
    const isCertain = !step.isHurried || isOver;
    if (isCertain) features.push(`${phase} ${request} ${outcomeOf({ phase, seen, finding })}`);
    if (finding !== null) return verdict(finding, i);
    if (step.request === "log" && line === undefined && !isOver) return verdict({ oracle: "log-origin", text: "a line was taken, and is not in the log as the session process's" }, i); // prettier-ignore
    isLoggedIn ||= judge.phase === "postauth";
    if (login?.name === "signed" && sessionId.length === 0) sessionId = login.body.exchangeHash;
    const pair =
      isCertain && seen.length > 0 ? pairOf(request, { phase, seen, finding }) : undefined;
    if (pair !== undefined) pairs.push(pair);
    if (judge.phase !== phase) transitions.push({ from: phase, by: request, to: judge.phase });
  }
  const accepted = events.filter(({ code }) => code === "auth.accepted");
  const [first] = accepted;
  if (first !== undefined && (!isLoggedIn || accepted.length > 1)) return verdict({ oracle: "credential", text: `${accepted.length} logins, as the log has it: ${first.msg}` }, steps.length - 1); // prettier-ignore
  if (isFinding(ending)) return verdict(ending, steps.length - 1);
  if (!isOver) return verdict({ oracle: "event", text: `no message was refused, but the log says: ${ending.text}` }, steps.length - 1); // prettier-ignore
  if (lines.length > 0) return verdict({ oracle: "log-origin", text: `a line that nobody sent: ${lines[0]?.msg ?? ""}` }, steps.length - 1); // prettier-ignore
  return verdict(null);
}
