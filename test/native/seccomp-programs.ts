// Small filters for the tests, by hand: what is tested is native/, not the compiler of sandbox/.
import { syscalls, type SyscallName } from "../../sandbox/syscalls-x86-64.ts";

const LOAD_NUMBER = [0x20, 0, 0, 0] as const;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

function assemble(instructions: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, ifTrue, ifFalse, value], i) => {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(ifTrue, i * 8 + 2);
    bytes.writeUInt8(ifFalse, i * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, i * 8 + 4);
  });
  return bytes;
}

/** Allows everything, but kills the process for the calls named. */
export function killOn(...names: SyscallName[]): Uint8Array {
  return assemble([
    LOAD_NUMBER,
    ...names.map(
      (name, i) => [JUMP_IF_EQUAL, names.length - i, 0, syscalls[name]] satisfies Instruction,
    ),
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, KILL_PROCESS],
  ]);
}

/** What must not be needed after the fork: io_uring, ioctl on new descriptors, new processes and threads. */
export function allowExceptIoUring(): Uint8Array {
  return killOn(
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "ioctl",
    "clone",
    "clone3",
  );
}
