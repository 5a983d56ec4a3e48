// `npm start` as a stranger meets it: what is missing is named, and the line that it prints logs in, wherever the checkout lies.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t from "tap";
import { freePort } from "../support/free-port.ts";
import { family, isAlive } from "../../lab/processes.ts";
import { temporaryFolder } from "../support/ssh-keys.ts";
import { until } from "../support/until.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Below a folder that everybody may write, where StrictModes would refuse a key file. Built, so that only what changed is built again. */
const checkout = `${temporaryFolder(t)}/checkout`;
mkdirSync(checkout);
chmodSync(`${checkout}/..`, 0o755);
// tar keeps the times by which the build knows what is new.
const apart = ["node_modules", ".git", "var", ".tap"]
  .map((name) => `--exclude=./${name}`)
  .join(" ");
execFileSync("/bin/sh", ["-c", `tar c ${apart} . | tar x -C ${checkout}`], { cwd: root });
symlinkSync(`${root}node_modules`, `${checkout}/node_modules`);

t.test("npm start refuses who is not root, with the command that mends it", (t) => {
  const args = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "bin/start"];
  const ran = spawnSync("setpriv", args, { cwd: checkout, encoding: "utf8" });
  t.match(ran, { status: 1, stdout: "", stderr: "start: a server that logs users in must start as root: sudo npm start\n" }); // prettier-ignore
  t.end();
});
t.test("npm start names the compiler that is missing, with the command that mends it", (t) => {
  const programs = temporaryFolder(t);
  for (const [name, lacks] of [["g++", "build-essential"], ["python3", "python3"], ["ssh-keygen", "openssh-client"]] as const) {
    const path = `${programs}/${name}`;
    mkdirSync(path);
    for (const found of ["id", "uname", "dirname", "npm", "make", "g++", "python3", "useradd", "ssh-keygen", "flock"])
      if (found !== name) symlinkSync(spawnSync("which", [found], { encoding: "utf8" }).stdout.trim(), `${path}/${found}`);
    const ran = spawnSync("/bin/sh", ["bin/start"], { cwd: checkout, encoding: "utf8", env: { PATH: path } });
    t.match(ran, { status: 1, stderr: `start: ${name} is missing: apt-get install ${lacks}\n` });
  }
  t.end();
}); // prettier-ignore
t.test("npm start refuses arguments that it does not know, with its usage", (t) => {
  const ran = spawnSync("/bin/sh", ["bin/start", "--prot", "1"], { cwd: checkout, encoding: "utf8" }); // prettier-ignore
  t.match(ran, { status: 2, stderr: /^usage: npm start -- \[--port PORT\]/ });
  t.end();
});

t.test("npm start prints an ssh line that logs in, and Ctrl-C leaves nothing", async (t) => {
  const port = await freePort();
  const child = spawn("npm", ["start", "--silent", "--", "--port", String(port)], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // so that the Ctrl-C below is its alone
    env: { PATH: process.env["PATH"], HOME: "/root" },
  });
  const group = -(child.pid ?? 0);
  let said = "";
  const ended = once(child, "close");
  t.teardown(() => {
    if (child.exitCode === null && child.signalCode === null) process.kill(group, "SIGTERM");
  });
  // It builds first, which takes as long as it takes.
  const line = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => {
        said += data.toString();
        const found = /^ +(ssh -p .*)\n/m.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
    child.once("close", () => {
      reject(new Error(`It ended: ${said}`));
    });
  });
  t.match(said, /logged in after/, "it has checked itself");
  const login = spawnSync("/bin/sh", ["-c", `${line} 'echo in; exit 3'`], { encoding: "utf8" });
  t.equal(login.stdout, "in\n", login.stderr);
  t.equal(login.status, 3);
  const started = family(child.pid ?? 0);
  process.kill(group, "SIGINT");
  await ended;
  await until("nothing of it runs", () => !started.some(isAlive));
  t.notOk(existsSync(`/run/sallyport-start-${port}`));
});
