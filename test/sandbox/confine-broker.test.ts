// A broker that was taken over: root by name, but what can it still do?
import t from "tap";
import { evaluate } from "../../sandbox/bpf-evaluator.ts";
import { compile } from "../../sandbox/bpf-compiler.ts";
import { usesDaemons } from "../../sandbox/database-daemons.ts";
import { broker } from "../../sandbox/policies/broker.ts";
import { syscalls } from "../../sandbox/syscalls-x86-64.ts";
import { programResult } from "../native/run-program.ts";

const SIGSYS = 31;
const after = (...args: string[]): unknown => programResult("broker-confined", args);
const killed = { signal: SIGSYS, said: null, file: "before", strangerLives: true };

for (const attempt of ["unlink", "exec", "fork", "chroot", "killStranger", "limitStranger"])
  t.test(`A confined broker dies of ${attempt}`, (t) => {
    t.match(after(attempt), killed);
    t.end();
  });

for (const [attempt, why] of [
  ["write", "EACCES"],
  ["create", "EACCES"],
  ["listen", "EACCES"],
  ["syslog", "EACCES"],
] as const)
  t.test(`A confined broker is refused ${attempt}`, (t) => {
    t.match(after(attempt), { signal: 0, said: why, file: "before" });
    t.end();
  });

t.test("A confined broker has no inet socket where users come from daemons, either", (t) => {
  t.match(after("listen", "daemons"), { signal: 0, said: "EACCES" });
  t.end();
});

t.test("A confined broker that became a user has nothing more for it", (t) => {
  t.match(after("readAsUser"), { signal: 0, said: "EACCES" });
  t.end();
});

t.test(
  "A confined broker does what it is for: it reads, looks up, limits and ends its child",
  (t) => {
    t.match(after("nothing"), { signal: 0, said: [] });
    t.match(after("read"), { signal: 0, said: "before" });
    t.match(after("lookUp"), { signal: 0, said: [0, null] });
    t.match(after("limitSession"), { signal: 0, said: "done", strangerLives: true });
    t.match(after("killSession"), {
      signal: 0,
      said: true,
      sessionLives: false,
      strangerLives: true,
    });
    t.end();
  },
);

t.test("The broker's filter knows one process: its own child", (t) => {
  const program = compile(broker({ sessionPid: 4242, usesDatabaseDaemons: false }));
  const child = 4242n;
  const verdict = (name: "kill" | "wait4" | "prlimit64", pid: bigint): string => {
    const second = name === "prlimit64" ? 7n : 9n; // RLIMIT_NOFILE, SIGKILL
    return evaluate(program, { nr: syscalls[name], args: [pid, second] }).verdict;
  };
  for (const name of ["kill", "wait4", "prlimit64"] as const) {
    for (const pid of [0n, 1n, child + 1n, 0xffff_ffff_ffff_ffffn])
      t.equal(verdict(name, pid), "kill", `${name} ${pid.toString()}`);
    t.equal(verdict(name, child), "allow");
  }
  t.end();
});

t.test("The broker's filter lets no descriptor send signals", (t) => {
  for (const usesDatabaseDaemons of [false, true]) {
    const program = compile(broker({ sessionPid: 4242, usesDatabaseDaemons }));
    const fcntl = (command: bigint, argument = 0n): string =>
      evaluate(program, { nr: syscalls.fcntl, args: [5n, command, argument] }).verdict;
    for (const command of [8n, 10n, 15n]) t.equal(fcntl(command), "kill", "F_SETOWN, F_SETSIG, F_SETOWN_EX"); // prettier-ignore
    t.equal(fcntl(4n, 0x2800n), "kill", "F_SETFL with O_ASYNC");
    t.equal(fcntl(4n, 0x800n), "allow", "F_SETFL with O_NONBLOCK");
    t.equal(fcntl(2n, 1n), "allow", "F_SETFD");
  }
  t.end();
});

t.test("usesDaemons() is true where a service that asks a daemon is named", (t) => {
  t.equal(usesDaemons("passwd: files sss\n"), true);
  t.equal(usesDaemons("group:\tfiles [SUCCESS=merge] winbind"), true);
  t.equal(usesDaemons("initgroups: ldap # comment"), true);
  t.equal(usesDaemons("passwd: files systemd # sss\nhosts: dns\nshadow: compat\n"), false);
  t.equal(usesDaemons("passwd: files [NOTFOUND=return]\n"), false);
  t.equal(usesDaemons(""), false);
  t.end();
});
