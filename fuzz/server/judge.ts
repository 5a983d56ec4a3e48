// The oracles of one connection: what no client may bring about, whatever it sends.
import type { ServerEvent } from "../../lab/real-talk.ts";
import type { Finding } from "../../lab/judge.ts";
import { mostCloseMs, type Played } from "./perform.ts";

/** What a server may say to who has not proven who he is; 3 is not in it: he is told of no message that nobody knows. */
const sayable: ReadonlySet<number> = new Set([1, 2, 4, 6, 7, 20, 21, 31, 51, 53, 60]);
/** How a connection ends when nothing is wrong with the server (docs/logs.md). */
const causes: ReadonlySet<string> = new Set([
  "connection.peer-closed",
  "connection.peer-reset",
  "connection.peer-disconnected",
  "connection.we-disconnected",
  "connection.bad-identification",
  "connection.version-mismatch",
  "connection.no-common-algorithm",
  "connection.protocol-fault",
  "connection.stopped",
  "connection.idle-before-identification",
  "connection.grace-exceeded",
]);
const ends: ReadonlySet<unknown> = new Set(["ok", "no-auth", "auth-failed", "invalid-user", "grace-exceeded"]); // prettier-ignore
/** Whoever says so, a process of ours did what none may do, or died of it. */
const alarms: Readonly<Record<string, string>> = {
  "connection.internal-error": "own-error",
  "monitor.session-died": "crash",
  "broker.died": "crash",
  "broker.fault": "crash",
  "broker.order": "crash",
  "child.stderr": "own-error",
  "sandbox.violation": "sandbox",
  "monitor.violation": "monitor",
  "signer.refused": "signer",
  "pair.failed": "crash",
  "connection.refused": "crash",
  "listener.failed": "crash",
  "spawner.gone": "crash",
  "zygote.retry": "crash",
  "signer.retry": "crash",
  "log.failed": "own-error",
};
const loginEvents: ReadonlySet<string> = new Set(["auth.accepted", "auth.partial", "login.forked"]);

/** Of the connection as its client saw it. */
export function judgePlayed({ heard, closed, isProven }: Played): Finding | null {
  for (const { number, isProven: wasProven } of heard) {
    if (wasProven || sayable.has(number)) continue;
    if (number === 52 || number === 91) return { oracle: "login", text: `the server said ${number === 52 ? "USERAUTH_SUCCESS" : "CHANNEL_OPEN_CONFIRMATION"} to who has no credential` }; // prettier-ignore
    return {
      oracle: "message",
      text: `the server said message ${number} to who has no credential`,
    };
  }
  const successes = heard.filter(({ number }) => number === 52).length;
  if (successes > 1) return { oracle: "login", text: `USERAUTH_SUCCESS ${successes} times` };
  if (closed === "never") return { oracle: "liveness", text: `the server has not closed ${mostCloseMs / 1000} s after our end, ${isProven ? "logged in" : "not logged in"}` }; // prettier-ignore
  return null;
}

/** What is wrong about one event, wherever it stands. */
export function judgeEvent({ code, level, msg, fields }: ServerEvent): Finding | null {
  const oracle = alarms[code];
  if (oracle !== undefined) return { oracle, text: `${code}: ${msg}` };
  if (code === "child.ended" && fields["class"] !== "done")
    return { oracle: "crash", text: `${code}: ${msg}` };
  if (code === "zygote.renewed" && msg.includes("abnormal"))
    return { oracle: "crash", text: `${code}: ${msg}` };
  return level === "fatal" ? { oracle: "own-error", text: `${code}: ${msg}` } : null;
}

/** Faults whose reason the client is told, too. */
const told: ReadonlySet<string> = new Set(["connection.protocol-fault", "connection.no-common-algorithm", "connection.we-disconnected"]); // prettier-ignore

/** Of the connection as the server's log has it; undefined: it has not ended there. */
export function judgeEvents(
  events: readonly ServerEvent[] | undefined,
  { isProven, disconnect }: Played,
): Finding | null {
  // prettier-ignore
  if (events === undefined) return { oracle: "liveness", text: "no event connection.ended for a connection that is over" }; // prettier-ignore
  for (const event of events) {
    const finding = judgeEvent(event);
    if (finding !== null) return finding;
    if (!isProven && loginEvents.has(event.code)) return { oracle: "login", text: `${event.code} for who has no credential: ${event.msg}` }; // prettier-ignore
  }
  const codes = events.map(({ code }) => code);
  const last = events.at(-1);
  if (codes.filter((code) => code === "connection.ended").length !== 1 || last?.code !== "connection.ended") return { oracle: "end", text: `connection.ended is not there once, and last: ${codes.join(", ")}` }; // prettier-ignore
  if (!ends.has(last.fields["end"])) return { oracle: "end", text: `a connection ends as ${String(last.fields["end"])}` }; // prettier-ignore
  const why = events.filter(({ code }) => causes.has(code));
  const [cause] = why;
  if (cause === undefined || why.length > 1) return { oracle: "end", text: `not one event says why it ended: ${codes.join(", ")}` }; // prettier-ignore
  const reason = cause.fields["disconnectReason"];
  if (disconnect === null || !told.has(cause.code) || reason === disconnect) return null;
  return { oracle: "end", text: `the client is told reason ${disconnect}, and the log ${String(reason)}: ${cause.msg}` }; // prettier-ignore
}
