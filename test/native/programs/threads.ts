// Locks and confines a process whose runtime has all its threads; `argv[2]` names the case, `argv[3]` its argument. Prints JSON.
import { execFileSync } from "node:child_process";
import { pbkdf2 } from "node:crypto";
import { mkdir, mkdirSync, open, readFile, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { landlockAllowPath, landlockRuleset, setIds } from "../../../native/confine.ts";
import {
  installSeccompFilter,
  lockRuntimeThreads,
  runtimeThreadsHandshake,
  setNoNewPrivs,
  threadReport,
  type ThreadOperation,
} from "../../../native/threads.ts";
import { say } from "./report.ts";
import { killOn } from "../seccomp-programs.ts";
import { syscalls } from "../../../sandbox/syscalls-x86-64.ts";

const [scenario = "", argument = ""] = process.argv.slice(2);

function attempt(action: () => unknown): unknown {
  try {
    return action() ?? "done";
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code, message };
  }
}
/** `odd-threads.c`, whose compiled path is the argument after the kind. */
const oddThreads = () =>
  createRequire(import.meta.url)(process.argv[4] ?? "") as {
    start: (kind: string) => void;
    callOn: (tid: number, call: number) => void;
  };
function startOdd(kind: string): void {
  oddThreads().start(kind);
}
function never(): never {
  throw new RangeError(`No operation ${argument}`);
}
/** Calls back once libuv's pool runs. */
function withPool(then: () => void): void {
  readFile("/etc/hostname", then);
}
const everyThread = (noNewPrivs: boolean) =>
  threadReport().every((thread) => thread.noNewPrivs === noNewPrivs);

const operations: Record<string, () => ThreadOperation> = {
  noNewPrivs: () => ({ operation: "noNewPrivs" }),
  securebits: () => ({ operation: "securebits", bits: 0x2f }),
  capabilities: () => ({ operation: "capabilities", permitted: 0x80n, bounding: 0xffn }),
  /** After `capabilities`: more than is permitted. */
  tooMany: () => ({ operation: "capabilities", permitted: 0xffn, bounding: 0xffn }),
  seccomp: () => ({ operation: "seccomp", program: killOn("swapon") }),
  landlock: () => {
    const readFiles = 1n << 2n;
    const rulesetFd = landlockRuleset(readFiles, 0n, 0n);
    landlockAllowPath(rulesetFd, "/proc", readFiles); // for the report
    return { operation: "landlock", rulesetFd };
  },
};

