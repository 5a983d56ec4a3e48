// bin/sallyportd as an administrator meets it: exit statuses and words are sshd's.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { makeKey, temporaryFolder } from "../support/ssh-keys.ts";
import { until } from "../support/until.ts";

const program = fileURLToPath(new URL("../../bin/sallyportd", import.meta.url));

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
function run(args: readonly string[], file = program, cwd = "/"): Ran {
  const env = { PATH: "/usr/bin:/bin", NODE_OPTIONS: "--no-such-flag" };
  return spawnSync(file, args, { encoding: "utf8", timeout: 60_000, cwd, env });
}
/** A folder with a configuration of these lines; a host key too unless said otherwise. */
function configured(
  t: Test,
  lines: readonly string[],
  hasKey = true,
): { folder: string; config: string } {
  const folder = temporaryFolder(t);
  const hostKey = hasKey ? makeKey(folder, "ed25519").path : `${folder}/absent`;
  const config = `${folder}/config`;
  const all = [...lines, `HostKey ${hostKey}`, `PidFile ${folder}/pid`];
  writeFileSync(config, `${all.join("\n")}\n`);
  return { folder, config };
}
/** Ends a daemon of which only the pid file is known. */
async function terminate(folder: string): Promise<void> {
  process.kill(Number(readFileSync(`${folder}/pid`, "utf8")), "SIGTERM");
  await until("the pid file is removed", () => !existsSync(`${folder}/pid`));
}

t.test("sallyportd refuses flags that it does not know, with its usage", (t) => {
  const ran = run(["-Z"]);
  t.equal(ran.status, 1);
  t.match(ran.stderr, /option -- '?Z'?\nusage: sallyportd /);
  t.end();
});

t.test(
  "sallyportd refuses to serve under a relative path, and tests its configuration all the same",
  (t) => {
    const { config } = configured(t, []);
    const folder = temporaryFolder(t);
    symlinkSync(program, `${folder}/link`);
    const ran = run(["-f", config], "./link", folder);
    t.equal(ran.status, 1);
    t.match(ran.stderr, /^sshd requires execution with an absolute path$/m);
    t.equal(run(["-t", "-f", config], "./link", folder).status, 0);
    t.end();
  },
);

t.test("sallyportd refuses a configuration with file and line, and exits with 255", (t) => {
  const { config } = configured(t, ["Port 22", "NoSuchKeyword yes"]);
  for (const flag of ["-t", "-T", "-G", "-D"]) {
    const ran = run([flag, "-f", config]);
    t.equal(ran.status, 255, flag);
    t.match(ran.stderr, `${config}: line 2: Bad configuration option: NoSuchKeyword`, flag);
  }
  t.match(run(["-t", "-f", "/nonexistent"]), {
    status: 255,
    stderr: /^\/nonexistent: No such file/,
  });
  t.end();
});

t.test("sallyportd refuses to start without a host key", (t) => {
  const { config } = configured(t, ["Port 0", "ListenAddress 127.0.0.1"], false);
  for (const flags of [["-t"], ["-T"], ["-D"], []]) {
    const ran = run([...flags, "-f", config]);
    t.equal(ran.status, 1, flags.join(""));
    t.match(ran.stderr, /^sshd: no hostkeys available -- exiting\.\r?$/m, flags.join(""));
    t.match(ran.stderr, "Unable to load host key");
  }
  t.equal(run(["-G", "-f", config]).status, 0, "-G needs none");
  t.end();
});

t.test("sallyportd ignores a host key that others may read", (t) => {
  const { config, folder } = configured(t, ["Port 0"]);
  const key = /^HostKey (.*)$/m.exec(readFileSync(config, "utf8"))?.[1] ?? folder;
  chmodSync(key, 0o644);
  const ran = run(["-t", "-f", config]);
  t.equal(ran.status, 1);
  t.match(ran.stderr, "UNPROTECTED PRIVATE KEY FILE");
  t.end();
});

t.test("sallyportd says to its starter that no address could be bound", async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo; // it listens on TCP
  const { config, folder } = configured(t, ["ListenAddress 127.0.0.1", `Port ${port}`]);
  const ran = run(["-f", config, "-E", `${folder}/log`]);
  t.equal(ran.status, 255);
  const said = `Bind to port ${port} on 127.0.0.1 failed: Address already in use.`;
  t.match(ran.stderr, said);
  t.match(ran.stderr, "Cannot bind any address.");
  t.match(readFileSync(`${folder}/log`, "utf8"), said);
  t.notOk(existsSync(`${folder}/pid`));
});

t.test("sallyportd -V prints a version to stderr", (t) => {
  t.match(run(["-V"]), {
    status: 0,
    stdout: "",
    stderr: /^sallyport_\d+\.\d+\.\d+, Node v24\.\d+\.\d+/,
  });
  t.end();
});

t.test(
  "sallyportd -T prints a configuration that reads back to itself, and -C resolves its Match blocks",
  (t) => {
    const { config, folder } = configured(t, ["Port 2022", "MaxAuthTries 4"]);
    writeFileSync(config, `${readFileSync(config, "utf8")}Match User alice\n  MaxAuthTries 2\n`);
    const first = run(["-T", "-f", config]);
    t.equal(first.status, 0);
    t.match(first.stdout, /^maxauthtries 4$/im);
    t.match(run(["-T", "-C", "user=alice", "-f", config]).stdout, /^maxauthtries 2$/im);
    writeFileSync(`${folder}/again`, first.stdout);
    t.equal(run(["-T", "-f", `${folder}/again`]).stdout, first.stdout);
    t.end();
  },
);

t.test("sallyportd goes to the background: its starter returns when it listens", async (t) => {
  const { config, folder } = configured(t, ["Port 0", "ListenAddress 127.0.0.1"]);
  const ran = run(["-f", config, "-E", `${folder}/log`]);
  t.same(ran, { ...ran, status: 0, stdout: "", stderr: "" });
  t.match(
    readFileSync(`${folder}/log`, "utf8"),
    /^Server listening on 127\.0\.0\.1 port \d+\.\r?$/m,
  );
  await terminate(folder);
  t.match(readFileSync(`${folder}/log`, "utf8"), /^Received signal 15; terminating\.\r?$/m);
});
