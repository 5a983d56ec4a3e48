// The fuzzer of a real broker over its socket: what it refuses, what it finds when a bug is planted, and that it finds nothing without one.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"; // prettier-ignore
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { Monitor } from "../../broker/monitor.ts";
import { execute } from "../../fuzz/execute.ts";
import { minimize, type Attempt } from "../../fuzz/minimize.ts";
import { nameOf, parseSequence, type Sequence } from "../../fuzz/sequence.ts";
import { reachablePairs, SessionEngine } from "../../fuzz/session/engine.ts";
import { SessionRun } from "../../fuzz/session/run.ts";
import { Secrets } from "../../fuzz/session/secrets.ts";
import { requests, type RequestName } from "../../ipc/monitor.ts";
import { decode } from "../../ipc/protocol.ts";
import { judgedScenarios } from "../../lab/judged-scenarios.ts";
import { encodeLeniently } from "../../lab/message-bytes.ts";
import { loadBroker } from "../../lab/mutant-loader.ts";
import { mutantById, mutants } from "../../lab/mutants.ts";
import type { Patch } from "../../lab/patches.ts";
import type { Move } from "../../lab/player.ts";
import { readCorpus, sessionCorpus } from "../../tools/fuzz/files.ts";
import { fuzz } from "../../tools/fuzz/main.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const corpusFolder = `${root}fuzz/corpus/broker`;

function sallyport(...args: string[]): { status: number | null; out: string; err: string } {
  const ran = spawnSync(`${root}bin/sallyport`, ["fuzz", "session", ...args], { encoding: "utf8" });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}
