// Keys of security keys (OpenSSH's PROTOCOL.u2f), made and used by OpenSSH's own programs with the key in software of its tests.
import { readFileSync } from "node:fs";
import t from "tap";
import { run, securityKey, ssh, tool, type Ended } from "../support/ssh-client.ts";
import { temporaryFolder } from "../support/ssh-keys.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";

const folder = temporaryFolder(t);
const user = makeUser(t);
const server = await TestServer.start(t);
const kinds = ["ed25519-sk", "ecdsa-sk"] as const;

/** Path of the private key; `-O` options in `more`. */
async function made(kind: (typeof kinds)[number], ...more: readonly string[]): Promise<string> {
  const path = `${folder}/${[kind, ...more].join("-")}`;
  const options = more.flatMap((option) => ["-O", option]);
  const ended = await run(tool("ssh-keygen"), ["-q", "-t", kind, "-N", "", "-f", path, ...options], "", securityKey); // prettier-ignore
  if (ended.status !== 0) throw new Error(`Cannot make ${path}: ${ended.stderr}`);
  return path;
}
const line = (path: string): string => readFileSync(`${path}.pub`, "utf8").trim();
const login = (identity: string): Promise<Ended> =>
  ssh(server, user, ["echo in"], {
    identity,
    env: securityKey,
    options: [`SecurityKeyProvider=${securityKey.SSH_SK_PROVIDER}`],
  });

t.test(
  "A signature that nobody touched the key for is refused, unless the key's line permits it",
  async (t) => {
    for (const kind of kinds) {
      const untouched = await made(kind, "no-touch-required");
      user.authorize(line(untouched));
      const before = await server.endedConnections();
      const refused = await login(untouched);
      t.equal(refused.status, 255, kind);
      t.match(refused.stderr, "Permission denied (publickey)");
      const events = await server.connection(before);
      t.ok(
        events.some(({ msg }) => msg.includes("Failed publickey for")),
        kind,
      );
      user.authorize(`no-touch-required ${line(untouched)}`);
      t.equal((await login(untouched)).stdout.toString(), "in\n", kind);
    }
  },
);

t.test(
  "A signature without the user's PIN is refused where the key's line requires it",
  async (t) => {
    for (const kind of kinds) {
      const path = await made(kind);
      user.authorize(`verify-required ${line(path)}`);
      t.equal((await login(path)).status, 255, kind);
    }
  },
);

t.test("Keys of security keys log in", async (t) => {
  for (const kind of kinds) {
    const path = `${folder}/${kind}`;
    user.authorize(line(path));
    const ended = await login(path);
    t.equal(ended.stdout.toString(), "in\n", `${kind} ${ended.stderr}`);
  }
});
