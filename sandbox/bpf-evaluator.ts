// Decides a call without the kernel: runs a filter over a struct seccomp_data. Tests compare it with the kernel's own verdict, and
// tools tell with it what a policy would say.
import { opcode, seccompData, verdict, type Instruction } from "./bpf.ts";
import { auditArch } from "./syscalls-x86-64.ts";

export interface Call {
  readonly nr: number;
  readonly args?: readonly bigint[];
  readonly arch?: number;
}
export type Decision =
  | { readonly verdict: "allow" | "kill"; readonly steps: number }
  | { readonly verdict: "errno"; readonly errno: number; readonly steps: number };

function field(call: Call, offset: number): number {
  if (offset === seccompData.nr) return call.nr >>> 0;
  if (offset === seccompData.arch) return call.arch ?? auditArch;
  const index = (offset - 16) >> 3;
  const value = BigInt.asUintN(64, call.args?.[index] ?? 0n);
  return Number(offset % 8 === 0 ? value & 0xffff_ffffn : value >> 32n);
}

const decisionOf = (value: number, steps: number): Decision => {
  const action = (value & 0xffff_0000) >>> 0;
  if (action === verdict.allow) return { verdict: "allow", steps };
  if (action === verdict.errno) return { verdict: "errno", errno: value & 0xffff, steps };
  return { verdict: "kill", steps };
};

/** Runs the program as the kernel does. Throws RangeError when it leaves the program without a verdict. */
export function evaluate(program: readonly Instruction[], call: Call): Decision {
  let accumulator = 0;
  let steps = 0;
  for (let at = 0; at < program.length; at += 1) {
    const instruction = program[at];
    if (instruction === undefined) break;
    steps += 1;
    const { code, jt, jf, k } = instruction;
    if (code === opcode.ret) return decisionOf(k, steps);
    if (code === opcode.load) accumulator = field(call, k);
    else if (code === opcode.and) accumulator = (accumulator & k) >>> 0;
    else if (code === opcode.jump) at += k;
    else if (code === opcode.jeq) at += accumulator === k ? jt : jf;
    else if (code === opcode.jge) at += accumulator >= k ? jt : jf;
    else
      throw new RangeError(
        `Cannot evaluate instruction ${at}: code 0x${code.toString(16)} is not ours`,
      );
  }
  throw new RangeError("Cannot evaluate filter: it ended without a verdict");
}
