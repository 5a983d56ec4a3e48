// A real server with somebody logged in, looked at from outside.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import type { ProcessStatus } from "../../../tools/sandbox/status.ts";
import { TestServer } from "../../support/test-server.ts";
import { makeUser } from "../../support/test-user.ts";
import { until } from "../../support/until.ts";

const tool = fileURLToPath(new URL("../../../bin/sallyport", import.meta.url));
function status(...args: readonly string[]): { status: number | null; out: string; err: string } {
  const ended = spawnSync(tool, ["sandbox", "status", ...args], { encoding: "utf8", maxBuffer: 1 << 24 }); // prettier-ignore
  return { status: ended.status, out: ended.stdout, err: ended.stderr };
}
interface Report {
  readonly holds: boolean;
  readonly listener: number;
  readonly processes: readonly ProcessStatus[];
}

t.test("status of no server, or of a process that is none, is one line and status 2", (t) => {
  for (const args of [
    ["-f", "none"],
    ["-f", "/nonexistent"],
    ["--pid", String(process.pid)],
    ["--pid", "x"],
  ]) {
    // prettier-ignore
    const { status: code, err } = status(...args);
    t.equal(code, 2, args.join(" "));
    t.equal(err.trim().split("\n").length, 1, err);
  }
  t.end();
});

t.test("a server with somebody logged in", async (t) => {
  const server = await TestServer.start(t);
  const user = makeUser(t);
  const client = spawn(
    "ssh",
    ["-F", "none", "-p", `${server.port}`, "-i", user.key.path, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", `${user.name}@127.0.0.1`, "exec sleep 300"],
    { stdio: "ignore" },
  ); // prettier-ignore
  t.teardown(() => client.kill("SIGKILL"));
  await until("the user's session runs", () =>
    server.children("session").some(({ title }) => title.includes(`${user.name}@`)),
  );
  const config = `${server.folder}/config`;

  await t.test("everything that is required holds, for each role, and is told as JSON", (t) => {
    const { status: code, out, err } = status("-f", config, "--json");
    t.equal(code, 0, err);
    const report = JSON.parse(out) as Report;
    t.equal(report.listener, server.pid);
    t.equal(report.holds, true);
    const found = new Set(report.processes.map(({ role }) => role));
    for (const role of ["listener", "signer", "zygote", "broker", "session", "worker"] as const)
      t.ok(found.has(role), role);
    const session = report.processes.find(({ title }) => title.includes(`${user.name}@`));
    t.match(session, { verdict: "holds", filter: "session" });
    t.equal(session?.facts.threads[0]?.seccomp, 2);
    t.equal(session?.facts.rootEntries, 0);
    t.equal(session?.facts.limits["Max processes"], "0 0");
    const worker = report.processes.find(({ role }) => role === "worker");
    t.match(worker, { verdict: "free", facts: { uids: [user.uid, user.uid, user.uid, user.uid] } });
    t.end();
  });

  await t.test("a person reads a line a process, and by the pid as well", (t) => {
    const { status: code, out } = status("--pid", String(server.pid), "--verbose");
    t.equal(code, 0);
    t.match(out, /^session .*session ×\d.*✓ holds/m);
    t.match(out, /everything that is required holds/);
    t.notMatch(out, /\u001b/, "no colour where no terminal is");
    t.end();
  });

  await t.test(
    "it is red, with status 1, when a process is not what the configuration wants",
    (t) => {
      const changed = `${server.folder}/other`;
      writeFileSync(changed, `PrivsepUser daemon\n${readFileSync(config, "utf8")}`);
      const { status: code, out } = status("-f", changed);
      t.equal(code, 1);
      t.match(out, /✗ identity: Uid is/);
      t.end();
    },
  );
});
