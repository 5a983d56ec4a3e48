// What an execution has reached: which request in which phase with which outcome, which of these came after which, and which branches of the
// broker's code. An input that reaches something new is worth keeping.
import { permits, phases, type Permit, type Phase } from "../broker/permits.ts";
import type { RequestName } from "../ipc/monitor.ts";
import type { Played } from "../lab/game.ts";
import { requestNames } from "../lab/console-words.ts";

/** What the table can say to a request. */
export type Ruling = "granted" | "NOT_PERMITTED" | "SPENT";
export const pairName = (phase: Phase, request: string, ruling: Ruling): string =>
  `${phase} ${request} ${ruling}`;

const rulings = (permit: Permit): Ruling[] => {
  if (permit === "never") return ["NOT_PERMITTED"];
  return permit === "open" ? ["granted"] : ["granted", "SPENT"];
};
/** A request that can be made once and leads on, or whose uses end its phase first, never finds its permits spent. */
const leadsOn: ReadonlySet<string> = new Set([
  "confining confined",
  "handover adopted",
  "kex sign",
  "lookup lookupUser",
  "authenticating authUnsupported",
  "authenticating authNone",
  "authenticating publickeySign",
]);

/** Every phase × request × ruling that the table makes possible. In "ended" nothing is read, and "ended" leads there at once. */
export const possiblePairs: ReadonlySet<string> = new Set(
  phases
    .filter((phase) => phase !== "ended")
    .flatMap((phase) =>
      requestNames.flatMap((request: RequestName) =>
        rulings(permits[phase][request])
          .filter(
            (ruling) =>
              ruling !== "SPENT" || (request !== "ended" && !leadsOn.has(`${phase} ${request}`)),
          ) // prettier-ignore
          .map((ruling) => pairName(phase, request, ruling)),
      ),
    ),
);

/** In a few words: what the broker did about a move. */
export function outcomeOf({ seen }: Played): string {
  const words: string[] = [];
  for (const each of seen) {
    if (each.kind === "refused") words.push(each.code);
    else if (each.kind === "answer")
      words.push(`${each.name}${each.name === "authResult" ? String(each.body["outcome"]) : ""}`); // prettier-ignore
    else if (each.kind === "event") words.push(each.event.code);
    else if (each.kind === "end") words.push(`end:${each.end}`);
    else if (each.kind === "login")
      words.push(each.identity.hasForcedCommand ? "login:forced" : "login"); // prettier-ignore
    else if (each.kind === "phase") words.push(`>${each.to}`);
    else words.push(each.kind);
  }
  return words.length > 6 ? `${words.slice(0, 6).join(",")},...` : words.join(",");
}

/** The pair of the table, where a message was read far enough to be one. */
export function pairOf(request: string, played: Played): string | undefined {
  const refusal = played.seen.find(({ kind }) => kind === "refused");
  if (refusal?.kind !== "refused") return pairName(played.phase, request, "granted");
  if (refusal.code === "NOT_PERMITTED" || refusal.code === "SPENT")
    return pairName(played.phase, request, refusal.code);
  return undefined;
}
