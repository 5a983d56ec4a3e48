// What a recorded broker reports, or a tap of the listener sees, as records of a trace.
import { permitReasons } from "../../broker/permit-reasons.ts";
import { permits, phases, type Permit as TablePermit, type Phase } from "../../broker/permits.ts";
import type { BrokerTrace } from "../../daemon/pool/pair.ts";
import { requests, type RequestName } from "../../ipc/monitor.ts";
import { traceKinds, traceParties, type TraceParty } from "../../ipc/trace.ts";
import { layerNames } from "../../sandbox/layers.ts";
import { valueText } from "./describe.ts";
import type {
  FieldValue,
  Layer,
  LostRecord,
  MessageRecord,
  Permit,
  ProcessRecord,
} from "./format.ts";

/** Without its number, and by the clock of the machine. */
type Unplaced<T> = Omit<T, "n">;
export type Draft = Unplaced<MessageRecord> | Unplaced<ProcessRecord> | Unplaced<LostRecord>;

const unbounded = 0xffff_ffff;

const ruleText = (permit: TablePermit): string =>
  typeof permit === "string" ? permit : `at most ${permit.atMost}`;
const isRequest = (name: string): name is RequestName => Object.hasOwn(requests, name);
const phaseNamed = (name: string): Phase => phases.find((phase) => phase === name) ?? "ended";

function permitOf(phase: Phase, name: string, left: number): Permit | undefined {
  if (!isRequest(name)) return undefined;
  const rule = ruleText(permits[phase][name]);
  const reason = permitReasons[phase][name];
  const why = reason ?? `the table (broker/permits.ts) never permits it in phase ${phase}`;
  return { rule, ...(left === unbounded ? {} : { left }), why };
}

function value(kind: string, text: string): FieldValue {
  const [, length = "0", rest = ""] = /^(\d+) (.*)$/s.exec(text) ?? [];
  switch (kind) {
    case "number":
      return Number(text);
    case "bool":
      return text === "true";
    case "hex":
      return { hex: text };
    case "digest":
      return { bytes: Number(length), sha256: rest };
    case "salted":
      return { bytes: Number(length), salted: rest };
    case "cut":
      return { bytes: Number(length), text: rest };
    default:
      return text;
  }
}

/** `disclose`'s list as an object; `name[i]` become lists again. */
export function fieldsOf(details: readonly string[]): Record<string, FieldValue> {
  // A session process that was taken over names layers as it likes: `__proto__` must be a name like any other.
  const fields = new Map<string, FieldValue>();
  const lists = new Map<string, FieldValue[]>();
  for (let i = 0; i + 2 < details.length; i += 3) {
    const [name = "", kind = "", text = ""] = details.slice(i, i + 3);
    const list = /^(.*)\[\d+\]$/.exec(name)?.[1];
    if (list === undefined) fields.set(name, value(kind, text));
    else {
      const items = lists.get(list) ?? [];
      items.push(value(kind, text));
      lists.set(list, items);
    }
  }
  for (const [name, items] of lists) fields.set(name, items);
  return Object.fromEntries(fields);
}

function layersOf(details: readonly string[]): Layer[] {
  const seen = new Map<string, Layer>();
  for (const [name, state] of Object.entries(fieldsOf(details))) {
    if (state === "verified") seen.set(name, { name, state: "verified" });
    else {
      const detail = valueText(state).replace(/^missing:? ?/, "");
      seen.set(name, { name, state: "missing", detail });
    }
  }
  // Of those without a face in /proc the report of the process is all there is, and it did not call them missing.
  return layerNames.map((name) => seen.get(name) ?? { name, state: "claimed" });
}

export function draftOf(report: BrokerTrace): Draft {
  const { atUs, id, bytes, descriptors, details, refusal, name } = report;
  const kind = traceKinds[report.kind] ?? "message";
  const from: TraceParty = traceParties[report.from] ?? "broker";
  const to: TraceParty = traceParties[report.to] ?? "broker";
  const refused = refusal === "" ? {} : { refusal };
  switch (kind) {
    case "lost":
      return { atUs, kind, count: Number(fieldsOf(details)["count"]) };
    case "layers":
      return {
        ...{ atUs, kind: "process", party: "session", event: "verified", by: "broker", pid: 0 },
        layers: layersOf(details),
        ...refused,
      };
    case "process": {
      const facts = fieldsOf(details);
      const numbers = ["status", "signal", "cpuUs"].flatMap((key) =>
        typeof facts[key] === "number" ? [[key, facts[key]] as const] : [],
      );
      const event = name === "forked" ? "forked" : "ended";
      const pid = Number(facts["pid"]);
      return {
        ...{ atUs, kind, party: to, event, by: from, pid },
        ...Object.fromEntries(numbers),
      };
    }
    case "message": {
      const phase = {
        before: phaseNamed(report.phaseBefore),
        after: phaseNamed(report.phaseAfter),
      };
      const permit = from === "session" ? permitOf(phase.before, name, report.usesLeft) : undefined;
      return {
        ...{ atUs, kind, from, to, message: name, id, bytes, descriptors },
        fields: fieldsOf(details),
        phase,
        ...(permit === undefined ? {} : { permit }),
        outcome: refusal === "" ? "done" : "refused",
        ...refused,
      };
    }
  }
}
