// A login of the real ssh client, recorded by the tool as a user calls it; then shown, drawn and compared.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import t from "tap";
import type { MessageRecord, ProcessRecord, Trace } from "../../../tools/trace/format.ts";
import { readTrace } from "../../../tools/trace/read.ts";
import { makeKey, temporaryFolder } from "../../support/ssh-keys.ts";
import { makeUser } from "../../support/test-user.ts";
import { small } from "./samples.ts";

const program = fileURLToPath(new URL("../../../bin/sallyport", import.meta.url));
const folder = temporaryFolder(t);

async function trace(...args: readonly string[]) {
  const child = spawn(program, ["trace", ...args], { stdio: ["ignore", "pipe", "pipe"], timeout: 120_000 }); // prettier-ignore
  const [out, err, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>, // as node documents it
  ]);
  return { out, err, status };
}
const messages = ({ records }: Trace): MessageRecord[] =>
  records.filter((record) => record.kind === "message");
const processes = ({ records }: Trace): ProcessRecord[] =>
  records.filter((record) => record.kind === "process");
/** `from > to message` of each. */
const said = (trace: Trace, ...parties: readonly string[]): string[] =>
  messages(trace)
    .filter(({ from, to }) => parties.includes(from) && parties.includes(to))
    .map(({ from, message }) => `${from} ${message}`);

t.test("trace answers a wrong call with one line and status 2", async (t) => {
  const broken = `${folder}/broken.jsonl`;
  writeFileSync(broken, small().replace("lookupUser", "openSesame"));
  const whole = `${folder}/whole.jsonl`;
  writeFileSync(whole, small());
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /record, show, html or diff\?/],
    [["play"], /unknown command "play"/],
    [["show"], /one trace is shown/],
    [["show", whole, whole], /one trace is shown/],
    [["show", `${folder}/absent`], /cannot read .*absent: no such file/],
    [["show", broken], /broken\.jsonl:3: unknown message "openSesame" from session to broker/],
    [["show", whole, "--phase", "limbo"], /unknown phase "limbo"/],
    [["html", broken], /broken\.jsonl:3: /],
    [["html", whole, "-o", `${folder}/absent/page.html`], /cannot write .*: ENOENT/],
    [["diff", whole], /two traces are compared/],
    [["diff", whole, broken], /broken\.jsonl:3: /],
    [["diff", whole, whole, "--slack", "some"], /--slack some is not a number/],
    [["record", "id"], /unexpected "id"/],
    [["record", "--nonsense"], /Unknown option '--nonsense'/],
    [["record", "--wait", "--command", "id"], /--wait starts no ssh/],
  ];
  const ran = await Promise.all(wrong.map(async ([args]) => trace(...args)));
  ran.forEach((one, i) => {
    t.match(one, { status: 2, out: "" });
    t.match(one.err, /^sallyport trace: [^\n]+\n$/);
    t.match(one.err, wrong[i]?.[1] ?? /./);
  });
});
t.test("trace record says what is wrong with a configuration, and leaves nothing", async (t) => {
  const ran = await trace("record", "-o", `${folder}/none.jsonl`, "--set", "Nonsense yes");
  t.equal(ran.status, 2);
  t.match(ran.err, /^sallyport trace: [^\n]*Nonsense[^\n]*\n$/);
  t.notOk(existsSync(`${folder}/none.jsonl`));
});

