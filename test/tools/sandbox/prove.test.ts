// The real thing: processes confined by the server's own code on this kernel, and what they try. One whole run, as a user makes it, is looked
// at by most of these.
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
const roles = ["session", "broker", "signer", "listener"] as const;

for (const role of roles)
  t.test(`prove says no, with status 1, of a ${role} without a layer`, (t) => {
    const { status, report } = proved("--role", role, "--quick", "--only", "exec", "--without", "all"); // prettier-ignore
    t.equal(status, 1);
    const execve = report.results.find(({ name }) => name === "execve");
    t.match(execve, { isStopped: false, outcome: "the program ran", control: { works: true } });
    t.end();
  });

for (const [role, only, layers] of [
  ["session", "received-descriptor", "rlimits"],
  ["session", "inherited-file", "descriptors"],
  ["broker", "timer", "seccomp"],
  ["signer", "memfd", "seccomp"],
  ["listener", "overwrite", "landlock"],
] as const)
  t.test(`prove says no, with status 1, of a ${role} that lacks ${layers} alone`, (t) => {
    const { status, report } = proved("--role", role, "--quick", "--only", only, "--without", layers); // prettier-ignore
    t.equal(status, 1);
    t.match(
      report.results.find(({ name }) => name === only),
      { isStopped: false },
    );
    t.end();
  });

t.test("prove tells an attempt that changed something by what it changed", (t) => {
  const { status, report } = proved("--role", "session", "--quick", "--only", "kill-", "--without", "all"); // prettier-ignore
  t.equal(status, 1);
  for (const { outcome } of report.results) t.match(outcome, /was killed/);
  t.end();
});

const before = ours();
const whole = proved();
t.test("a whole run ends with status 0, and leaves nothing behind", (t) => {
  t.equal(whole.status, 0);
  t.equal(whole.report.stopped, whole.report.attempts);
  t.same(ours(), before);
  t.end();
});

for (const role of roles) {
  const results = whole.report.results.filter((result) => result.role === role);
  t.test(`no attempt of at least sixty, of every family, gets out of a ${role}`, (t) => {
    t.same(
      results.filter(({ isStopped }) => !isStopped),
      [],
    );
    t.same([...new Set(results.map(({ family }) => family))].sort(), Object.keys(families).sort());
    t.ok(
      results.filter(({ control }) => control.works).length >= 60,
      "at least sixty succeed where nothing is confined, so that being stopped means something",
    );
    t.end();
  });

  t.test(
    `prove says of a ${role} which layer stopped each attempt, and what would have next`,
    (t) => {
      for (const { name, layer, next, alone, control } of results.filter(
        ({ control: { works } }) => works,
      )) {
        t.ok(layer, name);
        t.ok(next === null || next.layer !== layer, `${name}: another one`);
        for (const one of alone) t.ok(layerNames.includes(one), name);
        t.ok(control.works);
      }
      t.ok(
        results.filter(({ alone }) => alone.length >= 2).length >= 60,
        "most by two layers, each alone",
      );
      t.ok(results.filter(({ next }) => next !== null).length >= 60, "most by another one then");
      t.end();
    },
  );
}

t.test("with the filter off a file is kept by rlimits, root and identity, each named", (t) => {
  const openat2 = whole.report.results.find(({ role, name }) => role === "session" && name === "openat2"); // prettier-ignore
  t.equal(openat2?.layer, "seccomp");
  for (const layer of ["rlimits", "root", "identity"] as const) t.ok(openat2?.alone.includes(layer), layer); // prettier-ignore
  t.end();
});

t.test(
  "what a layer holds only beside others is told too: RLIMIT_NPROC, which root has none of",
  (t) => {
    const fork = whole.report.results.find(
      ({ role, name }) => role === "session" && name === "fork",
    );
    t.match(fork, { layer: "seccomp", next: { layer: "rlimits", outcome: "fork: EAGAIN" } });
    t.end();
  },
);

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
