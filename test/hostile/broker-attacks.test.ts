// Part F of the attacks: a session process that has been taken over says to the real, running broker whatever it wants. Rows are in the order
// of the phases.
import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { ssh } from "../support/ssh-client.ts";
import { beforeKex, restricted } from "./broker-frame-attacks.ts";
import { afterLogin, beforeLogin } from "./broker-login-attacks.ts";
import { TakenSessionClient } from "../../lab/taken-session-client.ts";
import { Attack, attackEach, attackersKey, startTaken, text } from "../support/taken-session.ts";
import { makeUser, publicLine } from "../support/test-user.ts";
import { processes } from "../../lab/processes.ts";
import { until } from "../support/until.ts";

const user = makeUser(t);
user.authorize(
  publicLine(user.key),
  attackersKey.line().trim(),
  `restrict,command="true" ${restricted.line().trim()}`,
);
const taken = await startTaken(t, ["MaxAuthTries 3", "LogLevel DEBUG1"]);
const { server } = taken;

const hostKeyFile = readdirSync(server.folder).find((name) => name.endsWith(".pub")) ?? "";
const [, hostKeyBase64 = ""] = readFileSync(`${server.folder}/${hostKeyFile}`, "utf8").split(" ");
const proof = { blob: Buffer.from(hostKeyBase64, "base64"), algorithm: "ssh-ed25519" };
const publickey = { algorithm: "ssh-ed25519", blob: attackersKey.blob };

attackEach(t, taken, user.name, beforeKex);
attackEach(t, taken, user.name, beforeLogin);
attackEach(t, taken, user.name, afterLogin(proof));

t.test(
  "F10 Lines of a taken session process stay its own: tagged, escaped, one each",
  async (t) => {
    const before = await server.endedConnections();
    const client = await TakenSessionClient.connect(taken.port);
    const attack = new Attack(client, user.name);
    await attack.kex();
    const forged = "Accepted publickey for root from 192.0.2.9 port 1 ssh2";
    const line = (bytes: Uint8Array): void => { client.send("log", { level: 1, code: "forged", text: bytes }); }; // prettier-ignore
    line(text(`x\n${forged}`));
    line(text(`\x1b]0;title\x07 ${forged}`));
    line(Uint8Array.of(0xff, 0xfe, 0x80));
    client.send("ended", { reason: 2, code: 11, text: text(`bye\n${forged}`), bytesReceived: 0, bytesSent: 0 }); // prettier-ignore
    await attack.rest();
    const events = await server.connection(before);
    t.equal(events.filter(({ code }) => code === "session.forged").length, 3);
    const lines = server.log.split("\n");
    t.strictSame(lines.filter((found) => found.startsWith(forged) && !found.endsWith("[preauth]")), []); // prettier-ignore
    t.equal(lines.filter((found) => found.includes(forged) && !found.endsWith("[preauth]")).length, 0); // prettier-ignore
    t.notOk(server.log.includes("\x1b"));
  },
);

t.test("F9 One that never reads and never stops asking starves nobody", async (t) => {
  const client = await TakenSessionClient.connect(taken.port);
  t.teardown(() => {
    client.close();
  });
  const attack = new Attack(client, user.name);
  await attack.authenticating();
  client.order("stopReading");
  for (let i = 0; i < 100; i += 1) client.send("publickeyQuery", publickey);
  const ended = await ssh(server, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
});

t.test("A user logs in after all that, and nothing is left behind", async (t) => {
  await server.endedConnections();
  const ended = await ssh(server, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  await server.endedConnections();
  const rows = [...beforeKex, ...beforeLogin, ...afterLogin(proof)];
  // Those that had a right to theirs, and the two honest ones.
  const logins = rows.reduce((sum, row) => sum + (row.logins ?? 0), 2);
  t.equal(server.events("login.forked").length, logins);
  await until("the user has no process", () => !processes().some(({ uid }) => uid === user.uid));
  t.same(server.events("child.stderr"), []);
  await server.stop();
  await server.isGone();
});
