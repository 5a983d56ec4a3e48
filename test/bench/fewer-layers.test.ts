// The copy that `npm run bench -- --layers` measures against: it goes without what it is said to go without, has the rest, and serves.
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import t from "tap";
import { makeServerWithFewerLayers, opensshKind } from "../../bench/fewer-layers.ts";
import { statusOf } from "../../lab/processes.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

t.test("A server with fewer layers lacks those beyond OpenSSH's kind, and serves", async (t) => {
  const user = makeUser(t);
  const folder = mkdtempSync("/var/tmp/sallyport-fewer.");
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const program = makeServerWithFewerLayers(folder);
  const config = [`SandboxRequire ${opensshKind.join(" ")}`];
  const server = await TestServer.start(t, { program, config });
  t.equal((await ssh(server, user, ["echo in"])).stdout.toString(), "in\n");
  const warm = async (kind: string): Promise<number> =>
    (await until(kind, () => server.children(kind).find(({ title }) => title.includes("[warm]")))).pid; // prettier-ignore
  const [broker, session] = [await warm("broker"), await warm("session")];
  t.equal(statusOf(broker, "Seccomp"), "0");
  t.equal(statusOf(broker, "NoNewPrivs"), "0");
  t.equal(statusOf(session, "Seccomp"), "2");
  t.equal(statusOf(session, "NoNewPrivs"), "1");
  t.not(statusOf(session, "CapBnd"), "0000000000000000");
  t.equal(statusOf(session, "CapEff"), "0000000000000000");
  for (const kind of ["net", "mnt", "pid", "ipc"])
    t.equal(readlinkSync(`/proc/${session}/ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`));
});
