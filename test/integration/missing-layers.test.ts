// A machine that cannot give every layer: nobody is served without a required one, and what else is missing is said, with what is weaker for it.
// The machine is a container without CAP_SYS_ADMIN, or one that has a filter of its own.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { makePatchedTree } from "../../lab/patched-tree.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const user = makeUser(t);
const noAdmin = "exec setpriv --bounding-set=-sys_admin";
const outerFilter = `exec /usr/bin/python3 ${root}test/integration/programs/with-filter.py`;

/** A program that starts `server` in there, and becomes it. */
function within(t: Test, how: string, server = `${root}bin/sallyportd`): string {
  const folder = mkdtempSync("/var/tmp/sallyport-within.");
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = `${folder}/start`;
  writeFileSync(path, `#!/bin/sh\n${how} ${server} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}
const status = (server: TestServer): ReturnType<typeof spawnSync> =>
  spawnSync(`${root}bin/sallyport`, ["sandbox", "status", "-f", `${server.folder}/config`], { encoding: "utf8" }); // prettier-ignore

t.test("A server that requires a layer which cannot be had does not serve", async (t) => {
  await t.rejects(
    TestServer.start(t, {
      program: within(t, noAdmin),
      config: ["SandboxRequire netns seccomp"],
    }),
    /The server ended: .*layer netns is required \(SandboxRequire\) and cannot be had here: EPERM/s,
  );
});

t.test("In a container's filter a session process without its own is found out", async (t) => {
  const folder = mkdtempSync("/var/tmp/sallyport-unfiltered.");
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  makePatchedTree(folder, [
    {
      file: "sandbox/confine-session.js",
      search: "installSeccompFilter(sessionFilter);",
      replacement: "",
    },
  ]);
  const program = within(t, outerFilter, `${folder}/bin/sallyportd`);
  const server = await TestServer.start(t, { program });
  const told = await until("it is told", () => server.events("sandbox.layer-missing")[0]);
  t.equal(told.level, "error");
  t.match(told.msg, /session process is not confined: seccomp: Seccomp_filters is 1$/);
  t.not((await ssh(server, user, ["true"])).status, 0, "nobody is served");
  t.same(
    server.events("connection.accepted").filter(({ pid }) => pid !== server.pid),
    [],
  );
});

t.test("In a container's filter a server serves, and status counts its own alone", async (t) => {
  const server = await TestServer.start(t, { program: within(t, outerFilter) });
  t.equal((await ssh(server, user, ["echo in"])).stdout.toString(), "in\n");
  const shown = status(server);
  t.equal(shown.status, 0, String(shown.stdout));
  t.match(shown.stdout, /^session .*session ×2.*✓ holds/m);
});

t.test("What a plain container cannot give is said at the start, and by status", async (t) => {
  const server = await TestServer.start(t, { program: within(t, noAdmin) });
  const layers = ["cgroupns", "ipcns", "mntns", "netns", "pidns", "utsns"];
  const told = await until("all are told", () => {
    const events = server.events("sandbox.layer-missing");
    return events.length >= layers.length ? events : undefined;
  });
  t.same(told.map(({ fields }) => fields["layer"]).sort(), layers);
  for (const { level, msg } of told) {
    t.equal(level, "info");
    t.match(msg, /^session processes lack a layer of confinement: \w+: .+; without it .+/);
  }
  t.equal((await ssh(server, user, ["echo in"])).stdout.toString(), "in\n", "it serves");
  const shown = status(server);
  t.equal(shown.status, 0, "nothing that is required is missing");
  t.match(shown.stdout, /✓ holds, 6 optional missing/);
  t.match(shown.stdout, /netns: .*without it nothing but the filter and Landlock/);
});
