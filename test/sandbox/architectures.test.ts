// The common policies on another architecture: they compile for its numbers, and kill what its kernel has beside them. Decided by our evaluator;
// nothing of ours has run there.
import t from "tap";
import { numberOf } from "../../sandbox/architecture.ts";
import { arm64 } from "../../sandbox/architectures/arm64.ts";
import { x86_64 } from "../../sandbox/architectures/x86-64.ts";
import { verdict } from "../../sandbox/bpf.ts";
import { compile } from "../../sandbox/bpf-compiler.ts";
import { evaluate } from "../../sandbox/bpf-evaluator.ts";
import { broker } from "../../sandbox/policies/broker.ts";
import { listener } from "../../sandbox/policies/listener.ts";
import { session } from "../../sandbox/policies/session.ts";
import { signer } from "../../sandbox/policies/signer.ts";
import { equals, type Policy } from "../../sandbox/rule.ts";

const brokers = broker({ sessionPid: 4242, usesDatabaseDaemons: true, architecture: arm64 });
const policies: readonly Policy[] = [session, signer, listener, brokers];
const arch = arm64.auditArch;

t.test("numberOf() refuses a call that the architecture has neither itself nor instead", (t) => {
  t.throws(() => numberOf(arm64, "modify_ldt", false), /arm64 has no such call, and none instead/);
  t.throws(() => numberOf(arm64, "open", false), RangeError);
  t.throws(() => numberOf(arm64, "epoll_wait", true), RangeError, "arguments do not carry over");
  t.equal(numberOf(arm64, "epoll_wait", false), arm64.numbers.epoll_pwait);
  t.equal(numberOf(x86_64, "epoll_wait", false), 232);
  t.end();
});

t.test("compile() throws for a rule that an architecture cannot have, and drops none", (t) => {
  const policy: Policy = {
    name: "x86 only",
    rules: [{ syscall: "arch_prctl", reason: "a test", args: [equals(0, 1n, "code is 1")] }],
  };
  t.throws(() => compile(policy, verdict.killProcess, arm64), RangeError);
  t.end();
});

t.test("compile() kills on arm64 every call that no rule names, and those of x86-64", (t) => {
  for (const policy of policies) {
    const program = compile(policy, verdict.killProcess, arm64);
    const named = new Set(
      policy.rules.map(({ syscall, args }) => numberOf(arm64, syscall, args !== undefined)),
    );
    for (const [name, nr] of Object.entries(arm64.numbers))
      if (!named.has(nr)) t.equal(evaluate(program, { nr, arch }).verdict, "kill", `${policy.name}: ${name}`); // prettier-ignore
    for (const nr of named)
      t.equal(evaluate(program, { nr, arch: x86_64.auditArch }).verdict, "kill", "x86-64");
  }
  t.end();
});

t.test("compile() decides arguments on arm64 as on x86-64", (t) => {
  const { mmap = -1, read = -1, openat = -1 } = arm64.numbers;
  for (const policy of policies) {
    const program = compile(policy, verdict.killProcess, arm64);
    t.equal(evaluate(program, { nr: mmap, arch, args: [0n, 4096n, 7n, 0x22n] }).verdict, "kill");
    t.equal(evaluate(program, { nr: mmap, arch, args: [0n, 4096n, 3n, 0x22n] }).verdict, "allow");
    t.equal(evaluate(program, { nr: read, arch }).verdict, "allow");
  }
  const program = compile(brokers, verdict.killProcess, arm64);
  const opened = (flags: bigint): string =>
    evaluate(program, { nr: openat, arch, args: [0n, 0n, flags] }).verdict;
  for (const flags of [1n, 2n, 0x40n, 0x200n, 0x400n, 0x40_4000n]) t.equal(opened(flags), "errno");
  t.equal(opened(0x8_4000n), "allow", "a folder, by the bit that O_DIRECTORY is there");
  t.end();
});

t.test("Numbers of arm64 are each one call's", (t) => {
  const all = Object.values(arm64.numbers);
  t.equal(new Set(all).size, all.length);
  t.match(arm64.numbers, { read: 63, write: 64, openat: 56, execve: 221, clone3: 435 });
  t.end();
});
