// What a sequence has reached, as far as it can be seen from outside: which message where, what was answered, and in which words the server gave
// up. What reaches something new is worth keeping.
import type { ServerEvent } from "../../lab/real-talk.ts";
import type { Transition } from "../states.ts";
import { knownNumbers } from "./messages.ts";
import type { Played, Where } from "./perform.ts";

export const places: readonly Where[] = ["connected", "identified", "offered", "agreed", "keyed", "asked", "authenticated", "opened", "rekeying"]; // prettier-ignore
/** Every message at every place. */
export const possiblePairs = places.length * knownNumbers.length;

const mostAnswers = 4;

/** Without what differs from one time to the next, and without what all have. */
export const inGeneral = (text: string): string =>
  text
    .replace(/^ssh_dispatch_run_fatal: Connection from .*? port \d+: /, "")
    .replace(/ \[preauth\]$/, "")
    .replace(/(offer:|->|client sent|identification:| port \d+:\d+:).*$/s, "$1")
    .replace(/"(\\.|[^"\\])*"?/g, '""')
    .replace(/(user|from|by) [^ ]+ /g, "$1 ")
    .replace(/\d+/g, "#")
    .slice(0, 100);

/** The event that says how a connection ended. */
export const causeOf = (events: readonly ServerEvent[]): string => {
  const cause = events.find(({ code, fields }) => code.startsWith("connection.") && fields["reason"] !== undefined); // prettier-ignore
  return cause === undefined ? "" : `${cause.code} ${String(cause.fields["disconnectReason"] ?? "")} ${inGeneral(cause.msg)}`; // prettier-ignore
};

export interface Reached {
  readonly pairs: readonly string[];
  readonly features: readonly string[];
  readonly ending: string;
  readonly transitions: readonly Transition[];
}

export function reachedBy({ spoken, where }: Played, events: readonly ServerEvent[]): Reached {
  const features: string[] = [];
  const transitions: Transition[] = [];
  for (const [i, { where: at, number, name, isSpoilt, answers }] of spoken.entries()) {
    const said = [...new Set(answers)].slice(0, mostAnswers).join(",");
    features.push(`${at} ${number}${isSpoilt ? "!" : ""} ${said}`);
    const next = spoken[i + 1];
    if (next !== undefined) features.push(`${at} ${number} then ${next.number}`);
    const to = next?.where ?? where;
    if (to !== at) transitions.push({ from: at, by: name, to });
  }
  const ending = causeOf(events);
  const codes = [...new Set(events.map(({ code }) => code).filter((code) => !code.startsWith("connection.")))]; // prettier-ignore
  features.push(`${where} ended ${ending}`, ...codes);
  return {
    pairs: spoken.filter(({ number }) => knownNumbers.includes(number)).map(({ where: at, number }) => `${at} ${number}`), // prettier-ignore
    features,
    ending,
    transitions,
  };
}