function folder(t: Test): string {
  const path = mkdtempSync("/tmp/sallyport-fuzz-");
  t.teardown(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

const code = { Monitor, decode };
/** The repository's, shortest first. */
const corpus = readdirSync(corpusFolder)
  .map((name) => ({
    name,
    sequence: parseSequence(readFileSync(`${corpusFolder}/${name}`, "utf8"), name),
  })) // prettier-ignore
  .sort((one, other) => one.sequence.moves.length - other.sequence.moves.length);

/** Those that are needed to reach all pairs in process, up to so many moves, in a folder of their own. */
function shortCorpus(t: Test, most = Infinity): string {
  const reached = new Set<string>();
  const own = `${folder(t)}/corpus`;
  mkdirSync(own);
  for (const { name, sequence } of corpus.filter((each) => each.sequence.moves.length <= most)) {
    const { pairs } = execute(code, sequence);
    if (pairs.every((pair) => reached.has(pair))) continue;
    for (const pair of pairs) reached.add(pair);
    copyFileSync(`${corpusFolder}/${name}`, `${own}/${name}`);
  }
  return own;
}

t.test("Bad input is one line and exit status 2", async (t) => {
  const own = folder(t);
  writeFileSync(`${own}/corrupt`, "not json\n");
  mkdirSync(`${own}/bad`);
  writeFileSync(`${own}/bad/one.jsonl`, '{"format":"other"}\n');
  const calls: readonly (readonly [readonly string[], RegExp])[] = [
    [["--wrong"], /--wrong/],
    [["--no-branches"], /--no-branches is for sallyport fuzz broker: branches of another process are not counted/],
    [["--distill"], /--distill is for sallyport fuzz broker/],
    [["--mutant", "none"], /no mutant "none"/],
    [["--time", "soon"], /--time "soon"/],
    [["--runs", "-1"], /--runs/],
    [["--jobs", "0"], /--jobs 0/],
    [["--repro", `${own}/absent`], /absent: ENOENT/],
    [["--minimize", `${own}/corrupt`], /corrupt line 1: /],
    [["--corpus", `${own}/bad`], /one.jsonl line 1: not a sequence/],
    [["--runs", "1", "--user", "no-such-user"], /no user no-such-user|needs root/],
    [["--runs", "1", "--user", "root"], /not root|needs root/],
    [["--runs", "1", "--user", "a b"], /"a b" is no name|needs root/],
  ]; // prettier-ignore
  for (const [args, why] of calls) {
    const said = t.capture(console, "error");
    const written = t.capture(process.stdout, "write");
    const status = await fuzz(["session", ...args]);
    const out = written().length;
    written.restore();
    const lines = said().map((call) => String(call.args[0]));
    said.restore();
    t.equal(status, 2, args.join(" "));
    t.equal(out, 0);
    t.equal(lines.length, 1);
    t.match(lines[0], why);
    t.match(lines[0], /^sallyport fuzz: [^\n]*$/);
  }
});

t.test("Without root it says in one line what to type", (t) => {
  const ran = spawnSync("env", ["-i", `PATH=${process.env["PATH"] ?? ""}`, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", `${root}bin/sallyport`, "fuzz", "session", "--runs", "5"], { encoding: "utf8" }); // prettier-ignore
  t.equal(ran.status, 2, ran.stderr);
  t.equal(ran.stderr, "sallyport fuzz: a server of its own needs root: sudo sallyport fuzz session --runs 5\n"); // prettier-ignore
  t.end();
});

t.test(
  "Its own corpus breaks no rule of the broker, and has a sequence for each broker with a bug",
  async (t) => {
    const own = readCorpus(sessionCorpus);
    for (const each of own) t.equal(execute(code, each).finding, null);
    for (const { id } of mutants) {
      const mutant = await loadBroker(id);
      t.ok(
        own.some((each) => execute(mutant, each).finding !== null),
        id,
      );
    }
  },
);

t.test("A secret is found in any form that a line may hold it in", (t) => {
  const secret = Uint8Array.from({ length: 32 }, (_none, i) => 17 * i + 3);
  const secrets = new Secrets(new Map([["it", secret]]));
  const bytes = Buffer.from(secret);
  t.equal(secrets.in("a line of a log"), undefined);
  t.equal(secrets.in(bytes.subarray(0, 16).toString("hex")), undefined);
  for (const before of [0, 1, 2, 3, 4])
    t.equal(secrets.in(Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(5)]).toString("base64")), "it"); // prettier-ignore
  t.equal(secrets.in(`x${bytes.toString("hex")}y`), "it");
  t.equal(secrets.in(`x${bytes.toString("latin1")}y`), "it");
  t.end();
});

const send = (name: RequestName, body: Readonly<Record<string, unknown>> = {}): Move => ({
  kind: "send",
  bytes: encodeLeniently(requests[name], 1, body),
  descriptors: 0,
});
const exchange = {
  kex: "curve25519-sha256",
  hostKeyAlgorithm: "ssh-ed25519",
  clientVersion: "SSH-2.0-lab",
  serverVersion: "SSH-2.0-sallyport",
  clientKexInit: Uint8Array.of(20),
  serverKexInit: Uint8Array.of(20),
  sharedSecret: Uint8Array.of(20),
};
const authenticating = [
  send("adopted"),
  send("sign", exchange),
  send("lookupUser", { user: "alice", service: "ssh-connection" }),
];
const plain = judgedScenarios[0];
if (plain === undefined) throw new TypeError("No scenario");
const sequence = (...moves: readonly Move[]): Sequence => ({ scenario: plain, isGivenConnection: true, moves }); // prettier-ignore
const start = async (t: Test, patches: readonly Patch[]): Promise<SessionRun> => {
  const run = await SessionRun.start("nobody", patches, () => Promise.resolve(null));
  t.teardown(() => run.stop());
  return run;
};

/** What no judge of messages sees: each bug of this broker waits for a method of its own. */
const planted: readonly (readonly [method: string, does: string, oracle: string, text: RegExp])[] = [
  ["log-secret", 'this.#world.log({ level: "debug3", code: "auth.failed", text: `K = ${globalThis.plantedSecret}` });', "secret", /^the shared secret of a key exchange stands in the log$/],
  ["memory", "globalThis.planted = Buffer.alloc(96 * 2 ** 20, 1);", "memory", /^a broker has \d+ bytes of its own; the bound is 67108864$/],
  ["throw", 'throw new TypeError("Planted");', "crash", /^broker \d+ ended: exit status 1; .*TypeError: Planted/],
  ["call", 'process.getBuiltinModule("node:fs").mkdirSync("/planted");', "crash", /^broker \d+ ended: signal SIGSYS; .*system call mkdir/],
]; // prettier-ignore
const plantedPatches: readonly Patch[] = [
  {
    file: "broker/monitor.js",
    search: "            case \"authUnsupported\":\n",
    replacement: `            case "authUnsupported":
${planted.map(([method, does]) => `if (Buffer.from(request.body.method).toString() === "${method}") { ${does} }`).join("\n")}
`,
  },
  {
    file: "broker/monitor.js",
    search: "        const done = this.#wait();\n        this.#world.sign(\"exchange\"",
    replacement: `        globalThis.plantedSecret = Buffer.from(body.sharedSecret).toString("base64");
        const done = this.#wait();\n        this.#world.sign("exchange"`,
  },
]; // prettier-ignore
t.test(
  "What is planted in a broker is seen from outside: in its log, its memory, its end",
  async (t) => {
    const run = await start(t, plantedPatches);
    const honest = await run.execute(sequence(...authenticating, send("authUnsupported", { method: "password" }))); // prettier-ignore
    t.equal(honest.finding, null);
    const empty: Move = { kind: "send", bytes: new Uint8Array(), descriptors: 0 };
    const closed = await run.execute(sequence(send("adopted"), empty));
    t.match(closed, {
      finding: null,
      features: [/adopted/, "kex unknown monitor.session-died,end:crash"],
    });
    const died = send("log", { level: 0, code: "died", text: "session process 1 of 127.0.0.1" });
    t.match(await run.execute(sequence(send("adopted"), died)), { finding: null });
    for (const [method, , oracle, text] of planted) {
      const { finding } = await run.execute(sequence(...authenticating, send("authUnsupported", { method }), send("authNone"))); // prettier-ignore
      t.equal(finding?.oracle, oracle, method);
      t.match(finding?.text, text);
    }
  },
);

t.test(
  "A proof that is not over the session id is found, and its sequence made small",
  async (t) => {
    const run = await start(t, mutantById("proof-unbound").patches);
    const proves = ({ sequence }: (typeof corpus)[number]): boolean => execute(code, sequence).features.some((step) => step.includes("signing,proved")); // prettier-ignore
    const engine = new SessionEngine({
    code,
    execute: (each) => run.execute(each),
    seed: 1,
    corpus: corpus.filter(proves).slice(0, 3).map(({ sequence }) => sequence),
    isDone: ({ executions }) => executions >= 100,
  }); // prettier-ignore
    const found = await engine.run();
    t.match(found?.finding, { oracle: "signing", text: /^the proof is not over this session id/ });
    if (found === null) return;
    t.match((await run.execute(found.sequence)).finding, found.finding, "again");
    const attempt: Attempt = async (each) => ({ finding: (await run.execute(each)).finding, brokenBy: -1 }); // prettier-ignore
    const small = await minimize(attempt, found.sequence, 64);
    t.equal((await run.execute(small)).finding?.oracle, "signing");
    const names = small.moves.map((move) =>
      move.kind === "send" ? nameOf(move.bytes) : move.kind,
    );
    t.same(names, ["adopted", "sign", "lookupUser", "publickeySign", "proveHostKey"]);
  },
);

t.test("A broker with a bug is caught, its sequence reproduced and made small", (t) => {
  const out = folder(t);
  const bug = ["--mutant", "user-resent"];
  const caught = sallyport(...bug, "--time", "60", "--corpus", shortCorpus(t, 8), "--out", out);
  t.equal(caught.status, 1, caught.err);
  t.match(caught.out, /FOUND +permit-table: lookupUser taken in phase authenticating/);
  const [name = ""] = readdirSync(out);
  t.match(caught.out, `sallyport fuzz session --mutant user-resent --minimize ${out}/${name}`);
  const again = sallyport(...bug, "--repro", `${out}/${name}`);
  t.equal(again.status, 1);
  t.match(again.out, /authenticating lookupUser userAccepted {2}<== breaks\npermit-table: /);
  const small = sallyport(...bug, "--minimize", `${out}/${name}`, "--out", out);
  t.equal(small.status, 1);
  t.match(small.out, /-> 5 moves, .*: confined, adopted, sign, lookupUser, lookupUser/);
  t.end();
});

t.test(
  "The corpus breaks no rule of a real broker, and reaches every pair that a session process can",
  (t) => {
    const short = shortCorpus(t);
    const runs = String(readdirSync(short).length);
    const { status, out, err } = sallyport("--corpus", short, "--runs", runs, "--json");
    t.equal(status, 0, err);
    const summary = JSON.parse(out) as Record<string, unknown>;
    t.match(summary, { finding: null, missingPairs: [], possiblePairs: reachablePairs.size });
    t.ok(Number(summary["brokerBytes"]) > 2 ** 20, "a broker's memory was looked at");
    t.end();
  },
);
