// What a logged-in user has: commands and how they end, their environment and limits, data both ways.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import t from "tap";
import { statusOf } from "../../lab/processes.ts";
import { loginOptions, run, ssh, tool } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser, publicLine } from "../support/test-user.ts";

const sftpServer = tool("ssh").replace("bin/ssh", "lib/openssh/sftp-server");
const user = makeUser(t);
const server = await TestServer.start(t, {
  config: ["AcceptEnv GOOD_*", `Subsystem sftp ${sftpServer}`, "MaxStartups 100"],
});
const digest = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
const output = async (...command: string[]): Promise<string> =>
  (await ssh(server, user, command)).stdout.toString();

t.test("An unknown subsystem is refused", async (t) => {
  const ended = await ssh(server, user, ["no-such-subsystem"], { flags: ["-s"], options: ["LogLevel=INFO"] }); // prettier-ignore
  t.not(ended.status, 0);
  t.match(ended.stderr, "subsystem request failed");
});
t.test("Variables that AcceptEnv does not name are not taken", async (t) => {
  const options = ["SetEnv=GOOD_ONE=1 LD_PRELOAD=/tmp/x.so PATH=/evil BASH_ENV=/evil"];
  const ended = await ssh(server, user, ["env"], { options });
  t.match(ended.stdout.toString(), /^GOOD_ONE=1$/m);
  t.notMatch(ended.stdout.toString(), /LD_PRELOAD|evil/);
});

t.test("The exit status of a command is the client's", async (t) => {
  for (const status of [0, 1, 42, 127, 255])
    t.equal((await ssh(server, user, [`exit ${status}`])).status, status);
  t.equal((await ssh(server, user, ["no-such-command"])).status, 127);
});
t.test("A command that ends by a signal is told as such", async (t) => {
  for (const signal of ["TERM", "KILL", "SEGV", "HUP"]) {
    const ended = await ssh(server, user, [`kill -${signal} $$`], { options: ["LogLevel=DEBUG1"] });
    t.equal(ended.status, 255);
    t.match(ended.stderr, "rtype exit-signal");
  }
});

t.test("ssh -n, -T and -tt give a command no input, no terminal and a terminal", async (t) => {
  const none = await ssh(server, user, ["cat; echo end"], { flags: ["-n"], input: "ignored" });
  t.equal(none.stdout.toString(), "end\n");
  const pipes = await ssh(server, user, ["tty"], { flags: ["-T"] });
  t.equal(pipes.stdout.toString(), "not a tty\n");
  const terminal = await ssh(server, user, ["tty; test -t 2 && stty size"], { flags: ["-tt"] });
  t.match(terminal.stdout.toString(), /^\/dev\/pts\/\d+\r\n0 0\r\n/);
});
t.test("A login shell runs what it reads", async (t) => {
  const ended = await ssh(server, user, [], { flags: ["-T"], input: "echo $0; pwd; exit 3\n" });
  t.equal(ended.stdout.toString(), `-sh\n${user.home}\n`);
  t.equal(ended.status, 3);
});

t.test("stdout and stderr stay apart, each whole and in order", async (t) => {
  const loop = "i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
  const ended = await ssh(server, user, [loop]);
  const lines = (word: string): string =>
    Array.from({ length: 2000 }, (_, i) => `${word} ${i}\n`).join("");
  t.equal(ended.stdout.toString(), lines("out"));
  t.equal(ended.stderr, lines("err"));
});

t.test("The environment is sshd's", async (t) => {
  const variables = new Map(
    (await output("env")).trim().split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]), // prettier-ignore
  );
  t.match(Object.fromEntries(variables), { USER: user.name, LOGNAME: user.name, HOME: user.home, SHELL: "/bin/sh" }); // prettier-ignore
  t.match(variables.get("SSH_CONNECTION"), new RegExp(`^127.0.0.1 \\d+ 127.0.0.1 ${server.port}$`));
  t.match(variables.get("SSH_CLIENT"), new RegExp(`^127.0.0.1 \\d+ ${server.port}$`));
  const known = ["USER", "LOGNAME", "HOME", "SHELL", "PATH", "MAIL", "SSH_CONNECTION", "SSH_CLIENT", "PWD", "OLDPWD", "SHLVL", "_", "LANG", "TZ"]; // prettier-ignore
  t.same(
    [...variables.keys()].filter((name) => !known.includes(name)),
    [],
  );
});
t.test("~/.ssh/rc runs before a program on a terminal, and no-user-rc and sftp do without", async (t) => {
  const rc = `${user.home}/.ssh/rc`;
  writeFileSync(rc, "echo rc; cat\n");
  t.teardown(() => {
    rmSync(rc);
  });
  const ended = await ssh(server, user, ["tty >/dev/null && echo terminal; stty size >/dev/null && kill -INT $$"], { flags: ["-tt"] });
  t.equal(ended.stdout.toString(), "rc\r\nterminal\r\n");
  t.equal(ended.status, 255, "it has ended by a signal of its own");
  const plain = publicLine(user.key);
  user.authorize(`no-user-rc ${plain}`);
  t.equal(await output("echo alone"), "alone\n");
  user.authorize(plain);
}); // prettier-ignore
t.test("Bytes of a command that are not UTF-8 arrive as they are", async (t) => {
  // Node's arguments are UTF-8, so the bytes are made by the shell that starts the client.
  const options = loginOptions(server, user).map((option) => `'${option}'`).join(" "); // prettier-ignore
  const line = `exec ${tool("ssh")} ${options} 127.0.0.1 "$(printf 'printf %%s \\377\\303\\200x')"`;
  const ended = await run("/bin/sh", ["-c", line]);
  t.equal(ended.stdout.toString("hex"), "ffc38078", ended.stderr);
});

