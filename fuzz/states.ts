// The phases that were reached, and by what, as a graph for dot(1).
export interface Transition {
  readonly from: string;
  readonly by: string;
  readonly to: string;
}

export function statesAsDot(transitions: readonly Transition[], name = "broker"): string {
  const edges = new Map<string, Set<string>>();
  for (const { from, by, to } of transitions) {
    const edge = `"${from}" -> "${to}"`;
    edges.set(edge, (edges.get(edge) ?? new Set()).add(by));
  }
  const lines = [...edges]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([edge, requests]) => `  ${edge} [label="${[...requests].sort().join("\\n")}"];`);
  return [`digraph ${name} {`, "  rankdir=LR;", "  node [shape=box];", ...lines, "}"].join("\n");
}