const cases: Record<string, () => void> = {
  report: () => {
    withPool(() => {
      say(threadReport());
    });
  },
  lock: () => {
    const report = lockRuntimeThreads();
    lockRuntimeThreads();
    const after = threadReport();
    readFile("/etc/hostname", (error) => {
      say({
        report: after,
        same: report.length === after.length,
        asynchronous: error === null,
        worker: attempt(() => new Worker("0", { eval: true })),
        child: execFileSync("/bin/echo", ["child"]).toString(),
        usr1: /SigIgn:\s*(\w+)/.exec(readFileSync("/proc/self/status", "latin1"))?.[1],
      });
    });
  },
  lockUnprivileged: () => {
    setIds(65534, 65534, []);
    lockRuntimeThreads();
    say({ noNewPrivs: everyThread(true), report: threadReport() });
  },
  lockWithWorker: () => {
    const worker = new Worker("setInterval(() => {}, 1000)", {
      eval: true,
      ...(argument === "" ? {} : { name: argument }),
    });
    worker.on("online", () => {
      say({
        error: attempt(lockRuntimeThreads),
        unlocked: threadReport().every((one) => one.seccomp === 0),
      });
      process.exit();
    });
  },
  lockWithOddThread: () => {
    startOdd(argument);
    say({ error: attempt(lockRuntimeThreads) });
    process.exit();
  },
  /** Lock, then one handshake after another, while the pool derives keys and V8 collects what is made meanwhile. */
  stress: () => {
    let working = 0;
    const work = (): void => {
      working += 1;
      pbkdf2("x", "y", 1000, 64, "sha512", () => {
        working -= 1;
        if (!isOver) work();
      });
    };
    let isOver = false;
    const garbage: unknown[][] = [];
    const churn = (): void => {
      for (let i = 0; i < 2000; i += 1) garbage[i % 64] = Array.from({ length: 20 }, (_, k) => ({ i, k })); // prettier-ignore
    };
    for (let i = 0; i < 6; i += 1) work();
    churn();
    lockRuntimeThreads();
    setNoNewPrivs();
    installSeccompFilter(killOn("swapon"));
    const filters = Number(argument);
    let left = filters;
    const again = (): void => {
      churn();
      runtimeThreadsHandshake({ operation: "seccomp", program: killOn("swapoff") });
      left -= 1;
      if (left > 0) {
        setImmediate(again);
        return;
      }
      const report = threadReport();
      const confined = report.every(
        (one) => one.noNewPrivs && one.seccomp === 2 && one.seccompFilters === 2 + filters,
      );
      isOver = true;
      say({ confined, working: working > 0, threads: report.length });
    };
    again();
  },
  /** The negative test of issue 2: a call that the filter forbids, made on a pool thread, kills the process. */
  forbiddenOnPool: () => {
    lockRuntimeThreads();
    setNoNewPrivs();
    installSeccompFilter(killOn("mkdir", "mkdirat"));
    say(threadReport());
    mkdir(argument, () => {
      say("still alive");
    });
  },
  /** The same on every thread named `argument`, or of that kind, when the test has looked at all of them from outside. */
  forbiddenOnThread: () => {
    lockRuntimeThreads();
    setNoNewPrivs();
    installSeccompFilter(killOn("mkdir", "mkdirat"));
    const report = threadReport();
    const victim = report.find(({ name, kind }) => [name, kind].includes(argument));
    say(report);
    process.stdin.once("data", () => {
      oddThreads().callOn(victim?.tid ?? 0, syscalls.mkdir);
      setTimeout(() => {
        say("still alive");
        process.exit();
      }, 5000);
    });
  },
  forbiddenOnMain: () => {
    installSeccompFilter(killOn("mkdir", "mkdirat"));
    mkdirSync(argument);
    rmSync(argument, { recursive: true });
    say("still alive");
  },
  filterWithOddThread: () => {
    startOdd(argument);
    say({
      error: attempt(() => {
        installSeccompFilter(killOn("swapon"));
      }),
      report: threadReport(),
    });
    process.exit();
  },
  handshake: () => {
    withPool(() => {
      if (argument === "tooMany")
        runtimeThreadsHandshake(operations["capabilities"]?.() ?? never());
      const before = threadReport();
      if (argument === "landlock" || argument === "seccomp") setNoNewPrivs();
      const operation = operations[argument]?.() ?? never();
      const error = attempt(() => {
        runtimeThreadsHandshake(operation);
      });
      const after = threadReport();
      // On a pool thread.
      readFile("/etc/hostname", (failure) => {
        say({ error, before, after, reading: failure?.code ?? "read" });
      });
    });
  },
  handshakeWithOddThread: () => {
    startOdd(argument);
    withPool(() => {
      say({ error: attempt(setNoNewPrivs), all: everyThread(true) });
      process.exit();
    });
  },
  /** A filter by the handshake: what must never reach some threads only. */
  seccompWithOddThread: () => {
    startOdd(argument);
    withPool(() => {
      const program = killOn("swapon");
      const error = attempt(() => {
        runtimeThreadsHandshake({ operation: "seccomp", program });
      });
      const filtered = threadReport().map((thread) => thread.seccomp === 2);
      say({ error, all: filtered.every(Boolean), none: !filtered.some(Boolean) });
      process.exit();
    });
  },
  /** A pool thread hangs in open(2) of a FIFO, which the handshake interrupts and which then goes on. */
  handshakeInSystemCall: () => {
    execFileSync("mkfifo", [argument]);
    open(argument, "r", (error) => {
      say({ opened: error === null });
    });
    setTimeout(() => {
      say({ error: attempt(setNoNewPrivs), all: everyThread(true) });
      open(argument, "w", () => undefined);
    }, 50);
  },
};

cases[scenario]?.();
