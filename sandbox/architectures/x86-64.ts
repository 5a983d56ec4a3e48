// x86-64, which everything here runs on.
import type { Architecture } from "../architecture.ts";
import { auditArch, syscalls, x32Bit } from "../syscalls-x86-64.ts";

export const x86_64: Architecture = {
  name: "x86-64",
  auditArch,
  numbers: syscalls,
  otherwise: {},
  foreignFrom: x32Bit,
  open: { directory: 0x1_0000n, noFollow: 0x2_0000n, largeFile: 0x8000n },
};
