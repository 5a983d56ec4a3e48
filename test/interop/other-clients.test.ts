// Clients that are not OpenSSH's: PuTTY's plink, dropbear's dbclient and ssh2, each with what it has of our algorithms.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Client, type Algorithms } from "ssh2";
import t, { type Test } from "tap";
import { run, type Ended } from "../support/ssh-client.ts";
import { makeKey, sshKeygen, temporaryFolder } from "../support/ssh-keys.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser, publicLine } from "../support/test-user.ts";

const folder = temporaryFolder(t);
const user = makeUser(t);
const server = await TestServer.start(t, {
  hostKeys: [["ed25519"], ["ecdsa", "-b", "384"], ["rsa", "-b", "2048"]],
});
const keys = [
  user.key,
  ...["256", "384", "521"].map((bits) => makeKey(folder, "ecdsa", "-b", bits)),
  makeKey(folder, "rsa", "-b", "2048"),
];
user.authorize(...keys.map(publicLine));
const stranger = makeKey(folder, "ed25519");
const data = randomBytes(3 << 20);
const digest = createHash("sha256").update(data).digest("hex");

/** A command's output and status, and data both ways. */
async function serves(
  t: Test,
  what: string,
  client: (command: string, input?: Uint8Array) => Promise<Ended>,
): Promise<void> {
  const short = await client("echo out; echo err >&2; exit 7");
  t.equal(short.status, 7, `${what}: ${short.stderr}`);
  t.equal(short.stdout.toString(), "out\n", what);
  t.match(short.stderr, /^err\r?$/m, what);
  const up = await client("sha256sum", data);
  t.equal(up.stdout.toString().slice(0, 64), digest, what);
  const both = await client("cat", data);
  t.ok(both.stdout.equals(data), what);
}

// PuTTY reads what it may use from a saved session.
const puttyFolder = `${folder}/putty`;
mkdirSync(`${puttyFolder}/sessions`, { recursive: true });
const puttyKey = (path: string): string => {
  execFileSync("puttygen", [path, "-o", `${path}.ppk`]);
  return `${path}.ppk`;
};
const fingerprints = server.hostKeys.map((path) => sshKeygen(["-lf", `${path}.pub`]).split(" ")[1] ?? ""); // prettier-ignore
function plink(key: string, settings: readonly string[] = []) {
  writeFileSync(`${puttyFolder}/sessions/test`, ["Protocol=ssh", ...settings, ""].join("\n"));
  const hostKeys = fingerprints.flatMap((fingerprint) => ["-hostkey", fingerprint]);
  return (command: string, input?: Uint8Array): Promise<Ended> =>
    run("/usr/bin/env", [`PUTTYDIR=${puttyFolder}`, "plink", "-load", "test", "-batch", "-v", ...hostKeys, "-i", key, "-P", `${server.port}`, `${user.name}@127.0.0.1`, command], input); // prettier-ignore
}

t.test("plink with a key that nobody authorized does not get in", async (t) => {
  const ended = await plink(puttyKey(stranger.path))("echo in");
  t.equal(ended.status, 1);
  t.equal(ended.stdout.toString(), "");
  t.match(ended.stderr, "No supported authentication methods available");
});
t.test("plink logs in with each type of key", async (t) => {
  for (const { path } of keys) {
    const ended = await plink(puttyKey(path))("echo in");
    t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  }
});
t.test("plink is served with each of its ciphers, and with new keys each 512 KiB", async (t) => {
  const key = puttyKey(user.key.path);
  const ciphers = [["aes", "AES-256 SDCTR"], ["chacha20", "ChaCha20"], ["aesgcm", "AES-?\\d+ GCM"]] as const; // prettier-ignore
  for (const [cipher, said] of ciphers) {
    const client = plink(key, [`Cipher=${cipher},WARN`, "RekeyBytes=512K"]);
    await serves(t, cipher, client);
    const { stderr } = await client("cat", data);
    t.match(stderr, new RegExp(`Initialised ${said}`));
    t.ok(stderr.split("Initiating key re-exchange").length > 3, `${cipher}: new keys`);
  }
});
t.test("plink verifies each type of host key", async (t) => {
  const kinds = { ed25519: "ssh-ed25519", ecdsa: "ecdsa-sha2-nistp384", rsa: "ssh-rsa" };
  for (const [kind, name] of Object.entries(kinds)) {
    // All of them, for PuTTY puts those that are not named where it wants.
    const all = [kind, "ed25519", "ed448", "ecdsa", "rsa", "dsa", "WARN"];
    const client = plink(puttyKey(user.key.path), [`HostKey=${[...new Set(all)].join(",")}`]);
    const { stdout, stderr } = await client("echo in");
    t.equal(stdout.toString(), "in\n", stderr);
    t.match(stderr, new RegExp(`Host key fingerprint is:\\s+${name} `));
  }
});

