// Who must not get in, through the whole server: what the client is told (nothing), the line in sshd's words, and one event.
import { chmodSync, chownSync, readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import t, { type Test } from "tap";
import { ssh, type Login } from "../support/ssh-client.ts";
import { makeKey } from "../support/ssh-keys.ts";
import { TestServer, type ServerEvent } from "../support/test-server.ts";
import { makeUser, publicLine } from "../support/test-user.ts";

const user = makeUser(t);
const denied = makeUser(t);
const locked = makeUser(t);
execFileSync("usermod", ["-p", "!", locked.name]);
const server = await TestServer.start(t, {
  config: [
    `DenyUsers ${denied.name}`,
    "PermitRootLogin no",
    "MaxAuthTries 3",
    "Subsystem sftp /bin/false",
  ],
});
const own = publicLine(user.key);
const stranger = makeKey(server.folder, "ed25519", "-C", "stranger");

/** The events of one attempt that must fail, as the client sees any: status 255 and "Permission denied". */
async function refused(
  t: Test,
  login: Login = {},
  of = server,
  who = user,
): Promise<ServerEvent[]> {
  const before = await of.endedConnections();
  const ended = await ssh(of, who, ["echo in"], login);
  t.equal(ended.status, 255);
  t.equal(ended.stdout.toString(), "");
  t.equal(ended.stderr.trim(), `${login.as ?? who.name}@127.0.0.1: Permission denied (publickey).`);
  const events = await of.connection(before);
  t.notOk(events.some(({ code }) => ["auth.accepted", "login.forked"].includes(code)));
  t.notOk(events.some(({ level }) => level === "fatal"));
  return events;
}
/** Exactly one event has the code; its line is in the log. */
function says(
  t: Test,
  events: readonly ServerEvent[],
  code: string,
  line: RegExp,
  of = server,
): void {
  const [event, ...more] = events.filter((found) => found.code === code);
  t.match(event?.msg, line);
  t.same(more, []);
  t.ok(of.log.includes(event?.msg ?? "nothing"), "the line is in the log");
}
const endsAs = (t: Test, events: readonly ServerEvent[], end: string): void => {
  t.same(events.filter(({ code }) => code === "connection.ended").map(({ fields }) => fields["end"]), [end]); // prettier-ignore
};

t.test("A key that nobody authorized is refused", async (t) => {
  const events = await refused(t, { identity: stranger.path });
  says(t, events, "auth.failed", /^Failed publickey for sallyt\S+ from 127\.0\.0\.1 port \d+ ssh2: ED25519 SHA256:/); // prettier-ignore
  says(t, events, "connection.peer-closed", /^Connection closed by authenticating user sallyt\S+ 127\.0\.0\.1 port \d+ \[preauth\]$/); // prettier-ignore
  endsAs(t, events, "auth-failed");
});
t.test("A user who does not exist is refused", async (t) => {
  const events = await refused(t, { as: "nobody-of-that-name" });
  says(t, events, "user.invalid", /^Invalid user nobody-of-that-name from 127\.0\.0\.1 port \d+$/);
  says(t, events, "connection.peer-closed", /^Connection closed by invalid user nobody-of-that-name 127\.0\.0\.1 port \d+ \[preauth\]$/); // prettier-ignore
  endsAs(t, events, "invalid-user");
});
t.test("A locked user is refused with the right key", async (t) => {
  const events = await refused(t, {}, server, locked);
  says(t, events, "user.not-allowed", /^User \S+ not allowed because account is locked$/);
});
t.test("A user of DenyUsers is refused with the right key", async (t) => {
  const events = await refused(t, {}, server, denied);
  says(t, events, "user.not-allowed", /^User \S+ from 127\.0\.0\.1 not allowed because listed in DenyUsers$/); // prettier-ignore
});
t.test("PermitRootLogin no refuses root", async (t) => {
  await refused(t, { as: "root" });
});

const restrictions: readonly (readonly [options: string, code: string, line: RegExp])[] = [
  ['from="192.0.2.1"', "keys.not-now", /Authentication tried for \S+ with correct key but not from a permitted host \(host=127\.0\.0\.1, ip=127\.0\.0\.1/], // prettier-ignore
  ['from="!127.0.0.1,*"', "keys.not-now", /not from a permitted host/],
  ['expiry-time="20200101"', "keys.not-now", /expired/],
  ["cert-authority", "auth.failed", /^Failed publickey/],
  ["no-such-option", "keys.line-skipped", /no-such-option|bad key options|unknown key option/],
];
for (const [options, code, line] of restrictions)
  t.test(`A key with ${options} does not get in`, async (t) => {
    user.authorize(`${options} ${own}`);
    t.teardown(() => {
      user.authorize(own);
    });
    const events = await refused(t);
    t.match(events.find((event) => event.code === code)?.msg, line, JSON.stringify(events.map(({ code, msg }) => [code, msg]))); // prettier-ignore
  });

t.test("A key with command= runs that and nothing else", async (t) => {
  user.authorize(`command="echo forced: $SSH_ORIGINAL_COMMAND" ${own}`);
  t.teardown(() => {
    user.authorize(own);
  });
  for (const flags of [[], ["-s"]]) {
    const ended = await ssh(server, user, ["sftp"], { flags });
    t.match(ended.stdout.toString(), /^forced: /);
  }
});
t.test("A key with no-pty or restrict gets no terminal", async (t) => {
  t.teardown(() => {
    user.authorize(own);
  });
  for (const option of ["no-pty", "restrict"]) {
    user.authorize(`${option} ${own}`);
    const ended = await ssh(server, user, ["tty"], { flags: ["-tt"], options: ["LogLevel=INFO"] });
    t.match(ended.stderr, "PTY allocation request failed");
    // A client that asked with -tt ends then; the command must not have run without a terminal either.
    t.equal(ended.status, 255);
    t.equal(ended.stdout.toString(), "");
    const without = await ssh(server, user, ["echo in"]);
    t.equal(without.stdout.toString(), "in\n");
  }
});

t.test("StrictModes refuses what others could have written", async (t) => {
  const changes: readonly (readonly [file: string, mode: number, usual: number])[] = [
    [`${user.home}/.ssh/authorized_keys`, 0o666, 0o600],
    [`${user.home}/.ssh`, 0o770, 0o700],
    [user.home, 0o777, 0o755],
  ];
  for (const [file, mode, usual] of changes) {
    chmodSync(file, mode);
    const events = await refused(t);
    chmodSync(file, usual);
    t.match(events.find(({ code }) => code === "keys.refused")?.msg, /^Authentication refused: bad ownership or modes for (file|directory) \//); // prettier-ignore
  }
  const file = `${user.home}/.ssh/authorized_keys`;
  chownSync(file, denied.uid, denied.uid);
  chmodSync(file, 0o644);
  await refused(t);
  user.authorize(own);
  chownSync(file, user.uid, user.uid);
  chmodSync(file, 0o600);
});

t.test("MaxAuthTries ends the connection", async (t) => {
  const keys = [1, 2, 3, 4].map((i) => makeKey(server.folder, "ed25519", "-C", `wrong${i}`));
  const before = await server.endedConnections();
  const more = keys.map(({ path }) => `IdentityFile=${path}`);
  const ended = await ssh(server, user, ["true"], { options: [...more, "LogLevel=INFO"] });
  t.equal(ended.status, 255);
  t.match(ended.stderr, "Too many authentication failures");
  const events = await server.connection(before);
  t.equal(events.filter(({ code }) => code === "auth.failed").length, 3);
  says(t, events, "auth.too-many", /^maximum authentication attempts exceeded for \S+ from 127\.0\.0\.1 port \d+ ssh2 \[preauth\]$/); // prettier-ignore
  says(t, events, "connection.we-disconnected", /^Disconnecting authenticating user \S+ 127\.0\.0\.1 port \d+: Too many authentication failures \[preauth\]$/); // prettier-ignore
});

t.test("A client cannot tell who exists by the messages it gets", async (t) => {
  const told: string[] = [];
  for (const as of [user.name, "nobody-of-that-name", denied.name, locked.name, "root"]) {
    const login = { as, identity: stranger.path, options: ["LogLevel=DEBUG3"] };
    const { stderr } = await ssh(server, user, ["true"], login);
    // The server's messages only, without the name and what is random.
    const types = stderr.split("\n").filter((line) => /receive packet|Authentications that can continue|Permission denied/.test(line)); // prettier-ignore
    told.push(types.join("\n").replaceAll(as, "USER").replaceAll("\r", ""));
  }
  t.match(told[0], "receive packet: type 51");
  t.equal(new Set(told).size, 1, told.join("\n\n"));
});

t.test("AllowUsers admits those users only", async (t) => {
  const choosy = await TestServer.start(t, { config: [`AllowUsers ${user.name}`] });
  const events = await refused(t, {}, choosy, locked);
  const other = await refused(t, {}, choosy, denied);
  says(t, other, "user.not-allowed", /^User \S+ from 127\.0\.0\.1 not allowed because not listed in AllowUsers$/, choosy); // prettier-ignore
  t.equal(events.filter(({ code }) => code === "user.not-allowed").length, 1);
  const ended = await ssh(choosy, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  await choosy.stop();
  await choosy.isGone();
});

t.test("The right user gets in after all that, and every line is one event", async (t) => {
  const ended = await ssh(server, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  await server.stop();
  await server.isGone();
  const messages = server.events().map(({ msg }) => msg);
  for (const line of server.log.split("\n").filter((line) => line !== ""))
    t.ok(messages.includes(line.replace(/^debug1: /, "")), line);
  t.equal(readFileSync(`${server.folder}/events`, "utf8").includes("PRIVATE KEY"), false);
});
