// Another program, another process, another thread.
import { call, callNumber, callTwice, struct } from "../raw-calls.ts";
import { execStatus, leftOpen, type Attempt } from "../attempt.ts";

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const SIGCHLD = 17;
const CLONE_VM = 0x100;
const CLONE_FS = 0x200;
const CLONE_FILES = 0x400;
const CLONE_SIGHAND = 0x800;
const CLONE_THREAD = 0x10000;
const CLONE_NEWUSER = 0x10000000;

const shell = "/bin/sh";
const argv = (): Uint8Array => struct(shell, "-c", `exit ${execStatus}`, 0);
const environment = (): Uint8Array => struct(0);
const program = (name: string, what: string, run: () => void): Attempt => ({
  name,
  family: "programs",
  what,
  run,
  succeedsBy: "exec",
});
const process = (name: string, what: string, run: () => void): Attempt => ({
  name,
  family: "programs",
  what,
  run,
});

/** A copy of `true`-like content in memory: a script, so that no file of the machine is read. */
function memoryProgram(): bigint {
  const fd = call("memfd_create", "x", 0);
  const script = Buffer.from(`#!${shell}\nexit ${execStatus}\n`);
  call("write", fd, script, script.length);
  return fd;
}

export const programs: readonly Attempt[] = [
  program("execve", "starts a shell", () => {
    call("execve", shell, argv(), environment());
  }),
  program("execveat", "starts a shell by execveat", () => {
    call("execveat", AT_FDCWD, shell, argv(), environment(), 0);
  }),
  program("exec-inherited", "starts a program by a descriptor that was left open", () => {
    call("execveat", leftOpen.program, "", argv(), environment(), AT_EMPTY_PATH);
  }),
  program("exec-memfd", "starts what it has written to memory (memfd_create, execveat)", () => {
    call("execveat", memoryProgram(), "", argv(), environment(), AT_EMPTY_PATH);
  }),
  program("exec-high-bits", "execve, with bits above 32 in the call's number", () => {
    callNumber((1n << 32n) | 59n, shell, argv(), environment());
  }),
  process("memfd", "makes a file in memory", () => {
    call("memfd_create", "x", 0);
  }),
  process("fork", "forks", () => {
    callTwice("fork");
  }),
  process("vfork", "vforks", () => {
    callTwice("vfork");
  }),
  process("clone", "forks by clone", () => {
    callTwice("clone", SIGCHLD, 0, 0, 0, 0);
  }),
  process("clone3", "forks by clone3, whose flags no filter sees", () => {
    callTwice("clone3", struct(0, 0, 0, 0, SIGCHLD, 0, 0, 0), 64);
  }),
  process("thread", "starts a thread", () => {
    const flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    callTwice("clone", flags, 0, 0, 0, 0);
  }),
  process("clone-newuser", "forks into a user namespace, where it would be root", () => {
    callTwice("clone", SIGCHLD | CLONE_NEWUSER, 0, 0, 0, 0);
  }),
];
