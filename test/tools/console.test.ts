// `sallyport console` as a person calls it: bad input first, each one line and exit status 2.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { Console } from "../../lab/console.ts";
import { Conversation } from "../../lab/conversation.ts";
import { loadBroker } from "../../lab/mutant-loader.ts";
import { twoUsers } from "../../lab/scenario.ts";
import { consoleCommand } from "../../tools/console.ts";
import { temporaryFolder } from "../support/ssh-keys.ts";
import { makeUser } from "../support/test-user.ts";

const program = fileURLToPath(new URL("../../bin/sallyport", import.meta.url));
interface Ran {
  readonly status: unknown;
  readonly out: string;
  readonly err: string;
}
/** With `script` as standard input. */
const run = (args: readonly string[], script = ""): Promise<Ran> =>
  new Promise((resolve) => {
    const child = execFile(
      program,
      ["console", ...args],
      { timeout: 60_000 },
      (error, out, err) => {
        resolve({ status: error === null ? 0 : error.code, out, err });
      },
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(script);
  });

const calls: readonly (readonly [what: string, args: readonly string[], text: RegExp])[] = [
  ["an unknown option", ["--bogus"], /Unknown option '--bogus'/],
  ["an unknown mutant", ["--mutant", "none-such"], /no mutant "none-such"/],
  ["an unknown exercise", ["--exercise", "9"], /no exercise "9"; there are 1 to 8/],
  [
    "an exercise with another mutant",
    ["--exercise", "1", "--mutant", "key-prefix"],
    /brings its own/,
  ],
  ["an unknown scenario", ["--scenario", "x"], /no scenario "x"; there are "plain"/],
  ["a scenario with an exercise", ["--scenario", "plain", "--exercise", "1"], /goes with neither/],
  ["--fixed without an exercise", ["--fixed"], /goes with --exercise/],
  ["--real without a user", ["--real"], /--real needs (root|--user USER)/],
  ["--real for root", ["--real", "--user", "root"], /--real needs (root|--user USER, not root)/],
  [
    "--real for nobody there",
    ["--real", "--user", "no-such-user"],
    /no user no-such-user|needs root/,
  ],
  ["an exercise with --real", ["--real", "--exercise", "1"], /for a broker in this process/],
  ["a script that is not there", ["--script", "/nonexistent"], /cannot read \/nonexistent/],
];
for (const [what, args, text] of calls)
  t.test(`console refuses ${what} in one line`, async (t) => {
    const said = t.capture(console, "error");
    t.equal(await consoleCommand(args), 2);
    const [line, ...more] = said().map((call) => String(call.args[0]));
    t.match(line, text);
    t.match(line, /^sallyport console: [^\n]*$/);
    t.equal(more.length, 0);
  });

const lines: readonly (readonly [what: string, line: string, text: RegExp])[] = [
  ["an unknown command", "jump", /no command "jump"/],
  ["an unknown message", "send teleport", /no message "teleport"/],
  ["an unknown field", "send lookup-user name=alice", /"name=alice" is not FIELD=VALUE/],
  ["a field of a message that has none", "send adopted x=1", /this message has no fields/],
  ["a quote that does not end", 'send lookup-user user="alice', /a quote does not end/],
  ["a number that is none", "send log level=high", /"high" is not a number/],
  ["a number too wide", "send log level=256", /256 is not a number of a u8/],
  ["bytes that are none", "raw 0g", /is neither hex/],
  ["an unknown variable", "send publickey-query blob=$nothing", /no variable \$nothing/],
  ["JSON that is none", "send {name", /not JSON/],
  ["JSON with an unknown message", 'send {"name": "x"}', /no message "x"/],
  ["a private key that is not there", "sign-as root", /you do not have the private key "root"/],
  ["a count that is none", "attach-fd many", /"many" is not a count/],
  ["help about nothing", "help jump", /no command "jump"/],
];
const broker = await loadBroker(null);
for (const [what, line, text] of lines)
  t.test(`Console.execute() refuses a line with ${what}`, async (t) => {
    const engine = await Console.start(() => new Conversation(broker, twoUsers), twoUsers);
    await t.rejects(engine.execute(line), { name: "RangeError", message: text });
    t.equal(engine.sent.length, 0);
  });
for (const [line, text] of [
  ["jump", /-:2: no command "jump"/],
  ["save /nonexistent/file", /-:2: cannot write/],
] as const)
  t.test(`A script with the line ${line} ends with its number and why`, async (t) => {
    const { status, err } = await run([], `send confined\n${line}\n`);
    t.equal(status, 2);
    t.match(err, text);
    t.match(err, /^sallyport console: [^\n]*\n$/);
  });

const kexParts = "kex=curve25519-sha256 host-key-algorithm=ssh-ed25519";
/** The real signer looks at how they begin. */
const fullKexParts = `${kexParts} client-version=SSH-2.0-c server-version=SSH-2.0-s client-kex-init=hex:14 server-kex-init=hex:14 shared-secret=hex:01`;
const login = `send confined
send {"name": "adopted"}
send sign ${kexParts}
send lookup-user user="alice" service=ssh-connection
permits
sign-as plain
send publickey-sign algorithm=ssh-ed25519 blob=$key.plain signature=$signature
`;
t.test("An honest login gets its shell, and shows phases and permits", async (t) => {
  const { status, out } = await run([], login);
  t.equal(status, 0);
  t.match(out, "kex -> lookup");
  t.match(out, /authenticating: .*publickey-sign 128/);
  t.match(out, "LOGIN alice (uid 1000) gets a shell");
  t.notMatch(out, "\u001b", "no colour where no terminal is");
});
t.test("--json gives one object a line", async (t) => {
  const { out } = await run(["--json"], login);
  const objects = out.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  t.ok(objects.some(({ kind, name }) => kind === "answer" && name === "authenticated"));
  t.match(objects.find(({ name }) => name === "signed"), { body: { exchangeHash: /^[0-9a-f]{64}$/ } }); // prettier-ignore
});
t.test("What the broker refuses is seen with its code, and everything after it", async (t) => {
  for (const [script, text] of [
    ["send sign", /NOT_PERMITTED: Cannot answer sign/],
    ["raw c8 00000001", /UNKNOWN_TYPE/],
    ["raw 02", /TRUNCATED/],
    ["attach-fd 1\nsend confined", /DESCRIPTORS: Cannot read confined: 1 descriptors, 0 belong/],
    ["send confined\nsend adopted\nsend log code=Bad", /MALFORMED/],
    [`send confined missing=["a"*300]`, /OUT_OF_BOUNDS/],
  ] as const) {
    const { status, out } = await run([], `${script}\nsend adopted\n`);
    t.equal(status, 0);
    t.match(out, text);
    t.match(out, "END the connection ended: violation");
    t.match(out, "nobody is there any more");
  }
});
t.test("save writes a sequence, replay plays it, script does what a file says", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(`${folder}/login`, login);
  const sequence = `${folder}/sequence`;
  const { status, err } = await run([], `script ${folder}/login\nsave ${sequence}\n`);
  t.equal(status, 0, err);
  const lines = readFileSync(sequence, "utf8").trim().split("\n");
  t.match(lines[0], '"scenario":"plain"');
  t.equal(lines.length, 6);
  t.match((await run([], `replay ${sequence}\n`)).out, "LOGIN alice (uid 1000) gets a shell");
  writeFileSync(`${folder}/spoilt`, `${lines[0] ?? ""}\n{"hex": "0g"}\n`);
  for (const [args, script, text] of [
    [["--scenario", "two keys"], `replay ${sequence}\n`, /is of --scenario "plain"/],
    [["--exercise", "1"], `save ${sequence}\n`, /only what was played in a --scenario/],
    [[], `replay ${folder}/spoilt\n`, /line 2: hex is missing/],
    [[], `replay ${folder}/login\n`, /line 1: /],
  ] as const) {
    const bad = await run(args, script);
    t.equal(bad.status, 2);
    t.match(bad.err, text);
    t.match(bad.err, /^sallyport console: [^\n]*\n$/);
  }
  writeFileSync(`${folder}/self`, `script ${folder}/self\n`);
  const self = await run(["--script", `${folder}/self`]);
  t.equal(self.status, 2);
  t.match(self.err, "too deep");
});
t.test("Every command says what it is, and the tables speak", async (t) => {
  const script = "help\nmessages\ndescribe publickey-sign\nstate\nkeys\nlog\nhold\nsend confined\nwait\nreset\nexercise\nhint\n"; // prettier-ignore
  const { status, out } = await run([], script);
  t.equal(status, 0);
  t.match(out, "permitted in authenticating (at most 128)");
  t.match(out, "may lead to postauth, refused");
  t.match((await run(["--help"])).out, "usage: sallyport console");
  t.match((await run(["--mutants"])).out, "CVE-2015-6563");
  t.match((await run(["--scenarios"])).out, "AuthenticationMethods publickey,publickey");
  t.match((await run(["--exercises", "--json"])).out, '"number":8');
});
t.test("--real speaks to a real broker from a session process that it confined", async (t) => {
  const user = makeUser(t);
  const own = login.replace("send confined\n", "").replaceAll("plain", "visitor").replace('"alice"', user.name); // prettier-ignore
  const script = `${own.replace(kexParts, fullKexParts)}send lookup-user user=root\nlog\n`;
  const { status, out, err } = await run(["--real", "--user", user.name], script);
  t.equal(status, 0, err);
  t.match(out, "authenticating -> postauth");
  t.match(out, `auth.accepted: Accepted publickey for ${user.name}`);
  t.match(out, "monitor.violation: session process of 127.0.0.1");
  t.match(out, "Cannot answer lookupUser: not permitted in phase postauth");
  t.strictSame(readdirSync("/var/tmp").filter((name) => name.startsWith("sallyport-console.")), []); // prettier-ignore
});