function dbclient(key: string, ...flags: readonly string[]) {
  return (command: string, input?: Uint8Array): Promise<Ended> =>
    run("/usr/bin/env", [`HOME=${folder}`, "dbclient", "-y", "-y", "-i", key, "-p", `${server.port}`, ...flags, `${user.name}@127.0.0.1`, command], input); // prettier-ignore
}
const dropbearKeys = ["ed25519", "ecdsa", "rsa"].map((kind) => {
  const path = `${folder}/dropbear-${kind}`;
  execFileSync("dropbearkey", ["-t", kind, "-f", path], { stdio: "ignore" });
  const text = execFileSync("dropbearkey", ["-y", "-f", path], { encoding: "utf8" });
  return { path, line: /^(ssh-|ecdsa-).*$/m.exec(text)?.[0] ?? "" };
});

t.test("dbclient with a key that nobody authorized does not get in", async (t) => {
  const ended = await dbclient(dropbearKeys[0]?.path ?? "")("echo in");
  t.equal(ended.status, 1);
  t.match(ended.stderr, "No auth methods could be used");
});
t.test("dbclient logs in with each type of key", async (t) => {
  user.authorize(...keys.map(publicLine), ...dropbearKeys.map(({ line }) => line));
  for (const { path } of dropbearKeys) {
    const ended = await dbclient(path)("echo in");
    t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  }
});
t.test("dbclient is served with each of its ciphers and MACs", async (t) => {
  const key = dropbearKeys[0]?.path ?? "";
  for (const cipher of ["chacha20-poly1305@openssh.com", "aes128-ctr", "aes256-ctr"])
    await serves(t, cipher, dbclient(key, "-c", cipher));
  const ended = await dbclient(key, "-c", "aes128-ctr", "-m", "hmac-sha2-256")("echo in");
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
});

/** ssh2 as a client with these algorithms only. */
const ssh2 =
  (algorithms: Algorithms, path = user.key.path) =>
  (command: string, input: Uint8Array = new Uint8Array()): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const client = new Client();
      const out: Buffer[] = [];
      let stderr = "";
      client.on("error", reject);
      client.on("ready", () => {
        client.exec(command, (error, stream) => {
          if (error !== undefined) {
            reject(error);
            return;
          }
          let status: number | null = null;
          stream.on("data", (chunk: Buffer) => out.push(chunk));
          stream.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
          stream.on("exit", (code: number | null) => (status = code));
          stream.on("close", () => {
            client.end();
            resolve({ status, stdout: Buffer.concat(out), stderr });
          });
          stream.end(input);
        });
      });
      client.connect({ host: "127.0.0.1", port: server.port, username: user.name, privateKey: readFileSync(path), algorithms }); // prettier-ignore
    });

t.test("ssh2 with a key that nobody authorized does not get in", async (t) => {
  await t.rejects(ssh2({}, stranger.path)("echo in"), { message: /authentication methods failed/ });
});
t.test("ssh2 is served with each algorithm of ours that it has", async (t) => {
  const one = (kind: keyof Algorithms, name: string, more: Algorithms = {}) =>
    serves(t, name, ssh2({ ...more, [kind]: [name] }));
  for (const name of ["curve25519-sha256", "curve25519-sha256@libssh.org", ...["256", "384", "521"].map((bits) => `ecdh-sha2-nistp${bits}`)])
    await one("kex", name);
  for (const name of ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"])
    await one("cipher", name);
  for (const name of ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"])
    await one("hmac", name, { cipher: ["aes128-ctr"] });
  for (const name of ["ssh-ed25519", "ecdsa-sha2-nistp384", "rsa-sha2-256", "rsa-sha2-512"])
    await one("serverHostKey", name);
}); // prettier-ignore

t.test("Nothing of all that was an error, and nothing is left", async (t) => {
  await server.endedConnections();
  t.same(server.events().filter(({ level }) => level === "fatal" || level === "error").map(({ msg }) => msg), []); // prettier-ignore
  await server.stop();
  await server.isGone();
});
