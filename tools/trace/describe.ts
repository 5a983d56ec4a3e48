// Records in words: what a message is for, why it was let through, what its numbers mean. Names and meanings come from the tables.
import { connectionEnds, logLevels } from "../../ipc/listener.ts";
import { authOutcomes, endReasons } from "../../ipc/monitor.ts";
import type { TraceParty } from "../../ipc/trace.ts";
import { isLayerName, layers } from "../../sandbox/layers.ts";
import { channels, type FieldValue, type MessageRecord, type ProcessRecord } from "./format.ts";

/** As monitor.ts in broker/ counts them in a session process's `log`. */
const sessionLevels = ["error", "info", "verbose", "debug1", "debug2", "debug3"] as const;

export const partyNames: Readonly<Record<TraceParty, string>> = {
  client: "client",
  session: "session process",
  broker: "broker",
  signer: "signer",
  listener: "listener",
  zygote: "zygote",
  login: "login",
  worker: "worker",
};
export const partyStories: Readonly<Record<TraceParty, string>> = {
  client: "on the network: nothing it says is believed",
  session: "speaks SSH with the client, in a sandbox, for the whole life of the connection",
  broker: "the monitor: decides, keeps the phase, verifies signatures itself",
  signer: "holds the private host keys; signs only what it composes from parts",
  listener: "accepts, logs, passes logins on; reads no byte of the connection",
  zygote: "has all code loaded; forks brokers and logins",
  login: "root for a moment, until it has become the user",
  worker: "the user: shells, commands, terminals",
};

/** What numbers of a message stand for: the tables that index them. */
const meanings: Readonly<Record<string, readonly string[]>> = {
  "authResult.outcome": authOutcomes,
  "session.ended.reason": endReasons,
  "broker.ended.end": connectionEnds,
  "session.log.level": sessionLevels,
  "broker.event.level": logLevels,
};

/** One value on one line, not escaped. */
export function valueText(value: FieldValue): string {
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map((item: FieldValue) => valueText(item)).join(", ");
  if ("sha256" in value)
    return value.bytes === 0 ? "empty" : `${value.bytes} bytes, sha256 ${value.sha256}…`;
  if ("salted" in value)
    return value.bytes === 0 ? "empty" : `${value.bytes} bytes, secret (salted ${value.salted}…)`;
  if ("hex" in value) return `hex ${value.hex}`;
  if ("text" in value) return `${value.text}… (${value.bytes} bytes)`;
  return "";
}

/** Name and value of each field, in the order of the table. */
export function fieldTexts(record: MessageRecord): [name: string, text: string][] {
  return Object.entries(record.fields).map(([name, value]) => {
    const index =
      meanings[`${record.from}.${record.message}.${name}`] ?? meanings[`${record.message}.${name}`];
    const meant = typeof value === "number" ? index?.[value] : undefined;
    const plain = valueText(value);
    return [name, meant === undefined ? plain : `${meant} (${plain})`];
  });
}

const gists: Readonly<Record<string, string>> = {
  sign: "{kex}, {hostKeyAlgorithm}",
  exchange: "{kex}, {hostKeyAlgorithm}",
  lookupUser: "{user}, {service}",
  authUnsupported: "{method}",
  publickeyQuery: "{algorithm} key of {blob}",
  publickeySign: "{algorithm} signature of {signature}",
  proveHostKey: "{algorithm}",
  proof: "{algorithm}",
  authResult: "{outcome}",
  authenticated: "{user}",
  log: "{text}",
  event: "{text}",
  connection: "{remoteAddress} port {remotePort}",
  login: "{user}, uid {uid}",
  identity: "{user}, uid {uid}",
  ready: "session process {sessionPid}",
  forked: "pid {pid}",
  childEnded: "pid {pid}",
  refused: "{why}",
  stop: "{text}",
};

/** The one thing that a person looks for in a message. */
export function gist(record: MessageRecord): string {
  const texts = new Map(fieldTexts(record));
  const form =
    record.message === "ended"
      ? record.from === "session"
        ? "{reason}"
        : "{end}"
      : (gists[record.message] ?? "");
  // What was refused as unreadable has no fields.
  return texts.size === 0
    ? ""
    : form.replaceAll(/\{(\w+)\}/g, (_, name: string) => (texts.get(name) ?? "").replace(/ \(\d+\)$/, "")); // prettier-ignore
}

export const meaningOf = (record: MessageRecord): string =>
  channels[`${record.from}>${record.to}`]?.[record.message]?.meaning ?? "no message of the table";

/** Why it was let through: the permit table for the session process; for the others, what they are to one another. */
export function whyPermitted({ from, to, message, id, permit, outcome }: MessageRecord): string {
  if (outcome === "refused" && permit === undefined) return "not permitted: it could not be read";
  if (permit !== undefined) {
    const { rule, left, why } = permit;
    const uses = left === undefined ? "no bound" : `${left} left when it came`;
    return `permit ${rule} (${uses}): ${why}`;
  }
  switch (`${from}>${to}`) {
    case "broker>session":
      return id === 0
        ? "the broker's own order: the session process has no say in it"
        : `the broker's answer to request ${id}, which the permit table let through`;
    case "broker>signer":
      return "for a request that the table let through; the broker sends parts, the signer composes what it signs";
    case "signer>broker":
      return "the signer's answer: a signature over what it composed itself";
    case "listener>broker":
      return "an order of the listener, on a socket that the session process has no end of";
    case "broker>listener":
      return message === "login"
        ? "the broker has verified a credential: the listener has a login forked, once a connection"
        : "a report of the broker to its listener";
    case "listener>zygote":
      return "an order of the listener, the only one who has an end of this socket";
    case "listener>login":
      return "the identity that the broker's login named, on a socket that nobody else has an end of";
    default:
      return "an answer to the listener's order";
  }
}

export const layerMeaning = (name: string): string =>
  isLayerName(name) ? layers[name] : "not a layer of this version";

/** "uid 998", "root", or nothing known. */
export const uidText = (uid: number | undefined): string =>
  uid === undefined ? "uid unknown" : uid === 0 ? "root" : `uid ${uid}`;

/** A process's record in one line, not escaped. */
export function processText({
  event,
  by,
  pid,
  uid,
  layers: seen,
  status,
  signal,
  cpuUs,
  refusal,
}: ProcessRecord): string {
  // prettier-ignore
  const facts = [`pid ${pid}`];
  if (uid !== undefined) facts.push(uidText(uid));
  if (seen !== undefined) {
    const held = seen.filter(({ state }) => state !== "missing").length;
    const missing = seen.filter(({ state }) => state === "missing").map(({ name }) => name);
    facts.push(`${held} layers${missing.length > 0 ? `, missing ${missing.join(", ")}` : ""}`);
  }
  if (status !== undefined) facts.push(`status ${status}`);
  if (signal !== undefined) facts.push(`signal ${signal}`);
  if (cpuUs !== undefined) facts.push(`${(cpuUs / 1000).toFixed(1)} ms of CPU`);
  if (refusal !== undefined) facts.push(refusal);
  return `${event} by ${partyNames[by]}: ${facts.join(", ")}`;
}

/** Microseconds as milliseconds since the connection came, with a sign. */
export const timeText = (us: number): string => `${us < 0 ? "−" : "+"}${(Math.abs(us) / 1000).toFixed(3)}`; // prettier-ignore
