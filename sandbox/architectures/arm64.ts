// arm64: what of the common policies is otherwise there. They compile for it (a test); no server of ours has run on it, and the package refuses
// to be installed there.
import type { Architecture } from "../architecture.ts";
import { syscalls } from "../syscalls-arm64.ts";

/** AUDIT_ARCH_AARCH64 (linux/audit.h). It has no second table of 64-bit calls, as x32 is. */
export const arm64: Architecture = {
  name: "arm64",
  auditArch: 0xc00000b7,
  numbers: syscalls,
  otherwise: {
    epoll_wait: "epoll_pwait",
    poll: "ppoll",
    access: "faccessat",
    readlink: "readlinkat",
    unlink: "unlinkat",
  },
  // O_DIRECTORY, O_NOFOLLOW and O_LARGEFILE have other bits there (arch/arm64/include/uapi/asm/fcntl.h).
  open: { directory: 0x4000n, noFollow: 0x8000n, largeFile: 0x2_0000n },
};
