// A filter for people: one line an instruction, calls and arguments by name.
import { opcode, seccompData, verdict, type Instruction } from "./bpf.ts";
import { syscalls } from "./syscalls-x86-64.ts";

const names = new Map<number, string>(Object.entries(syscalls).map(([name, nr]) => [nr, name]));

/** The call's name, or "syscall N". */
export const syscallName = (nr: number): string => names.get(nr) ?? `syscall ${nr}`;

function source(offset: number): string {
  if (offset === seccompData.nr) return "nr";
  if (offset === seccompData.arch) return "arch";
  return `arg${(offset - 16) >> 3}.${offset % 8 === 0 ? "lo" : "hi"}`;
}

function verdictText(value: number): string {
  const action = (value & 0xffff_0000) >>> 0;
  if (action === verdict.allow) return "ALLOW";
  if (action === verdict.errno) return `ERRNO ${value & 0xffff}`;
  return "KILL_PROCESS";
}

/** Lines such as ` 12: if A == futex goto 13 else 20`. What A holds is followed along the jumps, which only go forward. */
export function disassemble(program: readonly Instruction[]): string[] {
  const holds: string[] = [""];
  return program.map(({ code, jt, jf, k }, at) => {
    const held = code === opcode.load ? source(k) : (holds[at] ?? "");
    const next = [at + 1 + jt, at + 1 + jf, ...(code === opcode.jump ? [at + 1 + k] : [])];
    if (code !== opcode.ret) for (const target of next) holds[target] = held;
    const constant = held === "nr" ? syscallName(k) : `0x${k.toString(16)}`;
    const compare = (sign: string): string =>
      `if A ${sign} ${constant} goto ${at + 1 + jt} else ${at + 1 + jf}`;
    const text = ((): string => {
      if (code === opcode.ret) return `RET ${verdictText(k)}`;
      if (code === opcode.load) return `A = ${held}`;
      if (code === opcode.and) return `A &= 0x${k.toString(16)}`;
      if (code === opcode.jump) return `goto ${at + 1 + k}`;
      return compare(code === opcode.jeq ? "==" : ">=");
    })();
    return `${at.toString().padStart(4)}: ${text}`;
  });
}
