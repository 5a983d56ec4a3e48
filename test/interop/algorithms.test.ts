// Every algorithm that the server offers, with OpenSSH's clients of two versions; and rekeying by either side.
import { createHash, randomBytes } from "node:crypto";
import t, { type Test } from "tap";
import { run, ssh, tool, type Version } from "../support/ssh-client.ts";
import { makeKey } from "../support/ssh-keys.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser, publicLine } from "../support/test-user.ts";

const curves = ["256", "384", "521"] as const;
const user = makeUser(t);
const server = await TestServer.start(t, {
  config: ["MACs +hmac-sha1,hmac-sha1-etm@openssh.com"],
  hostKeys: [
    ["ed25519"],
    ...curves.map((bits) => ["ecdsa", "-b", bits] as const),
    ["rsa", "-b", "2048"],
  ],
});

const kex = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  ...curves.map((bits) => `ecdh-sha2-nistp${bits}`),
];
const ciphers = [
  "chacha20-poly1305@openssh.com",
  ...["128", "256"].map((bits) => `aes${bits}-gcm@openssh.com`),
  ...["128", "192", "256"].map((bits) => `aes${bits}-ctr`),
];
const macs = ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"].flatMap((mac) => [
  mac,
  `${mac}-etm@openssh.com`,
]);
const hostKeyAlgorithms = [
  "ssh-ed25519",
  ...curves.map((bits) => `ecdsa-sha2-nistp${bits}`),
  "rsa-sha2-256",
  "rsa-sha2-512",
];

/** A command's output comes back, and the client says that it used what it was told to use. */
async function logsIn(t: Test, version: Version, option: string, seen: string): Promise<void> {
  const options = [option, "LogLevel=DEBUG1"];
  const ended = await ssh(server, user, ["echo hello; cat"], { version, options, input: "there" });
  t.equal(ended.status, 0, ended.stderr);
  t.equal(ended.stdout.toString(), "hello\nthere");
  t.match(ended.stderr, seen);
}

t.test("A client whose algorithms the server does not have is told so and logged", async (t) => {
  const refusals: readonly (readonly [option: string, seen: string])[] = [
    ["KexAlgorithms=diffie-hellman-group14-sha256", "key exchange method"],
    ["Ciphers=aes128-cbc", "cipher"],
    ["HostKeyAlgorithms=ssh-rsa", "host key type"],
  ];
  for (const [option, what] of refusals) {
    const before = await server.endedConnections();
    const ended = await ssh(server, user, ["true"], { options: [option, "LogLevel=INFO"] });
    t.equal(ended.status, 255);
    t.match(ended.stderr, `no matching ${what} found. Their offer:`);
    const events = await server.connection(before);
    const [event, ...more] = events.filter(({ code }) => code === "connection.no-common-algorithm");
    t.match(event?.msg, new RegExp(`^Unable to negotiate with 127.0.0.1 port \\d+: no matching ${what} found. Their offer: .* \\[preauth\\]$`)); // prettier-ignore
    t.same(more, []);
  }
});

t.test("OpenSSH 10.0 logs in with each key exchange method", async (t) => {
  for (const method of ["mlkem768x25519-sha256", ...kex])
    await logsIn(t, "10.0", `KexAlgorithms=${method}`, `kex: algorithm: ${method}`);
});
t.test("OpenSSH 10.0 logs in with each cipher", async (t) => {
  for (const cipher of ciphers)
    await logsIn(t, "10.0", `Ciphers=${cipher}`, `kex: server->client cipher: ${cipher}`);
});
t.test("OpenSSH 10.0 logs in with each MAC", async (t) => {
  for (const mac of macs) {
    const options = ["Ciphers=aes128-ctr", `MACs=${mac}`, "LogLevel=DEBUG1"];
    const ended = await ssh(server, user, ["cat"], { options, input: "there" });
    t.equal(ended.stdout.toString(), "there", ended.stderr);
    t.match(ended.stderr, `kex: client->server cipher: aes128-ctr MAC: ${mac}`);
  }
});
t.test("OpenSSH 10.0 verifies each type of host key", async (t) => {
  for (const algorithm of hostKeyAlgorithms)
    await logsIn(t, "10.0", `HostKeyAlgorithms=${algorithm}`, `host key algorithm: ${algorithm}`);
});

