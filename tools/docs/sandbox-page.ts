// docs/sandbox.md, made from the policies: what it says of a rule is what the kernel is given.
import { compile } from "../../sandbox/bpf-compiler.ts";
import { layers, requiredByDefault, type LayerName } from "../../sandbox/layers.ts";
import { additions, argumentDifferences, difference } from "../../sandbox/openssh-preauth.ts";
import { broker, brokerCapabilities } from "../../sandbox/policies/broker.ts";
import { session } from "../../sandbox/policies/session.ts";
import {
  listener,
  listenerCapabilities,
  listenerCapabilitiesForFolders,
} from "../../sandbox/policies/listener.ts";
import { signer } from "../../sandbox/policies/signer.ts";
import type { Policy, Rule } from "../../sandbox/rule.ts";
import { layerRows, namedTests, serviceRows, type TestName } from "./layer-table.ts";
import { table } from "./markdown.ts";

const ruleRow = (rule: Rule): string[] => [
  `\`${rule.syscall}\``,
  (rule.args ?? []).map((test) => test.name).join("; ") || "any",
  rule.errno ?? "allow",
  rule.rare === undefined ? rule.reason : `${rule.reason} (rare: ${rule.rare})`,
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

function brokerSection(): string {
  const options = { sessionPid: 0, usesDatabaseDaemons: false };
  const plain = broker(options);
  const isPlain = (rule: Rule): boolean =>
    plain.rules.some(({ syscall, reason }) => syscall === rule.syscall && reason === rule.reason);
  const more = broker({ ...options, usesDatabaseDaemons: true }).rules.filter(
    (rule) => !isPlain(rule),
  );
  const capabilities = Object.entries(brokerCapabilities).map(([name, why]) => [
    `CAP_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`,
    why,
  ]);
  return [
    "## The broker",
    "Once it has looked at its session process, and before a connection can reach the pair, the broker gives up what it does not need: all " +
      "capabilities but these, its bounding set, `no_new_privs`, rlimits `FSIZE=0 CORE=0 MEMLOCK=0 NPROC=0`, not dumpable, Landlock (reading " +
      "only; no TCP, no abstract socket), `PR_SET_MDWE`, and its filter. The listener then reads `/proc/PID/status` before it offers the " +
      "pair a connection (`sandbox/verify-broker.ts`). Decision 0009 says what this leaves an attacker who has taken a broker over.",
    table(["capability kept", "why"], capabilities),
    policySection(plain).replace(/^## /, "### "),
    "Where `/etc/nsswitch.conf` names a service that asks a daemon for users (sssd, winbind, nslcd), these are permitted too:",
    table(["call", "arguments", "verdict", "who calls it, and when"], more.map(ruleRow)),
  ].join("\n\n");
}

function listenerSection(): string {
  return [
    "## The listener",
    "When it listens, before it has accepted anything, all its threads take these on: the capabilities below and no others, locked securebits, " +
      "not dumpable, `no_new_privs`, Landlock (it writes its pid file and below the folders of its logs, and removes files below the pid file's folder; no TCP connection out, from Linux 6.7 on), `PR_SET_MDWE`, " +
      "its filter. The spawner starts programs for it. A call without a rule is refused with EPERM and does not kill. Decision 0012 says why, " +
      "and what is left to an attacker. Zygote, spawner and a login before it has become its user have no layer: a user's shell would inherit it.",
    table(["capability kept", "why"], Object.entries({ ...listenerCapabilities, ...listenerCapabilitiesForFolders }).map(([name, why]) => [`CAP_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`, why])), // prettier-ignore
    policySection(listener)
      .replace(/^## /, "### ")
      .replace("a call without a rule kills the *process*", "a call without a rule is refused"),
  ].join("\n\n");
}

function comparisonSection(): string {
  const numberOf = (test: TestName): string => `[${namedTests.indexOf(test) + 1}]`;
  return [
    "## Layer by layer, against others",
    "OpenSSH 10.5, Chromium and Firecracker as their sources and running processes show them; of ours, the number is that of a test below.",
    table(
      ["", "OpenSSH's child", "OpenSSH's monitor", "Chromium's renderer", "Firecracker", "our session process", "our broker"], // prettier-ignore
      layerRows.map(({ layer, opensshChild, opensshMonitor, chromiumRenderer, firecracker, session: ours, broker: monitor }) => [layer, opensshChild, opensshMonitor, chromiumRenderer, firecracker, `${ours.text} ${numberOf(ours.test)}`, `${monitor.text} ${numberOf(monitor.test)}`]), // prettier-ignore
    ),
    "What accepts connections and what holds the host keys, neither of which reads a byte of a client:",
    table(
      ["", "OpenSSH's listener", "our signer", "our listener"],
      serviceRows.map(({ layer, opensshListener, signer: keys, listener: accepts }) => [layer, opensshListener, `${keys.text} ${numberOf(keys.test)}`, `${accepts.text} ${numberOf(accepts.test)}`]), // prettier-ignore
    ),
    // A name that is built has its `${}` in the source.
    namedTests.map(({ file, name }, i) => `${i + 1}. \`${file}\`: ${name.replace(/\$\{\w+\}/g, "…")}`).join("\n"), // prettier-ignore
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
      comparisonSection(),
      differenceSection(),
      policySection(session),
      policySection(signer),
      brokerSection(),
      listenerSection(),
      "## Architectures",
      "Rules know calls by name; an architecture is a table of numbers and what is otherwise there (`sandbox/architectures/`). x86-64 is what " +
        "everything here runs on. For arm64 the policies compile, and a test decides calls by them (`test/sandbox/architectures.test.ts`), " +
        "but no server has run there, and it is not supported.",
    ].join("\n\n") + "\n"
  );
}
