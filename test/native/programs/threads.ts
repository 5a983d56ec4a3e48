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

const [scenario = "", argument = ""] = process.argv.slice(2);

function attempt(action: () => unknown): unknown {
  try {
    return action() ?? "done";
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code, message };
  }
}
/** A thread of `odd-threads.c`, whose compiled path is the argument after the kind. */
function startOdd(kind: string): void {
  const addon = createRequire(import.meta.url)(process.argv[4] ?? "") as {
    start: (kind: string) => void;
  };
  addon.start(kind);
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
  lockBusy: () => {
    // Pool threads at work, V8's collecting and compiling, when the lock comes.
    for (let i = 0; i < 8; i += 1) pbkdf2("x", "y", 40_000, 64, "sha512", () => undefined);
    const garbage: unknown[] = [];
    for (let i = 0; i < 300_000; i += 1) garbage.push({ i });
    lockRuntimeThreads();
    setNoNewPrivs();
    installSeccompFilter(killOn("swapon"));
    say({
      confined: everyThread(true) && threadReport().every((one) => one.seccompFilters === 2),
      kept: garbage.length,
    });
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
      say({ error: attempt(setNoNewPrivs), all: everyThread(true), none: everyThread(false) });
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
