// What a user's program finds: who it is, what it holds, its environment; and how its end is told.
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";
import { converse, openPty, output, setEnv, signal, start } from "./login-script.ts";

const user = makeUser(t);

void t.test(
  "A program is the user's, with nothing of our hardening and no descriptor of ours",
  (t) => {
    // `exec` keeps the shell's own children out of it.
    const { out, err } = output(t, user, {}, "exec cat /proc/self/status");
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(out)?.[1];
    t.equal(field("Uid"), Array(4).fill(user.uid).join("\t"));
    t.equal(field("Gid"), Array(4).fill(user.uid).join("\t"));
    t.equal(field("Groups")?.trim(), String(user.uid));
    t.equal(field("NoNewPrivs"), "0");
    t.equal(field("Seccomp"), "0");
    t.equal(field("SigIgn"), "0000000000000000");
    t.equal(field("SigBlk"), "0000000000000000");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) t.match(field(set), /^0+$/);
    t.equal(err, "");
    const descriptors = output(t, user, {}, "ls /proc/self/fd").out.trim().split("\n");
    t.same(descriptors, ["0", "1", "2", "3"], "3 is ls's own, of the folder");
    t.end();
  },
);
void t.test(
  "A program has umask 022, no OOM score, a session of its own, and starts at home",
  (t) => {
    const { out } = output(t, user, {}, 'umask; cat /proc/self/oom_score_adj; pwd; ps -o sid= -p $$ | tr -d " "; echo $$'); // prettier-ignore
    const [mask, oom, folder, sid, pid] = out.trim().split("\n");
    t.same([mask, oom, folder], ["0022", "0", user.home]);
    t.equal(sid, pid);
    t.end();
  },
);
void t.test("The worker cannot become root again and holds no capability", (t) => {
  const [, status] = converse(t, user, {}, [start("exec", "true"), { do: "workerStatus" }]);
  t.match(status, new RegExp(`^Uid:${`\\t${user.uid}`.repeat(4)}$`, "m"));
  t.match(status, /^CapPrm:\t0+$/m);
  t.match(status, new RegExp(`^Groups:\\t${user.uid} ?$`, "m"));
  t.end();
});
void t.test("A program's environment is what sshd sets", (t) => {
  const facts = {
    config: ["AcceptEnv LANG PATH SETBYALL", "SetEnv SETBYALL=config", "PermitUserEnvironment yes"],
    identity: { environment: ["SETBYALL=key", "KEY=a=b"] },
  };
  const client = [setEnv("LANG", "\xff"), setEnv("PATH", "/evil"), setEnv("SETBYALL", "client")];
  const { out } = output(t, user, facts, "exec env", client);
  // dash adds PWD.
  t.same(out.trim().split("\n").filter((line) => !line.startsWith("PWD=")).sort(), [
    `HOME=${user.home}`, "KEY=a=b", "LANG=\xff", `LOGNAME=${user.name}`, `MAIL=/var/mail/${user.name}`,
    "PATH=/usr/local/bin:/usr/bin:/bin:/usr/games", "SETBYALL=config", "SHELL=/bin/sh",
    "SSH_CLIENT=192.0.2.1 40000 22", "SSH_CONNECTION=192.0.2.1 40000 192.0.2.2 22", `USER=${user.name}`,
  ]); // prettier-ignore
  t.end();
});
void t.test("~/.ssh/environment is read only where PermitUserEnvironment says so", (t) => {
  writeFileSync(`${user.home}/.ssh/environment`, "# comment\nMINE=1\nYOURS=2\n\n=bad\n");
  const seen = (config: string[]) => output(t, user, { config }, 'echo "$MINE,$YOURS"').out;
  t.equal(seen([]), ",\n");
  t.equal(seen(["PermitUserEnvironment YO*"]), ",2\n");
  t.equal(seen(["PermitUserEnvironment yes"]), "1,2\n");
  t.end();
});
void t.test("A home that cannot be entered is said, and the program starts in /", (t) => {
  const gone = output(t, user, { identity: { home: "/nonexistent" } }, "pwd");
  t.equal(gone.out, "/\n");
  t.equal(
    gone.err,
    "Could not chdir to home directory /nonexistent: No such file or directory\r\n",
  );
  const closed = `${user.home}/closed`;
  mkdirSync(closed, { mode: 0o700 });
  chmodSync(closed, 0);
  const { err } = output(t, user, { identity: { home: closed } }, "pwd");
  t.equal(err, `Could not chdir to home directory ${closed}: Permission denied\r\n`);
  t.end();
});
void t.test("A login shell's name begins with a dash, a command's does not", (t) => {
  const named = (steps: ReturnType<typeof start>) =>
    converse(t, user, {}, [
      steps,
      { do: "write", fd: 0, text: 'echo "$0"\n' },
      { do: "close", fd: 0 },
      { do: "read", fd: 1 },
    ])[3];
  t.equal(named(start("shell")), "-sh\n");
  t.equal(output(t, user, {}, 'echo "$0"').out, "sh\n");
  t.end();
});
void t.test("The end is told as status, or as signal", (t) => {
  const exited = (command: string) => output(t, user, {}, command).exited;
  t.match(exited("exit 0"), { name: "exited", channel: 0, status: 0, signal: "" });
  t.match(exited("exit 255"), { name: "exited", status: 255, signal: "" });
  t.match(exited("kill -TERM $$"), { name: "exited", signal: "TERM", coreDumped: false });
  t.match(exited("kill -VTALRM $$"), { name: "exited", signal: "SIG@openssh.com" });
  t.end();
});
void t.test("A signal reaches the program's whole process group", (t) => {
  const [, , answer, out, , exited] = converse(t, user, {}, [
    start("exec", "sleep 600 & echo up; wait"),
    { do: "read", fd: 1, until: "up" },
    signal("TERM"),
    { do: "read", fd: 1 }, // its end: sleep is gone too
    { do: "read", fd: 2 },
    { do: "next" },
  ]);
  t.match(answer, { name: "done" });
  t.equal(out, "");
  t.match(exited, { name: "exited", signal: "TERM" });
  t.end();
});
void t.test("Channels are apart: one's end and output are not another's", (t) => {
  const results = converse(t, user, {}, [
    start("exec", "cat", 1),
    start("exec", "echo two", 2),
    { do: "read", fd: 4 },
    { do: "next" },
    { do: "write", fd: 0, text: "one" },
    { do: "close", fd: 0 },
    { do: "read", fd: 1 },
    { do: "next" },
  ]);
  t.equal(results[2], "two\n");
  t.match(results[3], { name: "exited", channel: 2 });
  t.equal(results[6], "one");
  t.match(results[7], { name: "exited", channel: 1 });
  t.end();
});
void t.test("A terminal is the program's controlling one, with its size, name and TERM", (t) => {
  const results = converse(t, user, {}, [
    openPty({ columns: 100, rows: 30 }),
    start("exec", "stty size; tty; echo $SSH_TTY $TERM; echo fine >/dev/tty; read x; stty size"),
    { do: "read", fd: 1, until: "fine" },
    { do: "tell", name: "windowChange", body: { channel: 0, columns: 4_000_000_000, rows: 50, widthPixels: 0, heightPixels: 0 } }, // prettier-ignore
    { do: "ask", name: "break", body: { channel: 0, milliseconds: 0 } },
    { do: "write", fd: 0, text: "go\n" },
    { do: "next" },
    { do: "read", fd: 1, until: "50 65535" },
  ]);
  t.match(results[0], { name: "ptyOpened" });
  t.match(results[2], /^30 100\r\n(\/dev\/pts\/\d+)\r\n\1 vt100\r\nfine/);
  t.match(results[4], { name: "done" });
  t.match(results[6], { name: "exited", status: 0 });
  t.match(results[7], /50 65535\r\n$/);
  t.end();
});
void t.test("Closing a channel hangs its terminal up", async (t) => {
  const [, , out] = converse(t, user, {}, [
    openPty(),
    start("exec", "echo $$.; exec sleep 600"),
    { do: "read", fd: 1, until: "." },
    { do: "close", fd: 0 },
    { do: "close", fd: 1 },
    { do: "tell", name: "closeChannel", body: { channel: 0 } },
    setEnv("A", "1", 1), // still served
  ]);
  const pid = Number.parseInt(String(out), 10);
  await until("the program is gone", () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
  t.ok(pid > 1);
});
void t.test("At the end of the session process the worker hangs terminals up and exits", (t) => {
  const results = converse(t, user, {}, [
    openPty(),
    start("exec", "echo up; sleep 600"),
    { do: "read", fd: 1, until: "up" },
    { do: "hangUp" },
    { do: "ended" },
    { do: "read", fd: 1 }, // the slave side is closed: all its programs are gone
  ]);
  t.same(results[4], { status: 0 });
  t.end();
});
void t.test(
  "A terminal whose programs became another user's hangs up without an end of the worker",
  (t) => {
    // As sudo does, and only for this user: a set-user-ID program gives up the user's real uid too.
    const become = join(user.home, "become");
    execFileSync("cp", ["/usr/bin/setpriv", become]);
    chownSync(become, 0, user.uid);
    chmodSync(become, 0o4750);
    const results = converse(t, user, {}, [
      openPty(),
      start("exec", `exec ${become} --reuid 0 sh -c 'echo up; read x'`),
      { do: "read", fd: 1, until: "up" },
      { do: "tell", name: "closeChannel", body: { channel: 0 } },
      start("exec", "echo served", 1),
      { do: "read", fd: 3 },
      { do: "hangUp" },
      { do: "ended" },
    ]);
    t.match(results[4], { name: "startedOnPipes" });
    t.equal(results[5], "served\n");
    t.same(results[7], { status: 0 });
    t.end();
  },
);
