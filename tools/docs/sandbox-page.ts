// docs/sandbox.md, made from the policies: what it says of a rule is what the kernel is given.
import { compile } from "../../sandbox/bpf-compiler.ts";
import { layers, requiredByDefault, type LayerName } from "../../sandbox/layers.ts";
import { additions, argumentDifferences, difference } from "../../sandbox/openssh-preauth.ts";
import { session } from "../../sandbox/policies/session.ts";
import { signer } from "../../sandbox/policies/signer.ts";
import type { Policy, Rule } from "../../sandbox/rule.ts";
import { table } from "./markdown.ts";

const ruleRow = (rule: Rule): string[] => [
  `\`${rule.syscall}\``,
  (rule.args ?? []).map((test) => test.name).join("; ") || "any",
  rule.errno ?? "allow",
  rule.reason,
];

const policySection = (policy: Policy): string =>
  [
    `## The filter of the ${policy.name}${policy.name === "session" ? " process" : ""}`,
    `${policy.rules.length} rules, ${compile(policy).length} instructions. Foreign architectures and x32 kill; a call without a rule kills the *process*.`,
    table(["call", "arguments", "verdict", "who calls it, and when"], policy.rules.map(ruleRow)),
  ].join("\n\n");

function differenceSection(): string {
  const { removed, added, refusedInsteadOfKilled } = difference(session);
  return [
    "## The session process's filter against OpenSSH 10.5's preauth filter",
    "OpenSSH kills one thread (`SECCOMP_RET_KILL`); ours kills the process.",
    table(
      ["added", "why it gives an attacker nothing"],
      added.map((name) => [`\`${name}\``, additions[name] ?? ""]),
    ),
    `**Removed** (OpenSSH allows them, nothing here needs them): ${removed.map((name) => `\`${name}\``).join(", ")}.`,
    `**Refused with an errno** where OpenSSH kills: ${refusedInsteadOfKilled.map((name) => `\`${name}\``).join(", ")}; each has a caller that falls back.`,
    table(
      ["arguments differ", "how"],
      Object.entries(argumentDifferences).map(([name, how]) => [`\`${name}\``, how]),
    ),
  ].join("\n\n");
}

/** The whole page. */
export function sandboxPage(): string {
  const layerRow = ([name, meaning]: [string, string]): string[] => [
    `\`${name}\``,
    meaning,
    // Object.entries forgets the literal names.
    requiredByDefault.includes(name as LayerName) ? "required" : "reported when missing",
  ];
  return (
    [
      "# The sandbox",
      "<!-- Made by `npm run docs` from sandbox/; a test fails when it is not current. -->",
      "Each session process takes these layers on, in the order of `sandbox/confine-session.ts`, before a byte of the network reaches it; its " +
        "broker then looks at them from outside (`sandbox/verify.ts`). `SandboxRequire` in the configuration names the layers without which " +
        "there is no service; the default is what Debian 12's kernel and a plain container allow.",
      "## Layers",
      table(["layer", "what it means", "by default"], Object.entries(layers).map(layerRow)),
      differenceSection(),
      policySection(session),
      policySection(signer),
    ].join("\n\n") + "\n"
  );
}
