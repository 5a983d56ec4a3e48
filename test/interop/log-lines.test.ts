// The same logins at our server and at OpenSSH 10.0p1's sshd: both logs say the same, line by line.
import { chmodSync } from "node:fs";
import { connect } from "node:net";
import t from "tap";
import { startOpenSshServer } from "../support/openssh-server.ts";
import { family } from "../../lab/processes.ts";
import { ssh, type Login } from "../support/ssh-client.ts";
import { makeKey, temporaryFolder } from "../support/ssh-keys.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser, publicLine } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const folder = temporaryFolder(t);
const strange = makeKey(folder, "ed25519");
const rsa = makeKey(folder, "rsa", "-b", "2048");
const user = makeUser(t);
const denied = makeUser(t);
const many = [1, 2, 3, 4, 5].map(() => `IdentityFile=${makeKey(folder, "ed25519").path}`);
const config = ["LogLevel VERBOSE", "MaxAuthTries 4", `DenyUsers ${denied.name}`, "Subsystem here /bin/cat"]; // prettier-ignore

interface Log {
  readonly port: number;
  readonly name: string;
  text(): string;
  /** No connection is open, and all has been said about those that were. */
  isQuiet(): Promise<unknown>;
}
const ours = await TestServer.start(t, { config });
const theirs = await startOpenSshServer(t, config);
const logs: readonly Log[] = [
  { port: theirs.port, name: "sshd", text: () => theirs.log(), isQuiet: () => until("sshd is quiet", () => family(theirs.pid).length === 1) }, // prettier-ignore
  { port: ours.port, name: "sallyport", text: () => ours.log, isQuiet: () => ours.endedConnections() }, // prettier-ignore
];

/**
 * What is chance, or of this machine, is not compared: numbers; whether a client's CLOSE is handled before its DISCONNECT; that there is no
 * utmp; and that 10.0 reads the identification in a process that its log does not mark, as later versions do.
 */
const normal = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !/^(Close session: |syslogin_perform_logout: )/.test(line))
    .map((line) => {
      const isIdentification = /^(kex_exchange_identification|Protocol major versions differ|banner exchange): /.test(line); // prettier-ignore
      const plain = line
        .replace(/ port \d+/g, " port N")
        .replace(/(pid =?) ?\d+/g, "$1 N")
        .replace(/sent \d+, received \d+ bytes/, "sent N, received N bytes");
      return isIdentification || /^Connection closed by [\d.]+ port N \[preauth\]$/.test(plain)
        ? plain.replace(" [preauth]", "")
        : plain;
    })
    .sort();

/** What each server says about it. Two processes of sshd's write one log, so that the order of some lines is chance: they are compared sorted. */
async function said(log: Log, act: (port: number) => Promise<unknown>): Promise<string[]> {
  await log.isQuiet();
  const before = log.text().length;
  await act(log.port);
  await until(`${log.name} says something`, () => log.text().length > before);
  await log.isQuiet();
  return normal(log.text().slice(before));
}

const login = (command: readonly string[], options: Login & { flags?: string[]; input?: string } = {}) => (port: number) =>
  ssh(ours, user, command, { ...options, options: [`Port=${port}`, ...(options.options ?? [])] }); // prettier-ignore
/** A connection that sends this, waits for an answer, and closes. */
const bytes = (text: string) => async (port: number) => {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  if (text !== "") socket.write(text);
  // A reset is one way for a server to end.
  await new Promise((resolve) => {
    socket.on("data", () => socket.end());
    socket.once("close", resolve);
  });
};
const keys =
  (...lines: readonly string[]) =>
  () => {
    chmodSync(`${user.home}/.ssh/authorized_keys`, 0o600);
    user.authorize(...lines);
  };
const own = publicLine(user.key);

interface Scenario {
  readonly name: string;
  prepare?(): void;
  act(port: number): Promise<unknown>;
}
const scenarios: readonly Scenario[] = [
  { name: "a command", act: login(["true"]) },
  { name: "an RSA key", prepare: keys(publicLine(rsa)), act: login(["true"], { identity: rsa.path }) },
  { name: "a terminal", act: login(["true"], { flags: ["-tt"] }) },
  { name: "a shell", act: login([], { flags: ["-T"], input: "exit 3\n" }) },
  { name: "a subsystem", act: login(["here"], { flags: ["-s"] }) },
  { name: "an unknown subsystem", act: login(["nowhere"], { flags: ["-s"] }) },
  { name: "a forced command of the key", prepare: keys(`command="echo forced" ${own}`), act: login(["true"]) },
  { name: "a key that is not there", act: login(["true"], { identity: strange.path }) },
  { name: "no key", act: login(["true"], { options: ["PubkeyAuthentication=no"] }) },
  { name: "a second key", act: login(["true"], { flags: ["-i", strange.path], options: [`IdentityFile=${strange.path}`] }) },
  { name: "an invalid user", act: login(["true"], { as: "nosuchuser" }) },
  { name: "an invalid user without a key", act: login(["true"], { as: "nosuchuser", options: ["PubkeyAuthentication=no"] }) },
  { name: "a denied user", act: login(["true"], { as: denied.name, identity: denied.key.path }) },
  { name: "a user with a style", act: login(["true"], { as: `${user.name}:style` }) },
  { name: "from= mismatch", prepare: keys(`from="192.0.2.1" ${own}`), act: login(["true"]) },
  { name: "an expired key", prepare: keys(`expiry-time="20200101" ${own}`), act: login(["true"]) },
  { name: "an unknown option", prepare: keys(`no-such-option ${own}`), act: login(["true"]) },
  { name: "an unfinished option", prepare: keys(`command="x ${own}`), act: login(["true"]) },
  {
    name: "a key file that others may write",
    prepare() {
      keys(own)();
      chmodSync(`${user.home}/.ssh/authorized_keys`, 0o666);
    },
    act: login(["true"]),
  },
  { name: "an algorithm that is not accepted", prepare: keys(publicLine(rsa)), act: login(["true"], { version: "9.2", identity: rsa.path, options: ["PubkeyAcceptedAlgorithms=ssh-rsa"] }) },
  { name: "too many failures", act: login(["true"], { options: many }) },
  { name: "too many failures of an invalid user", act: login(["true"], { as: "nosuchuser", options: many }) },
  { name: "no common key exchange", act: login(["true"], { options: ["KexAlgorithms=diffie-hellman-group14-sha1"] }) },
  { name: "a close before the identification", act: bytes("") },
  { name: "a close behind the identification", act: bytes("SSH-2.0-closes\r\n") },
  { name: "HTTP", act: bytes("GET / HTTP/1.0\r\n\r\n") },
  { name: "protocol version 1", act: bytes("SSH-1.5-old\r\n") },
]; // prettier-ignore

for (const scenario of scenarios)
  t.test(`The log of ${scenario.name} is sshd's`, async (t) => {
    keys(own)();
    scenario.prepare?.();
    const lines: string[][] = [];
    for (const log of logs) lines.push(await said(log, (port) => scenario.act(port)));
    t.same(lines[1], lines[0]);
  });

t.test("Nothing of the server is left", async () => {
  await ours.stop();
  await ours.isGone();
});
