// The listener's own behaviour: what it drops, what SIGHUP does, how it ends.
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import t, { type Test } from "tap";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

/** A client that says nothing; what it was told is in `heard`. */
async function silentClient(
  t: Test,
  port: number,
): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect(port, "127.0.0.1");
  t.teardown(() => socket.destroy());
  let text = "";
  socket.on("data", (data) => (text += data.toString("latin1")));
  socket.on("error", () => undefined); // a refusal may arrive as a reset
  await once(socket, "connect");
  return { socket, heard: () => text };
}

t.test(
  "the listener drops connections above MaxStartups, and says so to client and log",
  async (t) => {
    const server = await TestServer.start(t, { config: ["MaxStartups 2:100:2"] });
    const first = await silentClient(t, server.port);
    const second = await silentClient(t, server.port);
    await until("both are served", () => first.heard() !== "" && second.heard() !== "");
    const third = await silentClient(t, server.port);
    await until("the third is told", () => third.heard() !== "");
    t.equal(third.heard(), "Not allowed at this time\r\n");
    t.match(server.log, /^beginning MaxStartups throttling$/m);
    t.match(
      server.log,
      new RegExp(
        `^drop connection #2 from \\[127\\.0\\.0\\.1\\]:\\d+ on \\[127\\.0\\.0\\.1\\]:${server.port} Maxstartups$`,
        "m",
      ),
    );
    first.socket.destroy();
    second.socket.destroy();
    await until("both have ended", () => server.events("connection.ended").length === 2);
    const fourth = await silentClient(t, server.port);
    await until("there is room again", () => fourth.heard() !== "");
    t.match(fourth.heard(), /^SSH-2\.0-/);
  },
);

t.test("SIGHUP with a configuration that is wrong changes nothing", async (t) => {
  const server = await TestServer.start(t);
  const good = readFileSync(`${server.folder}/config`, "utf8");
  writeFileSync(`${server.folder}/config`, `${good}NoSuchKeyword yes\n`);
  process.kill(server.pid, "SIGHUP");
  await until("it is refused", () => server.events("reload.failed")[0]);
  t.match(server.log, /Bad configuration option: NoSuchKeyword/);
  t.notMatch(server.log, /restarting/);
  const client = await silentClient(t, server.port);
  await until("it serves", () => client.heard().startsWith("SSH-2.0-"));
});

t.test("SIGHUP without a usable host key changes nothing", async (t) => {
  const server = await TestServer.start(t);
  const good = readFileSync(`${server.folder}/config`, "utf8");
  writeFileSync(`${server.folder}/config`, good.replace(/^HostKey .*/m, "HostKey /nonexistent"));
  process.kill(server.pid, "SIGHUP");
  await until("it is refused", () => server.events("reload.failed")[0]);
  const client = await silentClient(t, server.port);
  await until("it serves", () => client.heard().startsWith("SSH-2.0-"));
});

t.test("SIGHUP takes a new configuration, and leaves connections alone", async (t) => {
  const server = await TestServer.start(t);
  const old = await silentClient(t, server.port);
  await until("the old one is served", () => old.heard() !== "");
  const config = readFileSync(`${server.folder}/config`, "utf8");
  writeFileSync(
    `${server.folder}/config`,
    config.replace("Port 0", "Port 0\nVersionAddendum anew"),
  );
  process.kill(server.pid, "SIGHUP");
  const listening = await until("it listens anew", () => server.events("listening")[1]);
  t.match(server.log, /^Received SIGHUP; restarting\.$/m);
  const client = await silentClient(t, Number(listening.fields["port"]));
  await until("it serves", () => client.heard() !== "");
  t.match(client.heard(), /^SSH-2\.0-\S+ anew\r\n/);
  t.equal(server.events("connection.ended").length, 0);
  t.ok(existsSync(`${server.folder}/pid`));
});

t.test("SIGQUIT ends the listener with nothing left behind", async (t) => {
  const server = await TestServer.start(t);
  const client = await silentClient(t, server.port);
  await until("it is served", () => client.heard() !== "");
  await server.stop("SIGQUIT");
  t.match(server.log, /^Received signal 3; terminating\.$/m);
  t.notOk(existsSync(`${server.folder}/pid`));
  client.socket.destroy();
  await server.isGone();
});
