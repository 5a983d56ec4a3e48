// The permit table for people: phases as columns, requests as rows, and the phases as a state diagram.
import { leadsTo, permits, phases, type Permit } from "../../broker/permits.ts";
import { table } from "./markdown.ts";

const permitText = (permit: Permit): string => {
  if (permit === "never") return "";
  return typeof permit === "string" ? permit : `at most ${permit.atMost}`;
};

function diagram(): string {
  const edges = phases.flatMap((from) =>
    Object.entries(leadsTo[from]).flatMap(([request, targets]) =>
      targets.map((to) => `  ${from} --> ${to}: ${request}`),
    ),
  );
  return [
    "```mermaid",
    "stateDiagram-v2",
    "  [*] --> confining",
    ...edges,
    "  ended --> [*]",
    "```",
  ].join("\n");
}

export function permitsSection(): string {
  const rows = Object.keys(permits.ended).map((request) => [
    `\`${request}\``,
    ...phases.map((phase) => {
      const row: Readonly<Record<string, Permit>> = permits[phase];
      return permitText(row[request] ?? "never");
    }),
  ]);
  return [
    "### What is permitted when",
    "Counts begin anew when a phase is entered; an empty cell is *never*. A request that is unknown, malformed, out of phase or spent ends the " +
      "connection, and is one event. A second `sign` before authentication would be a signing oracle, so there is none.",
    table(["request", ...phases], rows),
    diagram(),
  ].join("\n\n");
}