t.test(
  "The user's processes inherit no descriptor, filter, limit or group of the server's",
  async (t) => {
    t.match(await output("ls -1 /proc/self/fd | tr '\\n' ' '"), /^0 1 2 3 $/, "3 is ls reading");
    t.equal(await output("cat /proc/$$/status | grep -E '^(NoNewPrivs|Seccomp|CapEff|CapPrm|CapInh|CapAmb):'"), [
    "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
    "CapAmb:\t0000000000000000", "NoNewPrivs:\t0", "Seccomp:\t0", "",
  ].join("\n")); // prettier-ignore
    for (const field of ["SigBlk", "SigIgn", "CapBnd"])
    t.match(await output(`grep ^${field}: /proc/self/status`), field === "CapBnd" ? statusOf(process.pid, field) : "0000000000000000", field); // prettier-ignore
    t.equal(await output("id -Gn"), `${user.name}\n`);
    // The limits of the listener's parent: what the server raised or lowered for itself is not the user's.
    t.equal(await output("cat /proc/self/limits"), readFileSync("/proc/self/limits", "utf8"));
  },
);

t.test("64 MiB of any bytes pass in each direction unchanged", async (t) => {
  const data = randomBytes(64 << 20);
  const up = await ssh(server, user, ["sha256sum"], { input: data });
  t.equal(up.stdout.toString().slice(0, 64), digest(data));
  writeFileSync(`${user.home}/data`, data);
  const down = await ssh(server, user, ["cat data"]);
  t.equal(digest(down.stdout), digest(data));
});
t.test("1 GiB passes in each direction unchanged", async (t) => {
  const sum = "head -c 1073741824 /dev/zero | sha256sum";
  const expected = (await run("/bin/sh", ["-c", sum])).stdout.toString();
  const options = loginOptions(server, user, { options: ["Ciphers=aes128-gcm@openssh.com"] });
  const quoted = options.map((option) => `'${option}'`).join(" ");
  const down = `${tool("ssh")} -n ${quoted} 127.0.0.1 'head -c 1073741824 /dev/zero' | sha256sum`;
  t.equal((await run("/bin/sh", ["-c", down])).stdout.toString(), expected);
  const up = `head -c 1073741824 /dev/zero | ${tool("ssh")} ${quoted} 127.0.0.1 sha256sum`;
  t.equal((await run("/bin/sh", ["-c", up])).stdout.toString(), expected);
});
t.test("The end of the input is not the end of the output, nor the other way round", async (t) => {
  const after = await ssh(server, user, ["sum=$(sha256sum); sleep 0.3; echo $sum"], { input: "x" });
  t.match(after.stdout.toString(), digest(Buffer.from("x")));
  const before = await ssh(server, user, ["exec >&- 2>&-; cat >got; exit 7"], { input: randomBytes(1 << 20) }); // prettier-ignore
  t.equal(before.status, 7);
  t.equal(readFileSync(`${user.home}/got`).length, 1 << 20);
  // Both ends are said, so that the client closes its channel long before the program has ended.
  for (const flags of [["-n"], ["-n", "-tt"]]) {
    const late = await ssh(server, user, ["trap '' HUP; exec <&- >&- 2>&-; sleep 1; exit 7"], { flags }); // prettier-ignore
    t.equal(late.status, 7);
  }
});

t.test("sftp and scp move files through an external sftp-server", async (t) => {
  const data = randomBytes(3 << 20);
  const [from, back] = [`${server.folder}/from`, `${server.folder}/back`];
  writeFileSync(from, data);
  for (const version of ["10.0", "9.2"] as const) {
    const options = loginOptions(server, user, { version });
    const program = ["-S", tool("ssh", version)];
    const batch = `put ${from} put\nget put ${back}\n`;
    const sftp = await run(tool("sftp", version), [...options, ...program, "-b", "-", "127.0.0.1"], batch); // prettier-ignore
    t.equal(sftp.status, 0, sftp.stderr);
    t.equal(digest(readFileSync(back)), digest(data));
    for (const flags of [[], ["-O"]]) {
      const scp = await run(tool("scp", version), [...options, ...program, ...flags, from, "127.0.0.1:copied"]); // prettier-ignore
      t.equal(scp.status, 0, scp.stderr);
      t.equal(digest(readFileSync(`${user.home}/copied`)), digest(data));
    }
  }
});

t.test("Fifty logins at once all get their own answer", async (t) => {
  const logins = Array.from({ length: 50 }, (_, i) => ssh(server, user, [`cat; exit ${i}`], { input: `${i}` })); // prettier-ignore
  const ended = await Promise.all(logins);
  t.same(
    ended.map(({ status, stdout }) => [status, stdout.toString()]),
    logins.map((_, i) => [i, `${i}`]),
    ended.map(({ stderr }) => stderr).join(""),
  );
});

t.test("Every session has ended as ok and nothing is left", async (t) => {
  await server.endedConnections();
  t.same(server.events("connection.ended").filter(({ fields }) => fields["end"] !== "ok").map(({ msg }) => msg), []); // prettier-ignore
  t.same(server.events().filter(({ level }) => level === "fatal" || level === "error").map(({ msg }) => msg), []); // prettier-ignore
  await server.stop();
  await server.isGone();
});
