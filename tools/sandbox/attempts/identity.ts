// Back to root, or to what root has: ids, capabilities, limits, and the loosening of what holds the process.
import { call, struct } from "../raw-calls.ts";
import type { Attempt } from "../attempt.ts";

const attempt = (name: string, what: string, run: () => void): Attempt => ({
  name,
  family: "identity",
  what,
  run,
});
const words32 = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Uint32Array.of(...values).buffer);
/** _LINUX_CAPABILITY_VERSION_3. */
const version3 = 0x20080522;
/** CAP_CHOWN: everybody's root has it. */
const oneCapability = 1;
const RLIMIT_NPROC = 6;
const RLIMIT_NOFILE = 7;
const RLIMIT_FSIZE = 1;
const PR = {
  pdeathsig: 1,
  dumpable: 4,
  keepCaps: 8,
  seccomp: 22,
  securebits: 28,
  ambient: 47,
  mdwe: 65,
} as const;

export const identity: readonly Attempt[] = [
  attempt("setuid", "becomes root by setuid", () => {
    call("setuid", 0);
  }),
  attempt("setresuid", "becomes root by setresuid", () => {
    call("setresuid", 0, 0, 0);
  }),
  attempt("setreuid", "becomes root by setreuid", () => {
    call("setreuid", 0, 0);
  }),
  attempt("setgid", "takes root's group", () => {
    call("setgid", 0);
  }),
  attempt("setresgid", "takes root's group by setresgid", () => {
    call("setresgid", 0, 0, 0);
  }),
  attempt("setgroups", "takes the groups root, disk and shadow", () => {
    call("setgroups", 3, words32(0, 6, 42));
  }),
  attempt("other-user", "becomes another user", () => {
    call("setresuid", 12345, 12345, 12345);
  }),
  attempt("capset", "takes a capability", () => {
    call("capset", words32(version3, 0), words32(oneCapability, oneCapability, 0, 0, 0, 0));
  }),
  attempt("capset-inheritable", "makes capabilities inheritable", () => {
    call("capset", words32(version3, 0), words32(0, oneCapability, oneCapability, 0, 0, 0));
  }),
  attempt("keep-capabilities", "keeps capabilities over a change of uid (PR_SET_KEEPCAPS)", () => {
    call("prctl", PR.keepCaps, 1, 0, 0, 0);
  }),
  attempt("securebits", "unlocks its securebits", () => {
    call("prctl", PR.securebits, 0, 0, 0, 0);
  }),
  attempt("raise-nproc", "allows itself a process again", () => {
    call("setrlimit", RLIMIT_NPROC, struct(1, 1));
  }),
  attempt("raise-fsize", "allows itself to write files again", () => {
    call("prlimit64", 0, RLIMIT_FSIZE, struct(4096, 4096), 0);
  }),
  attempt("raise-nofile", "allows itself descriptors again", () => {
    call("prlimit64", 0, RLIMIT_NOFILE, struct(64, 64), 0);
  }),
  attempt("dumpable", "makes itself dumpable, so traceable", () => {
    call("prctl", PR.dumpable, 1, 0, 0, 0);
  }),
  attempt("death-signal", "wants to outlive its broker", () => {
    call("prctl", PR.pdeathsig, 0, 0, 0, 0);
  }),
  attempt("mdwe-off", "turns memory protection off", () => {
    call("prctl", PR.mdwe, 0, 0, 0, 0);
  }),
  attempt("seccomp-more", "loads a filter of its own that allows everything", () => {
    const allow = struct(0x7fff_0000_0000_0006n);
    call("seccomp", 1, 0, struct(1, allow));
  }),
  attempt("prctl-seccomp", "the same by prctl", () => {
    const allow = struct(0x7fff_0000_0000_0006n);
    call("prctl", PR.seccomp, 2, struct(1, allow), 0, 0);
  }),
  attempt("sched-rt", "asks for real-time scheduling", () => {
    call("sched_setscheduler", 0, 1, words32(1));
  }),
];