t.test("trace record", async (t) => {
  const user = makeUser(t);
  const hostKey = makeKey(folder, "ed25519");
  const file = (name: string): string => `${folder}/${name}.jsonl`;
  const record = async (name: string, ...args: readonly string[]): Promise<Trace> => {
    const ran = await trace("record", "-o", file(name), "--user", user.name, "--set", `HostKey ${hostKey.path}`, ...args); // prettier-ignore
    t.equal(ran.status, 0, ran.err);
    return readTrace(file(name));
  };
  // The worker lives as long as its program; the recorder looks for it every millisecond.
  const command = ["--command", "sleep 1"];
  const login = await record("login", ...command);

  await t.test("has every message of a login, in order", (t) => {
    t.same(said(login, "session", "broker"), [
      "session confined",
      "broker connection",
      "session adopted",
      "broker go",
      "session sign",
      "broker signed",
      "session lookupUser",
      "broker userAccepted",
      "session authNone",
      "broker authResult",
      "session publickeyQuery",
      "broker authResult",
      "session publickeySign",
      "broker authenticated",
      "session log",
      "session log",
      "session ended",
    ]);
    t.same(said(login, "broker", "signer"), ["broker exchange", "signer signed"]);
    const withoutEvents = said(login, "broker", "listener").filter((one) => one !== "broker event");
    t.same(withoutEvents, ["broker ready", "listener connection", "broker login", "broker ended"]);
    t.same(said(login, "listener", "zygote").filter((one) => one.startsWith("zygote")).sort(), ["zygote childEnded", "zygote childEnded", "zygote forked", "zygote forked"]); // prettier-ignore
    t.ok(messages(login).every(({ outcome }) => outcome === "done"));
    t.end();
  });
  await t.test("has for every request its phase, what it led to, and the permit", (t) => {
    const asked = messages(login).filter(({ from }) => from === "session");
    const phases = asked.map(({ phase }) => `${phase?.before ?? ""} ${phase?.after ?? ""}`);
    t.same(phases, ["confining handover", "handover kex", "kex kex", "lookup authenticating", "authenticating authenticating", "authenticating authenticating", "authenticating postauth", "postauth postauth", "postauth postauth", "postauth ended"]); // prettier-ignore
    for (const { permit } of asked) {
      t.match(permit, { rule: /^(once|at most \d+)$/, why: /../ });
      t.ok((permit?.left ?? 0) > 0);
    }
    const led = messages(login).find(({ message }) => message === "signed");
    t.match(led, { from: "signer", phase: { before: "kex", after: "lookup" } });
    t.end();
  });
  await t.test("has the processes with their uids and layers", (t) => {
    const seen = (party: string, event: string): ProcessRecord | undefined =>
      processes(login).find((record) => record.party === party && record.event === event);
    const verified = seen("session", "verified");
    const states = new Map(verified?.layers?.map(({ name, state }) => [name, state]));
    for (const name of ["seccomp", "identity", "capabilities", "descriptors", "rlimits"])
      t.equal(states.get(name), "verified", name);
    t.equal(states.get("landlock"), "claimed", "what has no face in /proc is not called verified");
    const uid = Number(execFileSync("id", ["-u", "sallyport"], { encoding: "utf8" }));
    t.match(seen("session", "seen"), { uid });
    t.match(seen("signer", "seen"), { uid });
    t.match(seen("broker", "seen"), { uid: 0 });
    t.match(seen("worker", "seen"), { uid: user.uid });
    t.match(seen("login", "forked"), { by: "zygote", pid: seen("worker", "seen")?.pid ?? 0 });
    for (const party of ["broker", "session"]) t.ok(seen(party, "forked"), party);
    for (const party of ["broker", "session", "worker"])
      t.match(seen(party, "ended"), { status: 0 });
    t.end();
  });
  await t.test("has no byte of a key, of a signature or of a secret", (t) => {
    const content = readFileSync(file("login"), "utf8");
    for (const path of [hostKey.path, user.key.path]) {
      const [, base64 = ""] = readFileSync(`${path}.pub`, "utf8").split(" ");
      t.notOk(content.includes(base64.slice(-40, -4)));
      t.notOk(content.includes(Buffer.from(base64, "base64").subarray(-32).toString("hex").slice(0, 20))); // prettier-ignore
    }
    const strings = messages(login).flatMap(({ fields }) =>
      Object.values(fields).filter((value) => typeof value === "string"),
    );
    // A fingerprint has 43 characters of base64 (and stands in the log); whatever is longer would be more than a digest.
    t.same(
      strings.filter((value) => /[A-Za-z0-9+=]{44}|[0-9a-f]{32}/.test(value)),
      [],
    );
    const signed = messages(login).find(({ message }) => message === "publickeySign");
    t.match(signed?.fields, { signature: { bytes: 83, sha256: /^[0-9a-f]{16}$/ } });
    const parts = messages(login).find(({ message }) => message === "sign");
    t.match(parts?.fields, { sharedSecret: { bytes: Number, salted: /^[0-9a-f]{16}$/ } });
    t.end();
  });
  await t.test("is the same for the same login, and another for one that is refused", async (t) => {
    await record("again", ...command);
    t.same(await trace("diff", file("login"), file("again")), { status: 0, out: "", err: "" });
    const refused = await record("refused", "--identity", user.key.path, "--set", "AuthorizedKeysFile none"); // prettier-ignore
    const last = refused.records.find((one) => one.kind === "connection" && one.event === "ended");
    t.match(last, { end: "auth-failed" });
    t.notOk(said(refused, "broker", "listener").includes("broker login"));
    const ran = await trace("diff", file("login"), file("refused"));
    t.equal(ran.status, 1);
    t.match(ran.out, /^- broker → listener {2}login /m);
    t.match(ran.out, /^\+ connection ended auth-failed$/m);
  });
  await t.test("show and html make something of it", async (t) => {
    const shown = await trace("show", file("login"));
    t.match(shown, { status: 0, err: "" });
    t.notMatch(shown.out, "\u001b", "no colour where no terminal is");
    t.match(shown.out, new RegExp(`lookupUser .*\\[once\\] ${user.name}, ssh-connection$`, "m"));
    const json = await trace("show", "--json", file("login"));
    t.same(json.out.trim().split("\n").map((line) => JSON.parse(line) as unknown), readFileSync(file("login"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as unknown)); // prettier-ignore
    t.match(await trace("html", file("login")), { status: 0, out: `${folder}/login.html\n` });
    t.match(readFileSync(`${folder}/login.html`, "utf8"), /^<!doctype html>/);
  });
});
