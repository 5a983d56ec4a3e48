// -i: one connection on standard input and output, which are a socket or two pipes.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import t from "tap";
import { isAlive, processes, type Process } from "../../lab/processes.ts";
import { loginOptions, run, tool } from "../support/ssh-client.ts";
import { makeKey, temporaryFolder } from "../support/ssh-keys.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const program = fileURLToPath(new URL("../../bin/sallyportd", import.meta.url));
const user = makeUser(t);
// Only its way of logging in is used: the client's options.
const any = await TestServer.start(t);
const folder = temporaryFolder(t);
const config = `${folder}/config`;
writeFileSync(config, `HostKey ${makeKey(folder, "ed25519").path}\nLogLevel VERBOSE\n`);
const flags = (log: string): string[] => ["-i", "-f", config, "-E", log];
const read = (file: string): string =>
  existsSync(file) ? readFileSync(file, "utf8").replaceAll("\r\n", "\n") : "";
/** Those of a server that serves one connection of this configuration, and what was forked for it. */
const servers = (): Process[] => processes().filter(({ title }) => title.includes(config));

t.test(
  "-i with a configuration that is wrong says nothing to the client, and why to the log",
  (t) => {
    const wrong = `${folder}/wrong`;
    writeFileSync(wrong, `${readFileSync(config, "utf8")}NoSuchKeyword yes\n`);
    const log = `${folder}/log-wrong`;
    const ran = spawnSync(program, ["-i", "-f", wrong, "-E", log], {
      encoding: "utf8",
      input: "SSH-2.0-x\r\n",
    });
    t.equal(ran.status, 255);
    t.equal(ran.stdout, "");
    t.match(ran.stderr + read(log), `${wrong}: line 3: Bad configuration option: NoSuchKeyword`);
    t.end();
  },
);
t.test("-i without a host key says nothing to the client, and why to the log", (t) => {
  const without = `${folder}/without`;
  writeFileSync(without, `HostKey ${folder}/absent\n`);
  const log = `${folder}/log-without`;
  const ran = spawnSync(program, ["-i", "-f", without, "-E", log], {
    encoding: "utf8",
    input: "SSH-2.0-x\r\n",
  });
  t.equal(ran.status, 1);
  t.equal(ran.stdout, "");
  t.match(read(log), /^sshd: no hostkeys available -- exiting\.$/m);
  t.end();
});
t.test("-i ends when what comes is not SSH, or nothing comes, and leaves nothing", async (t) => {
  for (const input of ["GET / HTTP/1.0\r\n\r\n", ""]) {
    const log = `${folder}/log-not-ssh`;
    const ran = spawnSync(program, flags(log), { encoding: "latin1", input });
    t.equal(ran.status, 255);
    t.match(ran.stdout, /^SSH-2\.0-sallyport/);
    await until("nothing is left", () => servers().length === 0);
  }
});

t.test("-i serves pipes, as the ProxyCommand of a client has them", async (t) => {
  const log = `${folder}/log-pipes`;
  const proxy = `ProxyCommand=${program} ${flags(log).join(" ")}`;
  const options = loginOptions(any, user, { options: [proxy] });
  const data = Buffer.alloc(2 << 20, "pipes ");
  const ended = await run(tool("ssh"), [...options, "inetd", "cat; exit 6"], data);
  t.equal(ended.status, 6, ended.stderr);
  t.ok(ended.stdout.equals(data));
  t.match(
    read(log),
    new RegExp(`^Accepted publickey for ${user.name} from UNKNOWN port 65535 ssh2: ED25519 `, "m"),
  );
  await until("nothing is left", () => servers().length === 0);
});

t.test(
  "-i serves a socket, as inetd and socket units give it, and knows its addresses",
  async (t) => {
    const log = `${folder}/log-socket`;
    const inetd = createServer({ pauseOnConnect: true }, (socket) => {
      const child = spawn(program, flags(log), { stdio: [socket, socket, "inherit"] });
      ended = once(child, "exit") as Promise<[number | null]>; // as node documents it
      socket.destroy();
    }).listen(0, "127.0.0.1");
    let ended: Promise<[number | null]> | undefined;
    await once(inetd, "listening");
    t.teardown(() => inetd.close());
    const { port } = inetd.address() as AddressInfo; // it listens on TCP
    const options = loginOptions(any, user, { options: [`Port=${port}`] });
    const login = await run(tool("ssh"), [...options, "127.0.0.1", "echo $SSH_CONNECTION; exit 6"]);
    t.equal(login.status, 6, login.stderr);
    const [, from] =
      new RegExp(`^127\\.0\\.0\\.1 (\\d+) 127\\.0\\.0\\.1 ${port}\\n$`).exec(
        login.stdout.toString(),
      ) ?? [];
    t.ok(from, login.stdout.toString());
    t.match(
      read(log),
      new RegExp(
        `^Accepted publickey for ${user.name} from 127\\.0\\.0\\.1 port ${from ?? ""} ssh2: ED25519 `,
        "m",
      ),
    );
    t.same((await ended)?.[0], 0);
    await until("nothing is left", () => servers().length === 0);
  },
);

t.test("-i ends with a client that vanishes, and the session with it", async () => {
  const log = `${folder}/log-vanish`;
  const proxy = `ProxyCommand=${program} ${flags(log).join(" ")}`;
  const options = loginOptions(any, user, { options: [proxy] });
  const child = spawn(tool("ssh"), [...options, "-tt", "inetd", "exec sleep 1000"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const sleep = await until("it runs", () =>
    processes().find(({ uid, title }) => uid === user.uid && title === "sleep 1000"),
  );
  child.kill("SIGKILL");
  await until("the user's program hangs up", () => !isAlive(sleep));
  await until("nothing is left", () => servers().length === 0);
});
