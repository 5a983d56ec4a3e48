// The real thing: processes confined by the server's own code on this kernel, and what they try.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import type { AttemptResult } from "../../../tools/sandbox/result.ts";
import { families } from "../../../tools/sandbox/attempt.ts";
import { layerNames } from "../../../sandbox/layers.ts";

const tool = fileURLToPath(new URL("../../../bin/sallyport", import.meta.url));
if (spawnSync("id", ["sallyport"]).status !== 0)
  spawnSync("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "sallyport"]); // prettier-ignore

function sandbox(...args: readonly string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(tool, ["sandbox", ...args], { encoding: "utf8", maxBuffer: 1 << 24 }); // prettier-ignore
  return { status, out: stdout, err: stderr };
}
interface Report {
  readonly attempts: number;
  readonly stopped: number;
  readonly results: readonly AttemptResult[];
}
const proved = (...args: readonly string[]): { status: number | null; report: Report } => {
  const { status, out, err } = sandbox("prove", "--json", ...args);
  if (out === "") throw new Error(`No report: ${err}`);
  return { status, report: JSON.parse(out) as Report };
};
const ours = (): string[] => readdirSync("/var/tmp").filter((name) => name.startsWith("sallyport-prove.")); // prettier-ignore

t.test("prove says no, with status 1, of a process without a layer", (t) => {
  const { status, report } = proved(
    "--role",
    "session",
    "--quick",
    "--only",
    "open",
    "--without",
    "all",
  );
  t.equal(status, 1);
  const open = report.results.find(({ name }) => name === "open");
  t.match(open, { isStopped: false, control: { works: true } });
  t.end();
});

t.test("prove tells an attempt that changed something by what it changed", (t) => {
  const { status, report } = proved(
    "--role",
    "session",
    "--quick",
    "--only",
    "kill-",
    "--without",
    "all",
  );
  t.equal(status, 1);
  for (const { outcome } of report.results) t.match(outcome, /was killed/);
  t.end();
});

t.test("no attempt of at least sixty, of every family, gets out of a session process", (t) => {
  const before = ours();
  const { status, report } = proved("--role", "session", "--quick");
  t.same(
    report.results.filter(({ isStopped }) => !isStopped),
    [],
  );
  t.equal(status, 0);
  t.ok(report.attempts >= 60);
  t.same([...new Set(report.results.map(({ family }) => family))].sort(), Object.keys(families).sort()); // prettier-ignore
  t.ok(
    report.results.filter(({ control }) => control.works).length >= 60,
    "at least sixty succeed where nothing is confined, so that being stopped means something",
  );
  t.same(ours(), before, "nothing is left behind");
  t.end();
});

t.test("with the filter off another layer stops what reads a file, and is named", (t) => {
  const { status, report } = proved("--role", "session", "--only", "openat2");
  t.equal(status, 0);
  const [result] = report.results;
  t.equal(result?.layer, "seccomp");
  t.ok(result?.next !== null && result?.next.layer !== "seccomp");
  t.ok((result?.alone.length ?? 0) >= 3, "seccomp, root and identity at the least");
  for (const layer of result?.alone ?? []) t.ok(layerNames.includes(layer));
  t.end();
});

for (const role of ["broker", "signer", "listener"])
  t.test(`no attempt of at least twelve gets out of a ${role}`, (t) => {
    const { status, report } = proved("--role", role, "--quick");
    t.same(
      report.results.filter(({ isStopped }) => !isStopped),
      [],
    );
    t.equal(status, 0);
    t.ok(report.results.filter(({ control }) => control.works).length >= 12);
    t.equal(proved("--role", role, "--quick", "--only", "exec", "--without", "all").status, 1);
    t.end();
  });

t.test("a broker without its filter still cannot write a file: Landlock", (t) => {
  const { status, report } = proved("--role", "broker", "--only", "overwrite", "--without", "seccomp"); // prettier-ignore
  t.equal(status, 0);
  t.equal(report.results[0]?.layer, "landlock");
  t.end();
});

t.test("a wrong call of sandbox is one line and status 2", (t) => {
  for (const args of [
    [],
    ["break"],
    ["prove", "--wrong"],
    ["prove", "--only", "no such attempt"],
    ["prove", "--without", "wall"],
    ["prove", "--role", "wall"],
    ["prove", "-f", "/nonexistent"],
    ["filter", "wall"],
  ]) {
    const { status, err } = sandbox(...args);
    t.equal(status, 2, args.join(" "));
    t.equal(err.trim().split("\n").length, 1, err);
  }
  t.end();
});

t.test("prove --list names the attempts, and filter prints a filter", (t) => {
  const list = sandbox("prove", "--list");
  t.equal(list.status, 0);
  t.ok(list.out.trim().split("\n").length >= 60);
  const filter = sandbox("filter", "signer");
  t.equal(filter.status, 0);
  t.match(filter.out, /RET KILL_PROCESS/);
  t.end();
});
