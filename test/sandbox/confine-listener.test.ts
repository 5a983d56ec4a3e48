// A listener that was taken over: what can it still do?
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import t from "tap";
import { evaluate } from "../../sandbox/bpf-evaluator.ts";
import { compile } from "../../sandbox/bpf-compiler.ts";
import { listenerKeeps } from "../../sandbox/confine-listener.ts";
import { listener, listenerOtherwise } from "../../sandbox/policies/listener.ts";
import { syscalls, type SyscallName } from "../../sandbox/syscalls-x86-64.ts";
import { programResult } from "../native/run-program.ts";
import { processes, statusOf } from "../../lab/processes.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync("/var/tmp/sallyport-listener.");
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true });
});
mkdirSync(`${folder}/logs`);
mkdirSync(`${folder}/run/systemd/system`, { recursive: true });
writeFileSync(`${folder}/run/pid`, "0\n");
writeFileSync(`${folder}/kept`, "before");
// What the program prints.
const came = programResult("listener-confined", [folder]) as Readonly<Record<string, unknown>>;

for (const [attempt, why] of [
  ["exec", "EPERM"],
  ["fork", "EBUSY"], // of its own accord: it has threads
  ["write", "EACCES"],
  ["over", "EACCES"],
  ["unlink", "EACCES"],
  ["unit", "EACCES"],
  ["besidePidFile", "EACCES"],
  ["rename", "EPERM"],
  ["chroot", "EPERM"],
  ["becomeUser", "EPERM"],
  ["signal", "EPERM"],
] as const)
  t.test(`A confined listener is refused ${attempt}`, (t) => {
    t.equal(came[attempt], why);
    t.end();
  });
for (const [attempt, result] of [
  ["log", "done"],
  ["pidFile", "done"],
  ["read", "before"],
  ["listen", "done"],
  ["pair", "done"],
] as const)
  t.test(`A confined listener has what it is for: ${attempt}`, (t) => {
    t.equal(came[attempt], result);
    t.end();
  });
t.test("Every thread of a confined listener has every layer", (t) => {
  const kept = listenerKeeps.toString();
  t.match(came["threads"], [Array, `true 2 ${kept} ${kept} 0`]);
  t.equal((came["threads"] as unknown[]).length, 2, "all threads are the same");
  t.end();
});
t.test("The listener's filter refuses what starts, traces, loads, mounts or leaves", (t) => {
  const program = compile(listener, listenerOtherwise);
  const dangerous: readonly SyscallName[] = [
    "execve", "execveat", "fork", "vfork", "clone", "ptrace", "bpf", "init_module", "finit_module", "kexec_load", "mount", "umount2",
    "pivot_root", "chroot", "setns", "unshare", "process_vm_writev", "keyctl", "perf_event_open", "userfaultfd", "setuid", "setresuid",
  ]; // prettier-ignore
  for (const name of dangerous)
    t.match(evaluate(program, { nr: syscalls[name] }), { verdict: "errno", errno: 1 }, name);
  t.end();
});

t.test("The listener's filter makes no socket that Landlock's check of TCP would not see", (t) => {
  const program = compile(listener, listenerOtherwise);
  const [unix, inet, inet6, stream, datagram, raw, flags] = [1n, 2n, 10n, 1n, 2n, 3n, 0x8_0800n];
  const made = (...args: bigint[]): string =>
    evaluate(program, { nr: syscalls.socket, args }).verdict;
  for (const domain of [inet, inet6]) {
    for (const type of [datagram, raw]) t.equal(made(domain, type | flags, 0n), "errno");
    for (const protocol of [132n, 262n]) t.equal(made(domain, stream | flags, protocol), "errno", "SCTP, MPTCP"); // prettier-ignore
    t.equal(made(domain, stream | flags, 0n), "allow");
  }
  for (const domain of [16n, 17n, 38n, 40n]) t.equal(made(domain, stream | flags, 0n), "errno");
  t.equal(made(unix, datagram, 0n), "allow");
  t.end();
});

t.test("The listener's filter lets no descriptor send signals", (t) => {
  const program = compile(listener, listenerOtherwise);
  const fcntl = (command: bigint, argument = 0n): string =>
    evaluate(program, { nr: syscalls.fcntl, args: [5n, command, argument] }).verdict;
  for (const command of [8n, 10n, 15n]) t.equal(fcntl(command), "errno", "F_SETOWN, F_SETSIG, F_SETOWN_EX"); // prettier-ignore
  t.equal(fcntl(4n, 0x2000n), "errno", "F_SETFL with O_ASYNC");
  t.equal(fcntl(1033n), "allow", "F_ADD_SEALS");
  t.end();
});

t.test("The listener's filter knows the few socket options that it sets", (t) => {
  const program = compile(listener, listenerOtherwise);
  const set = (level: bigint, name: bigint): string =>
    evaluate(program, { nr: syscalls.setsockopt, args: [5n, level, name] }).verdict;
  t.equal(set(6n, 31n), "errno", "TCP_ULP");
  t.equal(set(1n, 26n), "errno", "SO_ATTACH_FILTER");
  t.equal(set(0n, 64n), "errno", "IPT_SO_SET_REPLACE");
  t.equal(set(6n, 1n), "allow", "TCP_NODELAY");
  t.end();
});

t.test(
  "A server's listener is confined on every thread, its spawner and zygote are not",
  async (t) => {
    const server = await TestServer.start(t);
    await until("it is confined", () => statusOf(server.pid, "Seccomp_filters") === "2");
    t.equal(statusOf(server.pid, "CapBnd"), "0000000000000000");
    t.equal(statusOf(server.pid, "NoNewPrivs"), "1");
    for (const title of ["sallyportd: spawner", "sallyportd: zygote"]) {
      const found = server.children().find((child) => child.title.startsWith(title));
      t.ok(found, `${title} is there`);
      t.equal(
        statusOf(found?.pid ?? 1, "Seccomp"),
        "0",
        `${title}: a user's shell will inherit it`,
      );
    }
  },
);
t.test("A server whose spawner dies ends, for nothing could be replaced any more", async (t) => {
  const server = await TestServer.start(t);
  const spawner = server.children().find(({ title }) => title.startsWith("sallyportd: spawner"));
  t.ok(spawner, "it is there");
  if (spawner !== undefined) process.kill(spawner.pid, "SIGKILL");
  await until("the server ends", () => !processes().some(({ pid }) => pid === server.pid));
  t.equal(server.events("spawner.gone").length, 1);
});
