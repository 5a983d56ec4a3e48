// The drift canary: a server whose policy lacks a call that the runtime makes refuses to serve, and names the call. The policies are spoiled in
// copies of the built server; nothing in production can be told to do so.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import t, { type Test } from "tap";
import { makePatchedTree } from "../../lab/patched-tree.ts";
import type { Patch } from "../../lab/patches.ts";
import { ssh } from "../support/ssh-client.ts";
import { makeKey } from "../support/ssh-keys.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";

const user = makeUser(t);

/** The rules of `group` in the session policy, without those for `call`. */
const without = (call: string, group: string): Patch => ({
  file: "sandbox/policies/session.js",
  search: `...${group},`,
  replacement: `...${group}.filter((rule) => rule.syscall !== "${call}"),`,
});

function patched(t: Test, ...patches: Patch[]): string {
  const folder = mkdtempSync("/var/tmp/sallyport-canary.");
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  makePatchedTree(folder, patches);
  return folder;
}

/** Starts it in the foreground, with a minute to give up by itself. */
function run(folder: string, ...flags: string[]) {
  const { path } = makeKey(folder, "ed25519");
  const config = ["Port 0", "ListenAddress 127.0.0.1", `HostKey ${path}`, `PidFile ${folder}/pid`, `EventLog ${folder}/events`]; // prettier-ignore
  writeFileSync(`${folder}/config`, `${config.join("\n")}\n`);
  const ran = spawnSync(
    `${folder}/bin/sallyportd`,
    [...flags, "-f", `${folder}/config`, "-E", `${folder}/log`],
    { timeout: 60_000, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
  );
  const read = (name: string): string =>
    existsSync(`${folder}/${name}`) ? readFileSync(`${folder}/${name}`, "utf8") : "";
  return { status: ran.status, stderr: ran.stderr, log: read("log"), events: read("events") };
}

const lacking: readonly [call: string, group: string, told: RegExp][] = [
  ["munmap", "memory", /lacks munmap\((0x[0-9a-f]+(, )?){6}\), which this runtime makes here/],
  ["epoll_ctl", "events", /lacks epoll_ctl\(/],
  ["recvmsg", "inputAndOutput", /lacks recvmsg\(/],
  // With these two the handler itself speaks.
  ["write", "inputAndOutput", /lacks write or exit_group/],
];
for (const [call, group, told] of lacking)
  t.test(`A server whose policy lacks ${call} refuses to serve, and says so`, (t) => {
    const folder = patched(t, without(call, group));
    const { status, stderr, log, events } = run(folder, "-D");
    t.equal(status, 255);
    t.match(log, told);
    t.match(stderr, told, "who starts it is told as well");
    t.notMatch(log, /Server listening/);
    t.match(events, /"level":"fatal".*"code":"sandbox\.canary-failed".*"layer":"seccomp"/);
    t.notOk(existsSync(`${folder}/pid`));
    t.end();
  });

t.test("A daemon that refuses to serve ends with a status that says so", (t) => {
  const { status, stderr } = run(patched(t, without("munmap", "memory")));
  t.not(status, 0);
  t.match(stderr, /lacks munmap\(/);
  t.end();
});

t.test("-t does not run the canary", (t) => {
  const { status } = run(patched(t, without("munmap", "memory")), "-t");
  t.equal(status, 0);
  t.end();
});

t.test("With the true policy a canary comes back before the server listens, once", async (t) => {
  // Other code than ever before, so that nothing is remembered of it.
  const search = "export function runCanary(";
  const folder = patched(t, {
    file: "session/canary.js",
    search,
    replacement: `/* ${process.pid} ${performance.timeOrigin} */ ${search}`,
  });
  const program = `${folder}/bin/sallyportd`;
  const first = await TestServer.start(t, { program });
  const codes = first.events().map(({ code }) => code);
  t.ok(codes.includes("sandbox.canary-passed"), codes.join());
  t.ok(codes.indexOf("sandbox.canary-passed") < codes.indexOf("listening"));
  const ended = await ssh(first, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  await first.stop();
  const second = await TestServer.start(t, { program });
  t.same(second.events("sandbox.canary-passed"), [], "remembered");
  await second.stop();
});
