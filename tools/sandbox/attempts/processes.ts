// Other processes: another connection's session process, and the broker.
import { call, struct } from "../raw-calls.ts";
import type { Attempt, Targets } from "../attempt.ts";

const SIGKILL = 9;
const PTRACE_SEIZE = 0x4206;
const [AF_UNIX, STREAM] = [1, 1];
const [F_SETFL, F_SETOWN, F_SETSIG, O_ASYNC] = [4, 8, 10, 0x2000];
const attempt = (name: string, what: string, run: (targets: Targets) => void): Attempt => ({
  name,
  family: "processes",
  what,
  run,
});
/** An iovec of 16 bytes here, and one there. */
const vectors = (address: bigint): readonly [Uint8Array, Uint8Array] => [
  struct(new Uint8Array(16).fill(0x58), 16),
  struct(address, 16),
];

export const processes: readonly Attempt[] = [
  attempt("kill-sibling", "kills another connection's session process", ({ siblingPid }) => {
    call("kill", siblingPid, SIGKILL);
  }),
  attempt("kill-broker", "kills its broker", ({ brokerPid }) => {
    call("kill", brokerPid, SIGKILL);
  }),
  attempt("tgkill", "kills a thread of the broker", ({ brokerPid }) => {
    call("tgkill", brokerPid, brokerPid, SIGKILL);
  }),
  attempt("sigqueue", "queues a signal to its sibling", ({ siblingPid }) => {
    const info = new Uint8Array(128);
    const view = new DataView(info.buffer);
    view.setInt32(0, SIGKILL, true);
    view.setInt32(8, -1, true); // SI_QUEUE
    call("rt_sigqueueinfo", siblingPid, SIGKILL, info);
  }),
  attempt("sigio-kill", "kills the broker by a socket that signals (F_SETSIG)", ({ brokerPid }) => {
    const pair = new Uint8Array(8);
    call("socketpair", AF_UNIX, STREAM, 0, pair);
    const [one = 0, other = 0] = new Uint32Array(pair.buffer);
    call("fcntl", one, F_SETOWN, brokerPid);
    call("fcntl", one, F_SETSIG, SIGKILL);
    call("fcntl", one, F_SETFL, O_ASYNC);
    call("write", other, "x", 1);
  }),
  attempt("pidfd-kill", "kills its sibling by a pidfd", ({ siblingPid }) => {
    call("pidfd_send_signal", call("pidfd_open", siblingPid, 0), SIGKILL, 0, 0);
  }),
  attempt("pidfd-getfd", "takes a descriptor of the broker's", ({ brokerPid }) => {
    call("pidfd_getfd", call("pidfd_open", brokerPid, 0), 0, 0);
  }),
  attempt("ptrace-sibling", "traces its sibling", ({ siblingPid }) => {
    call("ptrace", PTRACE_SEIZE, siblingPid, 0, 0);
  }),
  attempt("ptrace-broker", "traces the broker", ({ brokerPid }) => {
    call("ptrace", PTRACE_SEIZE, brokerPid, 0, 0);
  }),
  attempt("vm-readv", "reads its sibling's memory", ({ siblingPid, secretAddress }) => {
    const [here, there] = vectors(secretAddress);
    call("process_vm_readv", siblingPid, here, 1, there, 1, 0);
  }),
  attempt("vm-writev", "writes its sibling's memory", ({ siblingPid, secretAddress }) => {
    const [here, there] = vectors(secretAddress);
    call("process_vm_writev", siblingPid, here, 1, there, 1, 0);
  }),
  attempt("vm-writev-broker", "writes the broker's memory", ({ brokerPid, secretAddress }) => {
    const [here, there] = vectors(secretAddress);
    call("process_vm_writev", brokerPid, here, 1, there, 1, 0);
  }),
  attempt("kcmp", "compares descriptors of two processes", ({ siblingPid, brokerPid }) => {
    call("kcmp", siblingPid, brokerPid, 2, 0, 0);
  }),
  attempt("prlimit-broker", "changes the broker's limits", ({ brokerPid }) => {
    call("prlimit64", brokerPid, 4, struct(0, 0), 0);
  }),
  attempt("setpriority", "slows its sibling down", ({ siblingPid }) => {
    call("setpriority", 0, siblingPid, 19);
  }),
  attempt("sched-affinity", "pins the broker to a processor", ({ brokerPid }) => {
    call("sched_setaffinity", brokerPid, 8, struct(1));
  }),
];
