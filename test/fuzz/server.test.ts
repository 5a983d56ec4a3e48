// The fuzzer of the front door, as a user calls it: what it refuses, the corpus against the real server, servers with a bug, and the oracles alone.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { isCredential, isPasswordInPlace } from "../../fuzz/server/credential.ts";
import { judgeEvent, judgeEvents, judgePlayed } from "../../fuzz/server/judge.ts";
import { mutate } from "../../fuzz/server/mutate.ts";
import type { Played } from "../../fuzz/server/perform.ts";
import { honestSequence } from "../../fuzz/server/player.ts";
import { clientSequenceText, parseClientSequence } from "../../fuzz/server/sequence.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { Dice } from "../../lab/player.ts";
import type { ServerEvent } from "../../lab/real-talk.ts";
import { publicKeyRequest, signedData } from "../../session/client-userauth.ts";
import { fuzz } from "../../tools/fuzz/main.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const corpusFolder = `${root}fuzz/corpus/server`;
const corpusFiles = readdirSync(corpusFolder);
const corpusFile = (name: string): string => `${corpusFolder}/${name}.jsonl`;

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}
/** `as`: a uid other than root's. */
function run(args: readonly string[], as?: number): Promise<Ran> {
  // Nothing of the test runner's, which the runner adds to every environment.
  const clean = ["-i", `PATH=${process.env["PATH"] ?? ""}`, `${root}bin/sallyport`];
  const child = spawn("env", [...clean, "fuzz", "server", ...args], {
    ...(as === undefined ? {} : { uid: as, gid: as }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (err += chunk));
  return new Promise((resolve) => child.once("close", (status) => { resolve({ status, out, err }); })); // prettier-ignore
}
function folder(t: Test): string {
  const path = mkdtempSync("/tmp/sallyport-fuzz-server-");
  t.teardown(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}
const user = makeUser(t);

t.test("Bad input is one line and exit status 2", async (t) => {
  const own = folder(t);
  const head = '{"format":"sallyport server sequence 1"}\n';
  const write = (name: string, content: string): string => {
    writeFileSync(`${own}/${name}`, content);
    return `${own}/${name}`;
  };
  const calls: readonly (readonly [readonly string[], RegExp])[] = [
    [["--address", "192.0.2.1:22"], /--address "192.0.2.1:22" is refused: "192.0.2.1" is no address of the loopback/],
    [["--address", "localhost.example.org:22"], /is refused: "localhost.example.org"/],
    [["--address", "0.0.0.0:22"], /is refused: "0.0.0.0"/],
    [["--address", "[::ffff:192.0.2.1]:22"], /is refused: "::ffff:192.0.2.1"/],
    [["--address", "[2001:db8::1]:22"], /is refused: "2001:db8::1"/],
    [["--address", "127.0.0.1@192.0.2.1:22"], /is refused: "127.0.0.1@192.0.2.1"/],
    [["--address", "127.0.0.1"], /is not HOST:PORT/],
    [["--address", "127.0.0.1:0"], /is not HOST:PORT/],
    [["--address", "127.0.0.1:65536"], /is not HOST:PORT/],
    [["--address", "127.0.0.1:22", "--mutant", "none-succeeds"], /--mutant is for the server that is started/],
    [["--address", "127.0.0.1:22", "--event-log", `${own}/absent`], /cannot read .*absent: ENOENT/],
    [["--event-log", `${own}/absent`], /--event-log goes with --address/],
    [["--user", "root", "--runs", "1"], /--user root: whoever it is, not root/],
    [["--user", "no-such-user", "--runs", "1"], /no user no-such-user/],
    [["--user", "a b", "--runs", "1"], /--user "a b" is no name/],
    [["--mutant", "no-such", "--runs", "1"], /no mutant "no-such"; there are session-throws/],
    [["--time", "soon"], /--time "soon"/],
    [["--runs", "-1"], /--runs/],
    [["--jobs", "0"], /--jobs 0/],
    [["--wrong"], /--wrong/],
    [["--corpus", write("file", ""), "--runs", "1"], /file: ENOTDIR/],
    [["--repro", `${own}/absent`], /absent: ENOENT/],
    [["--minimize", `${own}/absent`], /absent: ENOENT/],
    [["--repro", write("a", "not json\n")], /a line 1: /],
    [["--repro", write("empty", "")], /empty line 1: /],
    [["--repro", write("b", '{"format":"sallyport sequence 1"}\n')], /b line 1: not a client's sequence/],
    [["--repro", write("c", `${head}{"step":"jump"}\n`)], /c line 2: unknown step "jump"/],
    [["--repro", write("d", `${head}{"send":"X","fields":[{"live":"root key"}]}\n`)], /d line 2: unknown field/],
    [["--repro", write("e", `${head}{"send":"X","fields":[{"hex":"0g"}]}\n`)], /e line 2: hex is no hex/],
    [["--repro", write("f", `${head}{"send":"X","lie":{"tag":1},"fields":[]}\n`)], /f line 2: unknown lie "tag"/],
    [["--repro", write("g", `${head}{"send":"X","fields":[{"number":4294967296}]}\n`)], /g line 2: number is not/],
    [["--repro", write("h", `${head}{"times":2001,"step":"wait"}\n`)], /h line 2: times/],
    [["--repro", write("i", `${head}{"line":"\\u0000"}\n`)], /i line 2: line is not printable/],
    [["--repro", write("j", `${head}{"line":"x","cut":"twice"}\n`)], /j line 2: unknown cut "twice"/],
    [["--repro", write("k", `${head}{"send":"X","fields":[{"fill":1,"count":999999}]}\n`)], /k line 2: count/],
  ]; // prettier-ignore
  for (const [args, why] of calls) {
    const said = t.capture(console, "error");
    t.equal(await fuzz(["server", ...args]), 2, args.join(" "));
    const [line, ...more] = said().map((call) => String(call.args[0]));
    t.match(line, why);
    t.match(line, /^sallyport fuzz: [^\n]*$/);
    t.equal(more.length, 0);
  }
});

t.test("Without root it says what to type", async (t) => {
  const { status, err } = await run(["--runs", "1"], user.uid);
  t.equal(status, 2);
  t.match(err, /^sallyport fuzz: a server of its own needs root: sudo bin\/sallyport fuzz server .*\n$/); // prettier-ignore
  t.match((await run(["--help"], user.uid)).out, "must be on the loopback");
});

const key = new LabKey("visitor");
const sessionId = new Uint8Array(32).fill(1);
const hostKey = new LabKey("host").blob;
const request = (
  signer: LabKey,
  name = "alice",
  session = sessionId,
  bound: Uint8Array | null = null,
): Uint8Array => {
  // prettier-ignore
  const unsigned = publicKeyRequest(name, { algorithm: "ssh-ed25519", blob: key.blob }, true, bound);
  const signature = signer.sign(signedData(session, unsigned));
  return Buffer.concat([unsigned, Uint8Array.of(0, 0, 0, signature.length), signature]);
};
t.test("isCredential() takes no signature but the account's over this very session", (t) => {
  const account = { user: "alice", key };
  const is = (payload: Uint8Array): boolean => isCredential(payload, account, sessionId, hostKey);
  t.notOk(is(request(new LabKey("stranger"))));
  t.notOk(is(request(key, "root")));
  t.notOk(is(request(key, "alice", new Uint8Array(32))));
  t.notOk(is(request(key, "alice", sessionId, key.blob)), "bound to another host key");
  t.notOk(is(Buffer.concat([request(key), Uint8Array.of(0)])));
  t.notOk(is(request(key).subarray(0, -1)));
  t.notOk(is(Uint8Array.of(50)));
  t.ok(is(request(key)));
  t.ok(is(request(key, "alice", sessionId, hostKey)));
  t.end();
});
t.test("isPasswordInPlace() is only where RFC 4252 section 8 has it", (t) => {
  const of = (...strings: string[]): Uint8Array =>
    Buffer.concat([Uint8Array.of(50), ...strings.map((each) => Buffer.concat([Uint8Array.of(0, 0, 0, each.length), Buffer.from(each)]))]); // prettier-ignore
  t.notOk(isPasswordInPlace(of("secret", "ssh-connection", "password", "secret"), "secret"));
  t.notOk(isPasswordInPlace(of("alice", "ssh-connection", "passwords", "secret"), "secret"));
  t.ok(isPasswordInPlace(of("alice", "ssh-connection", "password", "secret"), "secret"));
  t.end();
});

const played: Played = { port: 1, spoken: [], where: "asked", heard: [], isProven: false, password: null, disconnect: null, closed: "first" }; // prettier-ignore
const event = (code: string, fields: ServerEvent["fields"] = {}, msg = ""): ServerEvent => ({ level: "info", code, pid: 1, connection: 1, fields, msg }); // prettier-ignore
const ended = event("connection.ended", { end: "no-auth" });
const closed = event("connection.peer-closed");
t.test("The judge objects to whatever is no clean end, and to nothing else", (t) => {
  const heard = (number: number, isProven = false) => judgePlayed({ ...played, heard: [{ number, isProven }] })?.oracle; // prettier-ignore
  t.equal(heard(52), "login");
  t.equal(heard(91), "login");
  t.equal(heard(3), "message");
  t.equal(heard(99), "message");
  t.equal(judgePlayed({ ...played, closed: "never" })?.oracle, "liveness");
  const twice = { number: 52, isProven: true };
  t.equal(judgePlayed({ ...played, isProven: true, heard: [twice, twice] })?.oracle, "login");
  const told = (...events: ServerEvent[]) => judgeEvents(events, played)?.oracle;
  t.equal(judgeEvents(undefined, played)?.oracle, "liveness");
  t.equal(told(closed), "end");
  t.equal(told(ended), "end", "nothing says why");
  t.equal(told(closed, closed, ended), "end");
  t.equal(told(closed, ended, closed), "end");
  t.equal(told(closed, event("connection.ended", { end: "crash" })), "end");
  const fault = event("connection.protocol-fault", { disconnectReason: 2 });
  t.equal(judgeEvents([fault, ended], { ...played, disconnect: 5 })?.oracle, "end");
  t.equal(judgeEvents([fault, ended], { ...played, disconnect: 2 }), null);
  t.equal(told(event("auth.accepted"), closed, ended), "login");
  t.equal(told(event("login.forked"), closed, ended), "login");
  t.equal(told(event("connection.internal-error"), ended), "own-error");
  t.equal(told(event("monitor.session-died"), ended), "crash");
  t.equal(told(event("sandbox.violation"), ended), "sandbox");
  t.equal(told(event("monitor.violation"), ended), "monitor");
  t.equal(judgeEvent({ ...event("x"), level: "fatal" })?.oracle, "own-error");
  t.equal(judgeEvent(event("child.ended", { class: "crashed" }))?.oracle, "crash");
  t.equal(judgeEvent(event("child.ended", { class: "failed" }))?.oracle, "crash");
  t.equal(judgeEvent(event("zygote.renewed", {}, "zygote is replaced: a process forked from it ended abnormally"))?.oracle, "crash"); // prettier-ignore
  t.equal(judgeEvent(event("child.stderr"))?.oracle, "own-error");
  t.equal(judgeEvent(event("zygote.renewed", {}, "zygote is replaced: its age")), null);
  t.equal(judgeEvent(event("child.ended", { class: "done" })), null);
  t.equal(heard(51), undefined);
  t.equal(heard(52, true), undefined);
  t.equal(told(closed, ended), undefined);
  t.equal(
    judgeEvents([event("auth.accepted"), closed, ended], { ...played, isProven: true }),
    null,
  );
  t.end();
});

t.test("A sequence is the same after it was text, and the same seed makes the same one", (t) => {
  const make = (seed: number): string => {
    const dice = new Dice(seed);
    let sequence = honestSequence(dice);
    for (let i = 0; i < 6; i += 1) sequence = mutate(sequence, honestSequence(dice), dice);
    return clientSequenceText(sequence);
  };
  for (let seed = 0; seed < 300; seed += 1) {
    const text = make(seed);
    if (text.split("\n").length > 1900) continue;
    t.equal(clientSequenceText(parseClientSequence(text, "x")), text);
    t.equal(make(seed), text);
  }
  for (const name of corpusFiles) {
    const text = readFileSync(`${corpusFolder}/${name}`, "utf8");
    t.equal(clientSequenceText(parseClientSequence(text, name)), text, name);
  }
  t.end();
});

t.test("The corpus breaks no rule of the real server, and goes everywhere", async (t) => {
  const { status, out, err } = await run(["--user", user.name, "--runs", String(corpusFiles.length), "--jobs", "2", "--json"]); // prettier-ignore
  t.equal(status, 0, err + out);
  const summary = JSON.parse(out) as Record<string, unknown>;
  t.match(summary, { connections: corpusFiles.length, finding: null, unseen: [] });
  t.ok(Number(summary["pairs"]) >= 80, `${String(summary["pairs"])} pairs`);
  t.ok(Object.keys(summary["endings"] as object).length >= 40);
  t.ok(Number(summary["growthKiB"]) > 0);
  t.ok(Number(summary["logins"]) > 2);
});

t.test("A session process with a bug is caught, and its sequence made small", async (t) => {
  const out = folder(t);
  // The sequences that lead there, so that it takes seconds; the whole corpus and chance find it too.
  const corpus = folder(t);
  for (const name of ["login", "long-service", "methods"])
    writeFileSync(`${corpus}/${name}.jsonl`, readFileSync(corpusFile(name)));
  const args = ["--mutant", "session-throws", "--user", user.name, "--out", out];
  const caught = await run([...args, "--time", "60", "--corpus", corpus]);
  t.equal(caught.status, 1, caught.err);
  t.match(caught.out, /FOUND +own-error: connection.internal-error: .*Cannot name the service/);
  const [name = ""] = readdirSync(out);
  const small = await run([...args, "--minimize", `${out}/${name}`]);
  t.equal(small.status, 1);
  t.match(small.out, /6 steps -> 5, after \d+ connections: bytes, KEXINIT, KEX_INIT, NEWKEYS, SERVICE_REQUEST\n/); // prettier-ignore
  const [minimized = ""] = readdirSync(out).filter((each) => each.startsWith("minimized-"));
  t.match(
    readFileSync(`${out}/${minimized}`, "utf8"),
    /"fill":97,"count":65/,
    "the first length that does it",
  );
});

const bugs: readonly (readonly [mutant: string, sequence: string, text: RegExp])[] = [
  ["none-succeeds", "none-twice", /login: the server said USERAUTH_SUCCESS/],
  ["session-calls", "debug", /sandbox: sandbox.violation: session process \d+ .* at the system call mkdir/],
  ["session-keeps", "noise", /memory: a session process has grown by \d+ KiB/],
  ["password-logged", "methods", /secret: a password stands in the log/],
]; // prettier-ignore
t.test("Bugs of session processes are seen from outside, each by its oracle", async (t) => {
  // Two servers at a time: most of it is waiting.
  const waiting = [...bugs];
  const work = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const [mutant, sequence, text] = bug;
      const { status, out, err } = await run(["--mutant", mutant, "--user", user.name, "--repro", corpusFile(sequence)]); // prettier-ignore
      t.equal(status, 1, `${mutant} ${err}`);
      t.match(out, text);
    }
  };
  await Promise.all([work(), work()]);
});

t.test("A server that runs already is fuzzed at its address, and its log read", async (t) => {
  const server = await TestServer.start(t, { config: ["MaxStartups 100"] });
  const address = ["--address", `127.0.0.1:${server.port}`];
  const { status, out } = await run([...address, "--event-log", `${server.folder}/events`, "--runs", "12"]); // prettier-ignore
  t.equal(status, 0, out);
  t.match(out, "not seen    what follows a login: nobody can log in");
  t.match(out, "not seen    processes, descriptors and memory: it is not our server");
  t.match(out, "found       nothing: no rule was broken");
  t.match((await run([...address, "--runs", "30", "--states"])).out, /^digraph server \{[\s\S]*"agreed" -> "keyed" \[label="NEWKEYS"\];/); // prettier-ignore
});
