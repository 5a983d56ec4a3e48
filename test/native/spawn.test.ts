import { readFileSync } from "node:fs";
import t from "tap";
import { closeFd, pipeFds, readFd } from "../../native/descriptors.ts";
import {
  currentPid,
  killPid,
  openPidFd,
  parentPid,
  spawnProgram,
  waitPid,
  waitReadable,
  type SpawnOptions,
} from "../../native/process.ts";
import { openPty } from "../../native/pty.ts";
import { runProgram } from "./run-program.ts";

/** What the program writes to its descriptor 1, and how it ends. */
function outputOf(options: Omit<SpawnOptions, "fds"> & { fds?: (output: number) => number[] }) {
  const [reader, writer] = pipeFds();
  const fds = options.fds?.(writer) ?? [0, writer, writer];
  const pid = spawnProgram({ ...options, fds });
  closeFd(writer);
  const parts: Buffer[] = [];
  const buffer = new Uint8Array(65536);
  for (let got = 1; got > 0;) {
    got = readFd(reader, buffer, 0, buffer.length);
    parts.push(Buffer.from(buffer.subarray(0, got)));
  }
  closeFd(reader);
  return { out: Buffer.concat(parts).toString("latin1"), ended: waitPid(pid, false) };
}
const shell = (script: string): Omit<SpawnOptions, "fds"> => ({
  file: "/bin/sh",
  argv: ["sh", "-c", script],
  env: ["PATH=/usr/bin:/bin"],
});
const children = () => readFileSync("/proc/thread-self/children", "latin1").trim();

t.test("spawnProgram() throws the step that failed, and leaves no child behind", (t) => {
  const before = children();
  const base = { ...shell("true"), fds: [] };
  for (const [options, expected] of [
    [
      { ...base, file: "/nonexistent" },
      { code: "ENOENT", syscall: "execve" },
    ],
    [
      { ...base, file: "/etc/passwd" },
      { code: "EACCES", syscall: "execve" },
    ],
    [
      { ...base, cwd: "/nonexistent" },
      { code: "ENOENT", syscall: "chdir" },
    ],
    [
      { ...base, fds: [9999] },
      { code: "EBADF", syscall: "fcntl" },
    ],
    [
      { ...base, setsid: true, controllingTerminal: true },
      { code: "ENOTTY", syscall: "TIOCSCTTY" },
    ],
    [
      { ...base, identity: { uid: 1, gid: 1, groups: new Array<number>(70_000).fill(1) } },
      { code: "EINVAL", syscall: "setgroups" },
    ],
  ] as [SpawnOptions, { code: string; syscall: string }][]) {
    t.throws(() => spawnProgram(options), expected);
  }
  t.equal(children(), before);
  t.end();
});

t.test("spawnProgram() refuses wrong shapes before anything is started", (t) => {
  const base = { ...shell("true"), fds: [] };
  for (const options of [
    { ...base, argv: [] },
    { ...base, argv: ["a\0b"] },
    { ...base, env: "A=b" },
    { ...base, fds: [-1] },
    { ...base, identity: { uid: -1, gid: 0, groups: [] } },
    { ...base, identity: { uid: 2 ** 32 - 1, gid: 0, groups: [] } },
    { ...base, identity: { uid: 1, gid: 1 } },
    { ...base, setsid: 1 },
    undefined,
  ]) {
    t.throws(() => spawnProgram(options as unknown as SpawnOptions));
  }
  t.end();
});

t.test("spawnProgram() gives the child its descriptors, crosswise too, and no others", (t) => {
  const [reader, writer] = pipeFds();
  // Descriptor 0 of the child is the pipe's writing end and 2 is /dev/null, whatever numbers they have here.
  const ran = outputOf({
    ...shell("ls /proc/self/fd | tr '\\n' ' '; echo zero >&0"),
    fds: (output) => [writer, output, 0],
  });
  closeFd(writer);
  t.equal(ran.out, "0 1 2 3 ", "3 is what ls lists with");
  const buffer = new Uint8Array(16);
  t.equal(readFd(reader, buffer, 0, 16), 5);
  closeFd(reader);
  t.end();
});