t.test("OpenSSH 9.2 logs in with what it has", async (t) => {
  for (const method of kex)
    await logsIn(t, "9.2", `KexAlgorithms=${method}`, `kex: algorithm: ${method}`);
  for (const cipher of ciphers)
    await logsIn(t, "9.2", `Ciphers=${cipher}`, `kex: server->client cipher: ${cipher}`);
  for (const algorithm of hostKeyAlgorithms)
    await logsIn(t, "9.2", `HostKeyAlgorithms=${algorithm}`, `host key algorithm: ${algorithm}`);
});

t.test("Each type of user key logs in, RSA with SHA-2 only", async (t) => {
  const keys = [
    user.key,
    ...curves.map((bits) => makeKey(server.folder, "ecdsa", "-b", bits, "-C", "user")),
    makeKey(server.folder, "rsa", "-b", "2048", "-C", "user"),
  ];
  user.authorize(...keys.map(publicLine));
  for (const version of ["10.0", "9.2"] as const)
    for (const { path } of keys) {
      const ended = await ssh(server, user, ["echo in"], { version, identity: path });
      t.equal(ended.stdout.toString(), "in\n", `${path} ${ended.stderr}`);
    }
  const identity = keys.at(-1)?.path ?? "";
  for (const algorithm of ["rsa-sha2-256", "rsa-sha2-512"]) {
    const options = [`PubkeyAcceptedAlgorithms=${algorithm}`];
    const ended = await ssh(server, user, ["echo in"], { identity, options });
    t.equal(ended.stdout.toString(), "in\n", `${algorithm} ${ended.stderr}`);
  }
  const sha1 = await ssh(server, user, ["true"], { version: "9.2", identity, options: ["PubkeyAcceptedAlgorithms=ssh-rsa"] }); // prettier-ignore
  t.equal(sha1.status, 255);
});

t.test("ssh-keyscan reads every host key", async (t) => {
  const types = ["-t", "ed25519,ecdsa,rsa"];
  for (const version of ["10.0", "9.2"] as const) {
    const ended = await run(tool("ssh-keyscan", version), [
      "-p",
      String(server.port),
      ...types,
      "127.0.0.1",
    ]);
    const lines = ended.stdout.toString().split("\n").filter((line) => line.startsWith("[")); // prettier-ignore
    t.same(
      lines.map((line) => line.split(" ")[1]).sort(),
      ["ecdsa-sha2-nistp256", "ssh-ed25519", "ssh-rsa"],
      ended.stderr,
    );
  }
});

t.test("Data is whole when the client asks for new keys each MiB", async (t) => {
  const data = randomBytes(8 << 20);
  for (const cipher of ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"]) {
    const options = ["RekeyLimit=1M", `Ciphers=${cipher}`, "LogLevel=DEBUG1"];
    const ended = await ssh(server, user, ["cat"], { input: data, options });
    t.equal(digest(ended.stdout), digest(data), cipher);
    const exchanges = ended.stderr.split("SSH2_MSG_NEWKEYS received").length - 1;
    t.ok(exchanges > 5, `${exchanges} exchanges`);
  }
});

t.test("Nothing of the server is left after SIGTERM", async () => {
  await server.stop();
  await server.isGone();
});

t.test("Data is whole when the server asks for new keys each MiB", async (t) => {
  const rekeying = await TestServer.start(t, { config: ["RekeyLimit 1M"] });
  const data = randomBytes(8 << 20);
  for (const version of ["10.0", "9.2"] as const) {
    const options = ["LogLevel=DEBUG1"];
    const ended = await ssh(rekeying, user, ["cat"], { version, input: data, options });
    t.equal(digest(ended.stdout), digest(data), version);
    const exchanges = ended.stderr.split("SSH2_MSG_NEWKEYS received").length - 1;
    t.ok(exchanges > 5, `${exchanges} exchanges`);
  }
});

const digest = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
