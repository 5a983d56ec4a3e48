// `sallyport sandbox filter`: a filter as the kernel gets it, for people.
import { disassemble } from "../../sandbox/bpf-disassembler.ts";
import { compile } from "../../sandbox/bpf-compiler.ts";
import type { Instruction } from "../../sandbox/bpf.ts";
import { broker } from "../../sandbox/policies/broker.ts";
import { listener, listenerOtherwise } from "../../sandbox/policies/listener.ts";
import { session } from "../../sandbox/policies/session.ts";
import { signer } from "../../sandbox/policies/signer.ts";
import { SandboxError } from "./sandbox-error.ts";

/** What stands for the one process that a broker can signal; each broker's own filter has its session process's pid. */
const anyPid = 4_194_303;
const policies: Readonly<Record<string, () => readonly Instruction[]>> = {
  session: () => compile(session),
  signer: () => compile(signer),
  broker: () => compile(broker({ sessionPid: anyPid, usesDatabaseDaemons: false })),
  listener: () => compile(listener, listenerOtherwise),
};

export const filterHelp = `usage: sallyport sandbox filter [${Object.keys(policies).join("|")}]

  Prints the seccomp filter of that process (the session process's without a name), an instruction a line, as the kernel runs it.
  docs/sandbox.md has the rules that it is compiled from, with their reasons. In the broker's, ${anyPid} stands for the pid of its
  session process.

Exit status: 0 printed; 2 the call was wrong.`;

export function filter([name = "session", ...more]: readonly string[]): number {
  const policy = Object.hasOwn(policies, name) ? policies[name] : undefined;
  if (policy === undefined || more.length > 0)
    throw new SandboxError(`no filter ${JSON.stringify([name, ...more].join(" "))}; there are ${Object.keys(policies).join(", ")}`); // prettier-ignore
  console.log(disassemble(policy()).join("\n"));
  return 0;
}
