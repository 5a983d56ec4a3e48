// The protocol as the console shows it: from the tables, so that it cannot say anything else than they do.
import { leadsTo, permits, phases, type Permit } from "../broker/permits.ts";
import type { AnyField } from "../ipc/fields.ts";
import { requests, type RequestName } from "../ipc/monitor.ts";
import { kebab, requestNames } from "./console-words.ts";
import type { Talk } from "./conversation.ts";

const amount = (left: number): string => (left === Infinity ? "open" : String(left));
const permitText = (permit: Permit): string =>
  typeof permit === "string" ? permit : `at most ${permit.atMost}`;
function kindText({ kind, max, item }: AnyField): string {
  if (kind === "list") return `up to ${max} of ${item === undefined ? "?" : kindText(item)}`;
  if (kind === "bytes" || kind === "text") return `${kind} up to ${max}`;
  return kind === "bool" ? "true or false" : `${kind} up to ${max}`;
}

export function listMessages(conversation: Talk): string[] {
  const width = Math.max(...requestNames.map((name) => kebab(name).length));
  return requestNames.map((name) => {
    const left = conversation.left(name);
    return `${kebab(name).padEnd(width)}  ${(left === 0 ? "-" : amount(left)).padStart(5)}  ${requests[name].meaning}`; // prettier-ignore
  });
}

export function listPermits(conversation: Talk): string[] {
  const granted = requestNames.filter((name) => conversation.left(name) > 0);
  const list = granted.map((name) => `${kebab(name)} ${amount(conversation.left(name))}`);
  return [`${conversation.phase}: ${list.length === 0 ? "nothing" : list.join(", ")}`];
}

export function describeMessage(name: RequestName): string[] {
  const { type, meaning, fields }: { type: number; meaning: string; fields: Readonly<Record<string, AnyField>> } = requests[name]; // prettier-ignore
  const when = phases.filter((phase) => permits[phase][name] !== "never").map((phase) => `${phase} (${permitText(permits[phase][name])})`); // prettier-ignore
  const targets = new Set(phases.flatMap((phase) => leadsTo[phase][name] ?? []));
  return [
    `${kebab(name)}, type ${type}: ${meaning}`,
    ...Object.entries(fields).map(([field, kind]) => `  ${kebab(field)}=  ${kindText(kind)}`),
    `  permitted in ${when.join(", ")}`,
    `  may lead to ${targets.size === 0 ? "no other phase" : [...targets].join(", ")}`,
  ];
}
