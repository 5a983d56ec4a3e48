import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { lockRuntimeThreads, type ThreadStatus } from "../../native/threads.ts";
import { compileOddThreads } from "./odd-threads.ts";
import { programResult, runProgram } from "./run-program.ts";

const directory = mkdtempSync(join(tmpdir(), "sallyport-threads-"));
t.teardown(() => {
  rmSync(directory, { recursive: true });
});
const addon = compileOddThreads(directory);

/** The report after JSON: capabilities as text. */
type Report = (Omit<ThreadStatus, "capabilities"> & { capabilities: Record<string, string> })[];
interface Failure {
  code?: string;
  message: string;
}
/** Without our flags: the signal thread, V8's workers and the pool are all there. */
const run = (...args: string[]): unknown => programResult("threads", [...args], []);
const kinds = (report: Report) => new Set(report.map((thread) => thread.kind));

t.test("lockRuntimeThreads() refuses a process with a worker, and changes nothing", (t) => {
  const { error, unlocked } = run("lockWithWorker") as { error: Failure; unlocked: boolean };
  t.equal(error.code, "ERR_USER_THREADS");
  t.match(error.message, /WorkerThread/);
  t.ok(unlocked);
  t.end();
});

t.test(
  "lockRuntimeThreads() refuses in this very process, which tap's loader gave a worker",
  (t) => {
    // That worker has the program's name and not a worker's.
    t.throws(lockRuntimeThreads, { code: /^ERR_(USER_THREADS|THREADS_NOT_LOCKED)$/ });
    t.end();
  },
);

t.test("lockRuntimeThreads() names a worker that calls itself something else", (t) => {
  const { error } = run("lockWithWorker", "innocent") as { error: Failure };
  t.match(error, { code: "ERR_THREADS_NOT_LOCKED", message: /innocent/ });
  t.end();
});

t.test("lockRuntimeThreads() finds a worker that calls itself a pool thread, by the count", (t) => {
  const { error } = run("lockWithWorker", "libuv-worker") as { error: Failure };
  t.match(error, { code: "ERR_THREADS_NOT_LOCKED", message: /5 threads/ });
  t.end();
});

t.test("lockRuntimeThreads() names an addon's thread", (t) => {
  const { error } = run("lockWithOddThread", "idle", addon) as { error: Failure };
  t.match(error, { code: "ERR_THREADS_NOT_LOCKED", message: /\(idle\)/ });
  t.end();
});

t.test("lockRuntimeThreads() starts the whole pool, and no thread comes after it", (t) => {
  const locked = run("lock") as {
    report: Report;
    same: boolean;
    asynchronous: boolean;
    worker: Failure;
    child: string;
    usr1: string;
  };
  t.same(kinds(locked.report), new Set(["main", "v8", "signal", "pool"]));
  t.equal(locked.report.filter((thread) => thread.kind === "pool").length, 4);
  t.ok(locked.report.every((thread) => thread.seccomp === 2));
  t.ok(
    locked.report.every((thread) => thread.seccompFilters === 1),
    "twice is once",
  );
  t.ok(locked.same);
  t.ok(locked.asynchronous, "what the pool is for still works");
  t.match(locked.worker.message, /EAGAIN/);
  t.equal(locked.child, "child\n", "processes may still be started");
  t.ok((BigInt(`0x${locked.usr1}`) & (1n << 9n)) !== 0n, "SIGUSR1 starts no inspector");
  t.end();
});

t.test("lockRuntimeThreads() knows a pool of another size", (t) => {
  const ran = runProgram("threads", ["lock"], [], { UV_THREADPOOL_SIZE: "9" });
  const { report } = JSON.parse(ran.out) as { report: Report };
  t.equal(report.filter((thread) => thread.kind === "pool").length, 9);
  t.end();
});

t.test("lockRuntimeThreads() sets no_new_privs where the process has no CAP_SYS_ADMIN", (t) => {
  const { noNewPrivs, report } = run("lockUnprivileged") as { noNewPrivs: boolean; report: Report };
  t.ok(noNewPrivs);
  t.ok(report.every((thread) => thread.seccomp === 2));
  t.end();
});

t.test("a forbidden call on a pool thread kills the whole process", (t) => {
  const forbidden = join(directory, "made-by-the-pool");
  const ran = runProgram("threads", ["forbiddenOnPool", forbidden], []);
  t.equal(ran.signal, "SIGSYS");
  const lines = ran.out.trim().split("\n");
  t.equal(lines.length, 1, "it never said that it was still alive");
  const report = JSON.parse(lines[0] ?? "[]") as Report;
  t.same(kinds(report), new Set(["main", "v8", "signal", "pool"]));
  t.ok(report.every((thread) => thread.seccomp === 2 && thread.noNewPrivs));
  t.notOk(existsSync(forbidden));
  t.end();
});

t.test("a forbidden call on the main thread kills the process too", (t) => {
  const ran = runProgram("threads", ["forbiddenOnMain", join(directory, "x")], []);
  t.match(ran, { signal: "SIGSYS", out: "" });
  t.end();
});

t.test(
  "installSeccompFilter() names a thread that has a filter of its own, and changes none",
  (t) => {
    const { error, report } = run("filterWithOddThread", "filtered", addon) as {
      error: Failure;
      report: Report;
    };
    t.match(error, { code: "EBUSY", message: /\(filtered\)/ });
    t.same(
      report.filter((thread) => thread.seccomp === 2).map((thread) => thread.name),
      ["filtered"],
    );
    t.end();
  },
);

t.test(
  "runtimeThreadsHandshake() reaches a thread that blocks all that glibc lets it block",
  (t) => {
    t.match(run("handshakeWithOddThread", "politely", addon), { error: "done", all: true });
    t.end();
  },
);

t.test(
  "runtimeThreadsHandshake() reaches a pool thread inside a system call, which goes on",
  (t) => {
    const ran = runProgram("threads", ["handshakeInSystemCall", join(directory, "fifo")], []);
    const [first, second] = ran.out.trim().split("\n");
    t.same(JSON.parse(first ?? ""), { error: "done", all: true });
    t.same(JSON.parse(second ?? ""), { opened: true });
    t.end();
  },
);

t.test("runtimeThreadsHandshake() changes no thread when the operation is refused", (t) => {
  const { error, before, after } = run("handshake", "tooMany") as {
    error: Failure;
    before: Report;
    after: Report;
  };
  t.match(error, { code: "EPERM", message: /no thread was changed/ });
  t.same(after, before);
  t.end();
});

for (const operation of ["noNewPrivs", "securebits", "capabilities", "seccomp", "landlock"]) {
  t.test(`runtimeThreadsHandshake() runs ${operation} on every thread`, (t) => {
    const result = run("handshake", operation) as {
      error: unknown;
      after: Report;
      reading: string;
    };
    t.equal(result.error, "done");
    const { after } = result;
    t.same(kinds(after), new Set(["main", "v8", "signal", "pool"]));
    if (operation === "noNewPrivs") t.ok(after.every((thread) => thread.noNewPrivs));
    if (operation === "seccomp") t.ok(after.every((thread) => thread.seccomp === 2));
    if (operation === "capabilities") {
      for (const { capabilities } of after) {
        t.equal(capabilities["permitted"], "0x80");
        t.equal(capabilities["effective"], "0x80");
        t.equal(capabilities["bounding"], "0xff");
      }
    }
    t.equal(result.reading, operation === "landlock" ? "EACCES" : "read");
    t.end();
  });
}
