// Logins are forked ahead: what becomes of those that nobody has used.
import { readFileSync } from "node:fs";
import t from "tap";
import { isAlive, type Process } from "../../lab/processes.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const user = makeUser(t);
const server = await TestServer.start(t);
const waiting = (): Promise<Process> =>
  until("a login waits", () => server.children("login").find(({ title }) => title.includes("[warm]"))); // prettier-ignore

t.test(
  "A waiting login that is killed costs nobody a login, and another takes its place",
  async (t) => {
    const victim = await waiting();
    process.kill(victim.pid, "SIGKILL");
    await until("its end is told", () => server.events("child.ended").some(({ fields }) => fields["child"] === String(victim.pid) || Number(fields["child"]) === victim.pid)); // prettier-ignore
    t.equal((await ssh(server, user, ["echo in"])).stdout.toString(), "in\n");
    await server.endedConnections();
    t.not((await waiting()).pid, victim.pid);
  },
);

t.test("A login that waited becomes the user's worker", async (t) => {
  const login = await waiting();
  const ended = await ssh(server, user, ["echo $PPID; cat /proc/self/status"]);
  const [parent, ...status] = ended.stdout.toString().split("\n");
  t.equal(Number(parent), login.pid);
  t.match(status.join("\n"), /^Uid:\t(\d+)\t\1\t\1\t\1$/m);
  t.notMatch(status.join("\n"), /^Uid:\t0/m);
});

t.test("A waiting login ends with its listener, however that ends", async () => {
  await server.endedConnections();
  const login = await waiting();
  const memory = readFileSync(`/proc/${login.pid}/status`, "latin1");
  t.match(memory, /^Uid:\t0/m);
  await server.stop("SIGKILL");
  await until("the login has ended", () => !isAlive(login));
});
