// Accounts as administrators make them: expired, without a shell, with one that says no, closed for all; and homes and key files in odd places.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import t, { type Test } from "tap";
import { temporaryFolder } from "../support/ssh-keys.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser, publicLine, type TestUser } from "../support/test-user.ts";

const user = makeUser(t);
const keyFolder = `${temporaryFolder(t)}/keys`;
mkdirSync(keyFolder, { recursive: true });
chmodSync(`${keyFolder}/..`, 0o755);
const server = await TestServer.start(t, {
  // The folder of the test's keys is below /tmp, which everybody may write; StrictModes is the other server's.
  config: [
    "StrictModes no",
    `AuthorizedKeysFile %h/.ssh/authorized_keys ${keyFolder}/%u ${keyFolder}/%U-%%`,
  ],
});
const strict = await TestServer.start(t);
const changed = (who: TestUser, ...args: readonly string[]): void => {
  execFileSync("usermod", [...args, who.name]);
};

/** Refused like anybody, and the log says why. */
async function refused(t: Test, who: TestUser, line: RegExp, of = server): Promise<void> {
  const before = await of.endedConnections();
  const ended = await ssh(of, who, ["echo in"]);
  t.equal(ended.status, 255);
  t.equal(ended.stdout.toString(), "");
  t.equal(ended.stderr.trim(), `${who.name}@127.0.0.1: Permission denied (publickey).`);
  const events = await of.connection(before);
  t.equal(
    events.filter(({ msg }) => line.test(msg)).length,
    1,
    events.map(({ msg }) => msg).join("; "),
  );
  t.notOk(events.some(({ code }) => code === "auth.accepted"));
}
async function getsIn(t: Test, who: TestUser, of = server): Promise<void> {
  const ended = await ssh(of, who, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
}

t.test("An account that has expired is refused", async (t) => {
  changed(user, "-e", "2020-01-01");
  await refused(t, user, new RegExp(`^Account ${user.name} has expired$`));
  changed(user, "-e", "");
  await getsIn(t, user);
});
t.test("A user whose shell does not exist, or cannot be run, is refused", async (t) => {
  changed(user, "-s", "/nonexistent/shell");
  await refused(
    t,
    user,
    new RegExp(`^User ${user.name} not allowed because shell /nonexistent/shell does not exist$`),
  );
  changed(user, "-s", "/etc/passwd");
  await refused(
    t,
    user,
    new RegExp(`^User ${user.name} not allowed because shell /etc/passwd is not executable$`),
  );
  changed(user, "-s", "/bin/sh");
  await getsIn(t, user);
});
t.test(
  "A user whose shell is nologin gets its words and its status, and nothing else",
  async (t) => {
    changed(user, "-s", "/usr/sbin/nologin");
    const shell = await ssh(server, user, []);
    t.equal(shell.status, 1);
    t.equal(shell.stdout.toString(), "This account is currently not available.\n");
    const command = await ssh(server, user, ["echo in"]);
    t.equal(command.status, 1);
    t.equal(command.stdout.toString(), "This account is currently not available.\n");
    changed(user, "-s", "/bin/sh");
  },
);
t.test("A user without a shell of their own has /bin/sh", async (t) => {
  changed(user, "-s", "");
  const ended = await ssh(server, user, [], { flags: ["-T"], input: "echo $0 $SHELL\n" });
  t.equal(ended.stdout.toString(), "-sh /bin/sh\n", ended.stderr);
  changed(user, "-s", "/bin/sh");
});
t.test("An account that is locked is refused, and let in when it is no longer", async (t) => {
  changed(user, "-L");
  await refused(t, user, new RegExp(`^User ${user.name} not allowed because account is locked$`));
  changed(user, "-p", "*");
  await getsIn(t, user);
});

t.test(
  "/etc/nologin closes logins for everybody but root, with its text and status 254",
  async (t) => {
    // In a mount namespace of the server's own, or nobody else on this machine could log in meanwhile.
    const folder = temporaryFolder(t);
    execFileSync("cp", ["-a", "/etc", `${folder}/etc`]);
    writeFileSync(`${folder}/etc/nologin`, "closed for repair\n");
    const root = new URL("../../", import.meta.url).pathname;
    writeFileSync(
      `${folder}/sallyportd`,
      `#!/bin/sh\nexec unshare -m sh -c 'mount --bind ${folder}/etc /etc && exec ${root}bin/sallyportd "$@"' sallyportd "$@"\n`,
      { mode: 0o755 },
    );
    const closed = await TestServer.start(t, { program: `${folder}/sallyportd` });
    for (const command of [["echo in"], []]) {
      const ended = await ssh(closed, user, command, { flags: ["-T"], input: "echo in\n" });
      t.equal(ended.status, 254);
      t.equal(ended.stdout.toString(), "");
      t.equal(ended.stderr, "closed for repair\n");
    }
    unlinkSync(`${folder}/etc/nologin`);
    await getsIn(t, user, closed);
    await closed.stop();
    await closed.isGone();
  },
);

t.test(
  "AuthorizedKeysFile finds keys by name and by uid; a file that is not there is none",
  async (t) => {
    const other = makeUser(t);
    const file = `${other.home}/.ssh/authorized_keys`;
    unlinkSync(file);
    await refused(t, other, /^Failed publickey for /);
    writeFileSync(`${keyFolder}/${other.name}`, `${publicLine(other.key)}\n`);
    await getsIn(t, other);
    unlinkSync(`${keyFolder}/${other.name}`);
    await refused(t, other, /^Failed publickey for /);
    writeFileSync(`${keyFolder}/${other.uid}-%`, `${publicLine(other.key)}\n`);
    await getsIn(t, other);
  },
);

t.test(
  "StrictModes follows links: a home and a key file behind one count by where they are",
  async (t) => {
    const linked = makeUser(t);
    const open = `${linked.home}/open`;
    mkdirSync(open);
    chmodSync(open, 0o777);
    const file = `${linked.home}/.ssh/authorized_keys`;
    const elsewhere = `${open}/keys`;
    copyFileSync(file, elsewhere);
    chownSync(elsewhere, linked.uid, linked.uid);
    unlinkSync(file);
    symlinkSync(elsewhere, file);
    await refused(
      t,
      linked,
      /^Authentication refused: bad ownership or modes for directory \/.*\/open$/,
      strict,
    );
    chmodSync(open, 0o755);
    await getsIn(t, linked, strict);
    // The home itself is a link now.
    const place = `${dirname(linked.home)}/place`;
    renameSync(linked.home, place);
    symlinkSync(place, linked.home);
    await getsIn(t, linked, strict);
    const { stdout } = await ssh(strict, linked, ["echo $HOME; pwd -P"]);
    t.match(stdout.toString(), `${linked.home}\n`);
    chmodSync(place, 0o777);
    await refused(
      t,
      linked,
      /^Authentication refused: bad ownership or modes for directory \/.*\/place$/,
      strict,
    );
    rmSync(linked.home);
    renameSync(place, linked.home);
    chmodSync(linked.home, 0o755);
  },
);

t.test("A home that is gone costs a message, not the login", async (t) => {
  const homeless = makeUser(t);
  writeFileSync(`${keyFolder}/${homeless.name}`, `${publicLine(homeless.key)}\n`);
  renameSync(homeless.home, `${homeless.home}.away`);
  const ended = await ssh(server, homeless, ["pwd"]);
  t.equal(ended.stdout.toString(), "/\n");
  t.match(
    ended.stderr,
    `Could not chdir to home directory ${homeless.home}: No such file or directory`,
  );
  renameSync(`${homeless.home}.away`, homeless.home);
});

t.test("Nothing of the servers is left", async () => {
  for (const of of [server, strict]) {
    await of.stop();
    await of.isGone();
  }
});
