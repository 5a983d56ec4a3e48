// Small traces made by hand, for tests that need no server.
import type { Header, TraceRecord } from "../../../tools/trace/format.ts";

export const header: Header = {
  kind: "header",
  format: "sallyport-trace",
  v: 1,
  recorded: "2026-11-23T22:00:00.000Z",
  server: "sallyport_0.1.0",
  kernel: "6.18.0",
  connection: { remoteAddress: "192.0.2.1", remotePort: 40000, localAddress: "192.0.2.2", localPort: 22 }, // prettier-ignore
};
/** Someone asks for a user; `user` is what the client said. */
export const lookup = (user: string, over: Readonly<Record<string, unknown>> = {}) => ({
  n: 2,
  atUs: 1500,
  kind: "message",
  from: "session",
  to: "broker",
  message: "lookupUser",
  id: 3,
  bytes: 31,
  descriptors: 0,
  fields: { user, service: "ssh-connection" },
  phase: { before: "lookup", after: "authenticating" },
  permit: { rule: "once", left: 1, why: "one user a connection" },
  outcome: "done",
  ...over,
});
export const accepted: TraceRecord = { n: 1, atUs: 0, kind: "connection", event: "accepted" };
/** The lines of a file. */
export const lines = (...values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join("");
export const small = (user = "alice"): string => lines(header, accepted, lookup(user));

/** A name that would be a script, close an attribute, turn the direction, clear a terminal, and never end. */
export const hostileNames: readonly string[] = [
  `<script>document.title="taken"</script>`,
  `"><img src=x onerror="document.title='taken'">`,
  `'-alert(1)-' onmouseover='x' \` \${1}`,
  "</style></script><svg onload=1>",
  "\u202egnp.exe\u2066\u200f",
  "\u001b[2J\u001b]0;taken\u0007",
  "line\nFeb 29 sshd: Accepted password for root\r",
  "z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308",
  "x".repeat(4000),
  "\u{e0041}\u2028\ufeff\udc00",
  "&lt;b&gt;&#60;",
];
