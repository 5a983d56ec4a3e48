// `sallyport` and its probe as a user calls them: wrong calls, logins that fail, one that does not.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import t from "tap";
import { makeKey, temporaryFolder } from "../support/ssh-keys.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";

const program = fileURLToPath(new URL("../../bin/sallyport", import.meta.url));

async function sallyport(...args: readonly string[]) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [out, err, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>, // as node documents it
  ]);
  return { out, err, status };
}
const folder = temporaryFolder(t);
const key = makeKey(folder, "ed25519");

t.test(
  "sallyport refuses what it does not know, and names what comes later, with status 2",
  async (t) => {
    t.match(await sallyport("prboe"), { status: 2, out: "", err: /^sallyport: unknown command "prboe"; see sallyport --help\n$/ }); // prettier-ignore
    for (const later of ["sessions", "penalties"]) {
      const ran = await sallyport(later);
      t.equal(ran.status, 2);
      t.equal(ran.err, `sallyport: ${later} is not available in this version\n`);
    }
  },
);
t.test("probe refuses a wrong call with one line and status 2", async (t) => {
  const whole = ["--user", "nobody", "--identity", key.path];
  const wrong: readonly (readonly string[])[] = [
    [],
    ["--user", "nobody"],
    ["--nonsense"],
    [...whole, "--port", "0"],
    [...whole, "--port", "65536"],
    [...whole, "--timeout", "0"],
    [...whole, "--timeout", "soon"],
    [...whole, "--timeout", "3000000"],
    ["--user", "nobody", "--identity", join(folder, "absent")],
  ];
  for (const args of wrong) {
    const ran = await sallyport("probe", ...args);
    t.equal(ran.status, 2, args.join(" "));
    t.match(ran.err, /^sallyport probe: [^\n]+\n$/);
    t.equal(ran.out, "");
  }
});
t.test("probe refuses a file that holds no private key, with status 2", async (t) => {
  const file = join(folder, "nonsense");
  writeFileSync(file, "nonsense\n");
  for (const identity of [file, `${key.path}.pub`]) {
    const ran = await sallyport("probe", "--user", "nobody", "--identity", identity);
    t.equal(ran.status, 2);
    t.match(ran.err, /^sallyport probe: cannot use [^\n]+\n$/);
  }
});
t.test("probe says that nobody listens, with status 1", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  server.close();
  await once(server, "close");
  const ran = await sallyport("probe", "--port", String(port), "--user", "nobody", "--identity", key.path); // prettier-ignore
  t.equal(ran.status, 1);
  t.match(ran.err, /ECONNREFUSED/);
});
t.test("probe gives up on a server that says nothing, with status 1", async (t) => {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  const ran = await sallyport("probe", "--port", String(port), "--timeout", "0.3", "--json", "--user", "nobody", "--identity", key.path); // prettier-ignore
  t.equal(ran.status, 1);
  t.match(JSON.parse(ran.out), { ok: false, error: "no answer in 0.3 seconds" });
});
t.test("--help and version say so with status 0", async (t) => {
  t.match(await sallyport("--help"), { status: 0, out: /^usage: sallyport COMMAND/, err: "" });
  t.match(await sallyport("probe", "--help"), { status: 0, out: /^usage: sallyport probe/ });
  t.match(await sallyport("version"), { status: 0, out: /^sallyport \d+\.\d+\.\d+\n$/ });
});

t.test("probe against a server", async (t) => {
  const user = makeUser(t);
  const server = await TestServer.start(t);
  const probe = (identity: string, ...more: readonly string[]) =>
    sallyport("probe", "--port", String(server.port), "--user", user.name, "--identity", identity, "--json", ...more); // prettier-ignore

  await t.test("a key that nobody authorized is no login: status 1", async (t) => {
    const ran = await probe(key.path);
    t.equal(ran.status, 1);
    t.match(JSON.parse(ran.out), { ok: false, error: /authentication methods failed/ });
  });
  await t.test(
    "another host key than the expected one ends before the login: status 1",
    async (t) => {
      const ran = await probe(user.key.path, "--fingerprint", `SHA256:${"A".repeat(43)}`);
      t.equal(ran.status, 1);
      t.match(JSON.parse(ran.out), { ok: false, fingerprint: /^SHA256:/ });
      t.notMatch(ran.out, "authenticatedMs");
    },
  );
  await t.test("a command that fails is told with its status: status 1", async (t) => {
    const ran = await probe(user.key.path, "--command", "exit 7");
    t.equal(ran.status, 1);
    t.match(JSON.parse(ran.out), { ok: false, exitStatus: 7 });
  });
  await t.test("a login is timed step by step: status 0", async (t) => {
    const { fingerprint: seen } = JSON.parse((await probe(user.key.path)).out) as Record<string, string>; // prettier-ignore
    const ran = await probe(user.key.path, "--fingerprint", seen ?? "");
    t.equal(ran.status, 0);
    const told = JSON.parse(ran.out) as Record<string, number>; // numbers where it is timed
    t.match(told, { ok: true, exitStatus: 0, fingerprint: seen });
    t.ok((told["connectedMs"] ?? NaN) <= (told["authenticatedMs"] ?? NaN));
    t.ok((told["authenticatedMs"] ?? NaN) <= (told["doneMs"] ?? NaN));
  });
});
