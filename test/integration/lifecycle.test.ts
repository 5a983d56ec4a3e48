// A server in its days: half-open connections, addresses, its end and the next start while sessions live.
import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import t, { type Test } from "tap";
import { EchoSession } from "../support/echo-session.ts";
import { freePort } from "../support/free-port.ts";
import { processes } from "../../lab/processes.ts";
import { loginOptions, run, ssh, tool } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const user = makeUser(t);

function client(t: Test, port: number, says: string): Socket {
  const socket = connect(port, "127.0.0.1", () => socket.write(says));
  socket.on("error", () => undefined);
  socket.resume();
  t.teardown(() => socket.destroy());
  return socket;
}

t.test(
  "Connections that do not log in end with LoginGraceTime, each with sshd's line, and stand in nobody's way",
  async (t) => {
    const server = await TestServer.start(t, {
      config: ["LoginGraceTime 3", "MaxStartups 20:100:20"],
    });
    const says = ["", "SSH-2.0-half", "SSH-2.0-whole\r\n"];
    const sockets = Array.from({ length: 18 }, (_, i) => client(t, server.port, says[i % 3] ?? ""));
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    // As many as MaxStartups are not there yet.
    const during = await ssh(server, user, ["echo in"]);
    t.equal(during.stdout.toString(), "in\n", during.stderr);
    await Promise.all(closed);
    await server.endedConnections();
    const lines = server.log
      .split("\n")
      .filter((line) =>
        /^Timeout before authentication for connection from 127\.0\.0\.1 to 127\.0\.0\.1, pid = \d+$/.test(
          line,
        ),
      );
    t.equal(lines.length, 18);
    t.equal(new Set(lines).size, 18, "each names its own process");
    t.same(
      server.events("connection.ended").filter(({ fields }) => fields["end"] === "ok").length,
      1,
    );
    const after = await ssh(server, user, ["echo in"]);
    t.equal(after.stdout.toString(), "in\n", after.stderr);
    await server.stop();
    await server.isGone();
  },
);

t.test(
  "A session that runs goes on when its server ends, through new keys too; the next server serves beside it",
  async (t) => {
    const port = await freePort();
    const server = await TestServer.start(t, { port });
    const echo = new EchoSession(t, server, user, ["RekeyLimit=16K"]);
    await echo.says("hello");
    const before = server.children();
    await server.stop();
    t.match(server.log, /^Received signal 15; terminating\.$/m);
    await echo.says("the listener is gone");
    // Several times new keys, for which the signer that has the host keys is needed.
    for (let i = 0; i < 12; i += 1) await echo.says(`${i} ${"x".repeat(8000)}`);
    const refused = await ssh(server, user, ["echo in"]);
    t.equal(refused.status, 255);
    t.match(refused.stderr, "Connection refused");
    const next = await TestServer.start(t, { port });
    const ended = await ssh(next, user, ["echo in"]);
    t.equal(ended.stdout.toString(), "in\n", ended.stderr);
    await echo.says("still here");
    await next.stop();
    await echo.says("and now");
    await echo.close();
    for (const gone of [server, next]) await gone.isGone();
    t.same(
      before.filter(({ pid, started }) =>
        processes().some((found) => found.pid === pid && found.started === started),
      ),
      [],
    );
  },
);

t.test(
  "SIGHUP leaves a session alone, which gets new keys from the signer of its time",
  async (t) => {
    const server = await TestServer.start(t);
    const echo = new EchoSession(t, server, user, ["RekeyLimit=16K"]);
    await echo.says("hello");
    const { pid: signer } = await until("a signer", () => server.children("signer")[0]);
    writeFileSync(
      `${server.folder}/config`,
      `${readFileSync(`${server.folder}/config`, "utf8")}Match User ${user.name}\n  MaxSessions 0\n`,
    );
    process.kill(server.pid, "SIGHUP");
    const listening = await until("it listens anew", () => server.events("listening")[1]);
    server.port = Number(listening.fields["port"]);
    for (let i = 0; i < 12; i += 1) await echo.says(`${i} ${"x".repeat(8000)}`);
    const refused = await ssh(server, user, ["echo in"]);
    t.not(refused.status, 0, "the new configuration holds for new connections");
    t.equal(refused.stdout.toString(), "");
    await echo.close();
    await until("the old signer has ended", () =>
      server.children("signer").every(({ pid }) => pid !== signer),
    );
    await server.stop();
    await server.isGone();
  },
);

t.test("IPv6 serves as IPv4 does: the log, the environment, and from= in a key", async (t) => {
  const server = await TestServer.start(t, { config: ["ListenAddress ::1"] });
  const six = server.events("listening").find(({ fields }) => fields["address"] === "::1");
  const port = Number(six?.fields["port"]);
  t.match(server.log, new RegExp(`^Server listening on ::1 port ${port}\\.$`, "m"));
  const login = () =>
    run(tool("ssh"), [
      ...loginOptions(server, user, { options: [`Port=${port}`] }),
      "::1",
      "echo $SSH_CONNECTION",
    ]);
  const key = readFileSync(`${user.home}/.ssh/authorized_keys`, "utf8").trim();
  t.teardown(() => {
    user.authorize(key);
  });
  user.authorize(`from="127.0.0.1,fe80::/10" ${key}`);
  t.equal((await login()).status, 255);
  user.authorize(`from="::/64" ${key}`);
  const ended = await login();
  t.match(ended.stdout.toString(), new RegExp(`^::1 \\d+ ::1 ${port}\\n$`), ended.stderr);
  t.match(server.log, /^Accepted publickey for \S+ from ::1 port \d+ ssh2: ED25519 SHA256:/m);
  await server.stop();
  await server.isGone();
});