t.test(
  "spawnProgram() leaves no signal ignored or blocked, and no environment but what is given",
  (t) => {
    const ran = outputOf({
      file: "/bin/sh",
      argv: ["-sh", "-c", "echo $0; env; grep -E 'Sig(Blk|Ign)' /proc/self/status"],
      env: ["A=b", Buffer.from([0x42, 0x3d, 0xff, 0xfe])],
      cwd: "/usr",
      umask: 0o27,
    });
    t.equal(ran.ended?.status, 0);
    t.match(ran.out, /^-sh\n/);
    t.match(ran.out, /^A=b$/m);
    t.match(ran.out, /^B=\xff\xfe$/m);
    t.match(ran.out, /^PWD=\/usr$/m);
    // What it catches is its own.
    for (const mask of ["SigBlk", "SigIgn"]) {
      t.match(ran.out, new RegExp(`${mask}:\\s*0{16}\n`));
    }
    t.equal(outputOf({ ...shell("umask"), umask: 0o27 }).out, "0027\n");
    t.end();
  },
);

t.test("spawnProgram() takes the identity before it changes directory", (t) => {
  const identity = { uid: 1234, gid: 2345, groups: [77, 88] };
  const ran = outputOf({
    ...shell("grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status"),
    identity,
  });
  t.match(ran.out, /Uid:\t1234\t1234\t1234\t1234\n/);
  t.match(ran.out, /Gid:\t2345\t2345\t2345\t2345\n/);
  t.match(ran.out, /Groups:\t77 88 \n/);
  t.match(ran.out, /CapEff:\t0{16}\n/);
  t.throws(() => spawnProgram({ ...shell("true"), fds: [], identity, cwd: "/root" }), {
    code: "EACCES",
    syscall: "chdir",
  });
  t.end();
});

t.test("spawnProgram() makes descriptor 0 the controlling terminal of a new session", (t) => {
  const { masterFd, slaveFd, name } = openPty();
  const ran = outputOf({
    ...shell("tty; ps -o pid=,sid=,tty= -p $$"),
    fds: (output) => [slaveFd, output, output],
    setsid: true,
    controllingTerminal: true,
  });
  closeFd(slaveFd);
  closeFd(masterFd);
  const [tty, ps = ""] = ran.out.trim().split("\n");
  t.equal(tty, name);
  const [pid, sid, terminal] = ps.trim().split(/\s+/);
  t.equal(pid, sid);
  t.equal(`/dev/${terminal ?? ""}`, name);
  t.end();
});

t.test("waitPid() tells exits from signals, and nothing yet from no child at all", (t) => {
  t.match(outputOf(shell("exit 300")).ended, { status: 44, coreDumped: false });
  const killed = outputOf(shell("ulimit -c 0; kill -TERM $$")).ended;
  t.match(killed, { signal: 15, coreDumped: false });
  t.notOk(killed !== null && "status" in killed);
  const pid = spawnProgram({ file: "/bin/sleep", argv: ["sleep", "1000"], env: [], fds: [] });
  t.equal(waitPid(pid, true), null);
  const pidFd = openPidFd(pid);
  t.same(waitReadable(Int32Array.of(pidFd), 0), []);
  t.equal(killPid(pid, 9), true);
  t.same(waitReadable(Int32Array.of(pidFd), -1), [pidFd]);
  t.match(waitPid(pid, false), { pid, signal: 9 });
  closeFd(pidFd);
  t.throws(() => waitPid(pid, false), { code: "ECHILD" });
  t.equal(killPid(pid, 9), false);
  t.end();
});

t.test("killPid() refuses 0 and -1, which the kernel reads as everybody", (t) => {
  t.throws(() => killPid(0, 0), RangeError);
  t.throws(() => killPid(-1, 0), RangeError);
  t.end();
});

t.test("currentPid() and parentPid() ask the kernel", (t) => {
  t.equal(currentPid(), process.pid);
  t.equal(parentPid(), process.ppid);
  t.end();
});

t.test(
  "setTitle() shows in ps, cut to the room there is, and leaves the environment alone",
  (t) => {
    const ran = runProgram("titled", ["x".repeat(100)]);
    t.match(JSON.parse(ran.out), { short: "sallyport: x", comm: "sallyport: x", path: true });
    t.match(JSON.parse(ran.out), { long: /^y+$/, nothingElse: true });
    t.end();
  },
);
