// What hundreds of connections leave behind in the processes that live on: nothing. And sessions outlive what they were forked from.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import t from "tap";
import { makePatchedTree } from "../../lab/patched-tree.ts";
import { isAlive } from "../../lab/processes.ts";
import { EchoSession } from "../support/echo-session.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const user = makeUser(t);
const many = { config: ["MaxStartups 200"] };

/** Eight users of the server at once: each goes on as soon as it is served. */
async function inParallel(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}
/** As port scanners, health checks and lost clients do: nothing, a word, half an identification; a FIN, or a reset. */
const scan = (port: number, index: number): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      const said = ["", "GET / HTTP/1.0\r\n\r\n", "SSH-2.0-sca", "SSH-2.0-scan\r\n\0\0\0"][
        index % 4
      ];
      if (said !== "") socket.write(said ?? "");
      if (index % 3 === 0) socket.resetAndDestroy();
      else socket.end();
    });
    socket.on("error", () => undefined);
    socket.resume();
    socket.once("close", () => {
      resolve();
    });
  });

const lasting = ["listener", "spawner", "zygote", "signer"] as const;
function holdings(server: TestServer) {
  const found = lasting.map((kind) => {
    const pid = kind === "listener" ? server.pid : (server.children(kind)[0]?.pid ?? 0);
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const privateKib = Number(/^Private_Dirty:\s*(\d+)/m.exec(rollup)?.[1] ?? Infinity);
    return [kind, { pid, descriptors: readdirSync(`/proc/${pid}/fd`).length, privateKib }] as const;
  });
  return new Map(found);
}

t.test(
  "Hundreds of logins and scans leave no descriptor, no process and no memory behind",
  async (t) => {
    const server = await TestServer.start(t, many);
    const logins = (count: number): Promise<void> =>
      inParallel(count, async (index) => {
        const ended = await ssh(server, user, [`exit ${index % 50}`]);
        t.equal(ended.status, index % 50, ended.stderr);
      });
    const scans = (count: number): Promise<void> =>
      inParallel(count, (index) => scan(server.port, index));
    // What each takes for itself once is no leak; heaps have their size then.
    await logins(100);
    await scans(100);
    await server.endedConnections();
    const before = holdings(server);
    const processesBefore = server.children().length;
    await logins(150);
    await scans(450);
    await server.endedConnections();
    await until(
      "as many processes run as before",
      () => server.children().length === processesBefore,
    );
    const after = holdings(server);
    for (const kind of lasting) {
      const [then, now] = [before.get(kind), after.get(kind)];
      t.equal(now?.pid, then?.pid, `${kind} is the same`);
      t.equal(now?.descriptors, then?.descriptors, `descriptors of the ${kind}`);
      const grown = (now?.privateKib ?? Infinity) - (then?.privateKib ?? 0);
      // 600 connections: a leak of 4 KiB in each would show.
      t.ok(grown < 2400, `${kind} has grown by ${grown} KiB`);
    }
    t.same(
      server
        .events()
        .filter(({ level }) => level === "fatal")
        .map(({ msg }) => msg),
      [],
    );
    await server.stop();
    await server.isGone();
  },
);

t.test(
  "A session lives on while zygote after zygote is replaced, and each that is gone has ended",
  async (t) => {
    const folder = mkdtempSync("/var/tmp/sallyport-renewal.");
    t.teardown(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    makePatchedTree(folder, [
      {
        file: "daemon/pool/supervisor.js",
        search: "const maxForks = 4096;",
        replacement: "const maxForks = 12;",
      },
    ]);
    const server = await TestServer.start(t, { ...many, program: `${folder}/bin/sallyportd` });
    const first = await until("a zygote", () => server.children("zygote")[0]);
    const echo = new EchoSession(t, server, user, ["RekeyLimit=16K"]);
    await echo.says("hello");
    await until("the zygote has been replaced three times", async () => {
      const ended = await ssh(server, user, ["echo in"]);
      t.equal(ended.stdout.toString(), "in\n", ended.stderr);
      await echo.says(`still here ${"x".repeat(5000)}`);
      return server.events("zygote.renewed").length >= 3;
    });
    t.equal(
      server.events("connection.ended").some(({ fields }) => fields["end"] !== "ok"),
      false,
    );
    await echo.close();
    await server.endedConnections();
    await until("the first zygote, whose last session that was, has ended", () => !isAlive(first));
    await until("one zygote runs", () => server.children("zygote").length === 1);
    t.same(
      server
        .events()
        .filter(({ level }) => level === "fatal" || level === "error")
        .map(({ msg }) => msg),
      [],
    );
    await server.stop();
    await server.isGone();
  },
);
