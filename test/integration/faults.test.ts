// SIGKILL to each kind of process while two sessions run: what ends, what goes on, what the log says.
import { readdirSync, readFileSync } from "node:fs";
import t, { type Test } from "tap";
import { isAlive, processes, type Process } from "../../lab/processes.ts";
import { EchoSession } from "../support/echo-session.ts";
import { ssh, sshArguments, start, tool } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const user = makeUser(t);
const server = await TestServer.start(t);

const isServing = ({ title }: Process): boolean => !title.includes("[warm]");
const serving = (kind: string): Process[] => server.children(kind).filter(isServing);

/** Two sessions, in the order in which they logged in, each proved to answer. */
async function twoSessions(t: Test): Promise<[EchoSession, EchoSession]> {
  await server.endedConnections();
  const echoes: [EchoSession, EchoSession] = [
    new EchoSession(t, server, user),
    new EchoSession(t, server, user),
  ];
  await Promise.all(echoes.map((echo) => echo.says("hello")));
  return echoes;
}
async function nextLoginWorks(t: Test): Promise<void> {
  const ended = await ssh(server, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
}

/** What the log says of the death of each, beside `connection.ended`: code, end, and whether the line names the process and the signal. */
const deaths = {
  session: { code: "monitor.session-died", end: "crash", line: (pid: number) => `session process ${pid} of 127.0.0.1 port` },
  broker: { code: "broker.died", end: "crash", line: () => "is gone without a word" },
  worker: { code: "connection.we-disconnected", end: "ok", line: () => "The session's worker has ended" },
} as const; // prettier-ignore
const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
/** Of all that the server has started: nobody has been left unreaped. */
const zombies = (): string[] =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" && server.children().some((ours) => ours.pid === Number(parent));
    } catch {
      return false; // It ended meanwhile.
    }
  }); // prettier-ignore

for (const kind of ["session", "broker", "worker"] as const)
  t.test(`SIGKILL to the ${kind} of a connection ends that connection only`, async (t) => {
    await nextLoginWorks(t);
    await server.endedConnections();
    const open = descriptors(server.pid);
    const echoes = await twoSessions(t);
    const ended = server.events("connection.ended").length;
    const [victim] = serving(kind);
    t.ok(victim, server.children().map(({ title }) => title).join()); // prettier-ignore
    if (victim !== undefined) process.kill(victim.pid, "SIGKILL");
    const events = await server.connection(ended);
    const death = deaths[kind];
    const said = events.filter(({ code }) => code === death.code);
    const all = events.map(({ code, msg }) => `${code}: ${msg}`).join("; ");
    t.equal(said.length, 1, all);
    t.match(said[0]?.msg, death.line(victim?.pid ?? 0));
    if (kind === "session") t.match(said[0]?.msg, "killed by signal 9");
    t.equal(events.find(({ code }) => code === "connection.ended")?.fields["end"], death.end, all);
    // The broker reaps its session process itself.
    if (kind !== "session") {
      const child = await until("it is reaped", () => server.events("child.ended").find(({ fields }) => Number(fields["child"]) === victim?.pid)); // prettier-ignore
      t.match(child.msg, /signal 9|SIGKILL/);
    }
    const survivors = await Promise.all(
      echoes.map((echo) => Promise.race([echo.ended().then(() => null), echo.says("still here").then(() => echo)])), // prettier-ignore
    );
    t.equal(survivors.filter((echo) => echo !== null).length, 1, "one goes on");
    await nextLoginWorks(t);
    for (const echo of echoes) await echo.close();
    await server.endedConnections();
    await until("the user has no process", () => !processes().some(({ uid }) => uid === user.uid));
    await until("nobody is left unreaped", () => zombies().length === 0);
    await until("the listener holds no more than before", () => descriptors(server.pid) <= open);
  });

for (const kind of ["zygote", "signer"])
  t.test(`SIGKILL to the ${kind} ends no connection, and a new one is started`, async (t) => {
    const echoes = await twoSessions(t);
    const ended = server.events("connection.ended").length;
    const told = server.events("child.ended").filter(({ fields }) => fields["kind"] === kind).length; // prettier-ignore
    const [victim] = server.children(kind);
    if (victim !== undefined) process.kill(victim.pid, "SIGKILL");
    await until("the event", () => server.events("child.ended").filter(({ fields }) => fields["kind"] === kind).length > told); // prettier-ignore
    for (const echo of echoes) await echo.says("still here");
    await nextLoginWorks(t);
    for (const echo of echoes) await echo.close();
    await server.endedConnections();
    t.equal(server.events("connection.ended").length, ended + 3);
    t.equal(server.events("connection.ended").filter(({ fields }) => fields["end"] === "ok").length >= 3, true); // prettier-ignore
  });

t.test("A client that is killed leaves nothing behind", async (t) => {
  const [gone, stays] = await twoSessions(t);
  const ended = server.events("connection.ended").length;
  gone.child.kill("SIGKILL");
  await server.connection(ended);
  await stays.says("still here");
  await until("one cat is left", () => processes().filter(({ uid, title }) => uid === user.uid && title === "cat").length === 1); // prettier-ignore
  await stays.close();
});

t.test("A client that stops reading stops the source, and memory stays bounded", async (t) => {
  await server.endedConnections();
  const endless = "i=0; while head -c 1048576 /dev/zero; do i=$((i+1)); echo $i >~/sent; done";
  const child = start(tool("ssh"), sshArguments(server, user, [endless]));
  t.teardown(() => child.kill("SIGKILL"));
  child.stdout?.pause();
  const sent = async (): Promise<string> => (await ssh(server, user, ["cat sent 2>/dev/null"])).stdout.toString(); // prettier-ignore
  // Stopped: two looks, with a whole login between them, see the same count.
  let last = "";
  await until("the source stops", async () => {
    const now = await sent();
    const isSame = now !== "" && now === last;
    last = now;
    return isSame;
  });
  t.ok(Number(last) < 64, `${last.trim()} MiB were taken`);
  const [session] = serving("session");
  const rollup = readFileSync(`/proc/${session?.pid ?? 0}/smaps_rollup`, "utf8");
  const privateKb = Number(/^Private_Dirty:\s*(\d+)/m.exec(rollup)?.[1] ?? Infinity);
  t.ok(privateKb < 32_768, `${privateKb} KiB are private`);
  child.kill("SIGKILL");
});

t.test("SIGKILL to the listener leaves no process that waits for connections", async (t) => {
  const own = await TestServer.start(t);
  const echo = new EchoSession(t, own, user);
  await echo.says("hello");
  const before = own.children();
  await own.stop("SIGKILL");
  echo.child.kill("SIGKILL");
  await own.isGone();
  t.same(before.filter(isAlive), []);
});

t.test("Nothing is left at the end", async () => {
  await server.endedConnections();
  await server.stop();
  await server.isGone();
});
