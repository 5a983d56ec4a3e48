// Each kind of thread that the runtime has: after the lock and the filter, a forbidden call on any of them ends the whole process; and
// threads that cannot be reached end the handshake in an error that names them, with nothing changed.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { statusOf } from "../../sandbox/proc-status.ts";
import { compileOddThreads } from "./odd-threads.ts";
import { programResult, startProgram } from "./run-program.ts";

const directory = mkdtempSync(join(tmpdir(), "sallyport-thread-kinds-"));
t.teardown(() => {
  rmSync(directory, { recursive: true });
});
const addon = compileOddThreads(directory);

interface Thread {
  readonly name: string;
  readonly kind: string;
}

for (const which of ["main", "libuv-worker", "V8Worker", "DelayedTaskSche", "SignalInspector"])
  t.test(`a forbidden call on ${which} kills the whole process`, async (t) => {
    const child = startProgram("threads", ["forbiddenOnThread", which, addon], []);
    t.teardown(() => child.kill("SIGKILL"));
    const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    let out = "";
    child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
    while (!out.includes("\n") && child.stdout !== null) await once(child.stdout, "data");
    const report = JSON.parse(out) as Thread[];
    t.ok(
      report.some(({ name, kind }) => [name, kind].includes(which)),
      "it has such a thread",
    );
    // Seen from outside, before the call.
    const task = `/proc/${child.pid ?? 0}/task`;
    const threads = readdirSync(task).map((tid) => statusOf(`${task}/${tid}/status`));
    t.equal(threads.length, report.length);
    for (const status of threads) {
      t.equal(status.get("Seccomp"), "2", status.get("Name") ?? "");
      t.equal(status.get("Seccomp_filters"), "2", "the lock's filter and the test's");
      t.equal(status.get("NoNewPrivs"), "1", status.get("Name") ?? "");
    }
    child.stdin?.write("now\n");
    const [, signal] = await ended;
    t.equal(signal, "SIGSYS");
    t.notMatch(out, /still alive/);
  });

const unreachable = ["rawly", "vfork"];
for (const kind of unreachable)
  t.test(`a filter by handshake reaches no thread at all when one (${kind}) cannot stop`, (t) => {
    const result = programResult("threads", ["seccompWithOddThread", kind, addon], []);
    t.match(result, {
      error: {
        code: "ETIMEDOUT",
        message: new RegExp(`thread \\d+ \\(${kind}\\).*no thread was changed`),
      },
      none: true,
      all: false,
    });
    t.end();
  });

for (const kind of ["idle", "politely", "churning", "reading"])
  t.test(`a filter by handshake reaches every thread with one (${kind}) among them`, (t) => {
    const result = programResult("threads", ["seccompWithOddThread", kind, addon], []);
    t.match(result, { error: "done", all: true });
    t.end();
  });

for (const kind of [...unreachable, "churning"])
  t.test(`installSeccompFilter() needs no answer of a thread (${kind}): all are confined`, (t) => {
    const result = programResult("threads", ["filterWithOddThread", kind, addon], []) as {
      error: unknown;
      report: { seccomp: number; noNewPrivs: boolean }[];
    };
    t.equal(result.error, "done");
    t.ok(result.report.every(({ seccomp }) => seccomp === 2));
    t.end();
  });
