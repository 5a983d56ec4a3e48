// Classic BPF as seccomp takes it (linux/filter.h, linux/seccomp.h): instructions, constants, the byte form.

export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** BPF_LD|BPF_W|BPF_ABS, BPF_JMP with BPF_K, BPF_ALU|BPF_AND|BPF_K, BPF_RET|BPF_K. */
export const opcode = {
  load: 0x20,
  jump: 0x05,
  jeq: 0x15,
  jge: 0x35,
  and: 0x54,
  ret: 0x06,
} as const;

/** SECCOMP_RET_* (linux/seccomp.h): KILL_PROCESS, not the older KILL, which is one thread. */
export const verdict = {
  killProcess: 0x8000_0000,
  /** SIGSYS: only where a handler names the call and ends the process (native/confine.ts, reportViolations). */
  trap: 0x0003_0000,
  errno: 0x0005_0000,
  allow: 0x7fff_0000,
} as const;

/** Offsets in struct seccomp_data. */
export const seccompData = {
  nr: 0,
  arch: 4,
  low: (index: number): number => 16 + 8 * index,
  high: (index: number): number => 20 + 8 * index,
} as const;

/** Longest program the kernel takes (BPF_MAXINSNS). */
export const maxInstructions = 4096;

export const load = (k: number): Instruction => ({ code: opcode.load, jt: 0, jf: 0, k });
export const and = (k: number): Instruction => ({ code: opcode.and, jt: 0, jf: 0, k });
export const ret = (k: number): Instruction => ({ code: opcode.ret, jt: 0, jf: 0, k });
export const jumpAlways = (k: number): Instruction => ({ code: opcode.jump, jt: 0, jf: 0, k });
export const jumpEqual = (k: number, jt: number, jf: number): Instruction => ({
  code: opcode.jeq,
  jt,
  jf,
  k,
});
export const jumpAtLeast = (k: number, jt: number, jf: number): Instruction => ({
  code: opcode.jge,
  jt,
  jf,
  k,
});

/** An array of struct sock_filter, little-endian as every architecture of our tables. */
export function assemble(program: readonly Instruction[]): Uint8Array {
  if (program.length > maxInstructions) {
    throw new RangeError(
      `Cannot assemble filter: ${program.length} instructions, limit is ${maxInstructions}`,
    );
  }
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, jt);
    view.setUint8(8 * i + 3, jf);
    view.setUint32(8 * i + 4, k, true);
  });
  return bytes;
}
