// Peers that take nothing while others give: what a connection holds in memory has a bound in each direction, and nothing is lost when they go on.
import { readFileSync } from "node:fs";
import t, { type Test } from "tap";
import { RawConnection } from "../../fuzz/server/raw-connection.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { processes } from "../../lab/processes.ts";
import { WireWriter } from "../../session/ssh/wire.ts";
import { ssh, sshArguments, start, tool } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser, publicLine } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const SSH2_MSG_PING = 192;
const SSH2_MSG_PONG = 193;
const mib = 1 << 20;
/** Loopback sockets take some MiB in each direction before the server has read a byte. */
const mostMib = 64;

const user = makeUser(t);
const key = new LabKey("slow");
user.authorize(key.line().trim(), publicLine(user.key));
const server = await TestServer.start(t);

/** Broker, session process and worker of the one connection that is served. */
function isBounded(t: Test): void {
  for (const kind of ["session", "broker", "worker"]) {
    const [serving] = server.children(kind).filter(({ title }) => !title.includes("[warm]"));
    t.ok(serving, kind);
    const rollup = readFileSync(`/proc/${serving?.pid ?? 0}/smaps_rollup`, "utf8");
    const privateKib = Number(/^Private_Dirty:\s*(\d+)/m.exec(rollup)?.[1] ?? Infinity);
    t.ok(privateKib < 32_768, `${kind}: ${privateKib} KiB are private`);
  }
}
/** Writes until nothing has been taken for as long as a whole login takes; what was taken, in MiB. */
async function fill(write: () => number): Promise<number> {
  let taken = 0;
  let before = -1;
  await until("nothing is taken any more", async () => {
    taken = write();
    if (taken > mostMib * mib) return true;
    const isStopped = taken === before;
    before = taken;
    if (!isStopped) await ssh(server, user, ["true"]);
    return isStopped;
  });
  return taken / mib;
}

t.test(
  "A client that asks and does not read the answers is not read from, and gets all when it reads",
  async (t) => {
    const raw = await RawConnection.open(server.port, {
      suite: { cipher: "aes128-gcm@openssh.com", mac: "" },
    });
    raw.identify();
    await raw.exchange();
    await raw.login(user.name, key);
    raw.socket.pause();
    const ping = new WireWriter()
      .byte(SSH2_MSG_PING)
      .string(Buffer.alloc(30_000, "ping"))
      .finish()
      .slice();
    let sent = 0;
    const taken = await fill(() => {
      while (raw.socket.writableLength < mib && raw.socket.bytesWritten < (mostMib + 1) * mib) {
        raw.send(ping);
        sent += 1;
      }
      return raw.socket.bytesWritten - raw.socket.writableLength;
    });
    t.ok(taken < mostMib, `${taken} MiB were taken`);
    isBounded(t);
    raw.socket.resume();
    for (let i = 0; i < sent; i += 1) {
      const pong = await raw.until(SSH2_MSG_PONG);
      t.equal(pong.length, ping.length, `answer ${i}`);
    }
    raw.socket.destroy();
    await server.endedConnections();
  },
);

t.test("A program that does not read stops the client, and gets all when it reads", async (t) => {
  const command = "until test -e ~/go; do sleep 0.1; done; wc -c";
  const child = start(tool("ssh"), sshArguments(server, user, [command]));
  t.teardown(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout?.on("data", (data: Buffer) => (said += data.toString()));
  const chunk = Buffer.alloc(mib / 4);
  let given = 0;
  let pending = 0;
  await until("it runs", () =>
    processes().some(({ uid, title }) => uid === user.uid && title.includes("until test")),
  );
  const taken = await fill(() => {
    while (pending < mib && given < (mostMib + 1) * mib) {
      given += chunk.length;
      pending += chunk.length;
      child.stdin?.write(chunk, () => (pending -= chunk.length));
    }
    return given - pending;
  });
  t.ok(taken < mostMib, `${taken} MiB were taken`);
  isBounded(t);
  await ssh(server, user, ["touch go"]);
  child.stdin?.end();
  await until("it has counted", () => said.endsWith("\n"));
  t.equal(Number(said), given);
});

t.test("Nothing of all that was an error, and nothing is left", async (t) => {
  await server.endedConnections();
  t.same(
    server
      .events()
      .filter(({ level }) => level === "fatal")
      .map(({ msg }) => msg),
    [],
  );
  await server.stop();
  await server.isGone();
});
