// What a forked child can do and how it ends; `argv[2]` names the case. Prints JSON as its last line.
import { randomBytes } from "node:crypto";
import { readFileSync, stat } from "node:fs";
import {
  closeAllExcept,
  closeFd,
  openFds,
  pipeFds,
  readFd,
  writeFd,
} from "../../../native/descriptors.ts";
import { createSealer } from "../../../native/packet-cipher.ts";
import { Poller } from "../../../native/poller.ts";
import {
  currentPid,
  exitNow,
  forkProcess,
  killPid,
  loopFds,
  parentPid,
  prepareFork,
  waitPid,
} from "../../../native/process.ts";
import { receiveMessage, sendMessage, seqpacketPair } from "../../../native/sockets.ts";
import { installSeccompFilter, setNoNewPrivs, threadReport } from "../../../native/threads.ts";
import { allowExceptIoUring } from "../seccomp-programs.ts";

const scenario = process.argv[2] ?? "";
prepareFork();

/** Runs `child` in a fork, which must end by itself; what it wrote and how it ended. */
function inChild(child: (report: (value: unknown) => void) => void, newPidNamespace = false) {
  const [reader, writer] = pipeFds();
  const pid = forkProcess(newPidNamespace);
  if (pid === 0) {
    child((value) => {
      const bytes = Buffer.from(JSON.stringify(value));
      writeFd(writer, bytes, 0, bytes.length);
    });
    return undefined;
  }
  closeFd(writer);
  const ended = waitPid(pid, false);
  const buffer = new Uint8Array(65536);
  const got = readFd(reader, buffer, 0, buffer.length);
  const said: unknown =
    got > 0 ? JSON.parse(Buffer.from(buffer.subarray(0, got)).toString()) : null;
  return { pid, said, status: ended?.status, signal: ended?.signal };
}
function finish(result: unknown): void {
  if (result !== undefined) console.log(JSON.stringify(result));
}

const cases: Record<string, () => void> = {
  throws: () => {
    finish(
      inChild(() => {
        throw new Error("planted");
      }),
    );
  },
  throwsLater: () => {
    finish(
      inChild(() => {
        setTimeout(() => {
          throw new Error("planted later");
        }, 5);
      }),
    );
  },
  rejects: () => {
    finish(
      inChild(() => {
        void Promise.reject(new Error("planted rejection"));
      }),
    );
  },
  handles: () => {
    finish(
      inChild(() => {
        process.on("uncaughtException", () => {
          process.exitCode = 9;
        });
        throw new Error("handled");
      }),
    );
  },
  endsNaturally: () => {
    finish(
      inChild((report) => {
        setTimeout(() => {
          report("timer ran");
          process.exitCode = 5;
        }, 5);
      }),
    );
  },
  exits: () => {
    finish(
      inChild(() => {
        process.exit(3);
      }),
    );
  },
  exitNow: () => {
    finish(
      inChild(() => {
        exitNow(4);
      }),
    );
  },
  /** The parent's own end is Node's. */
  parentExits: () => {
    process.on("exit", () => {
      console.log(JSON.stringify("listener ran"));
    });
    process.exit(6);
  },
  threads: () => {
    finish(
      inChild((report) => {
        report(threadReport().map((thread) => thread.kind));
      }),
    );
  },
  pidNamespace: () => {
    finish(
      inChild((report) => {
        report([currentPid(), parentPid()]);
      }, true),
    );
    // And the next child is in ours again.
    finish(
      inChild((report) => {
        report([currentPid() > 1, parentPid() > 1]);
      }),
    );
  },
  signals: () => {
    process.on("SIGTERM", () => undefined);
    process.on("SIGUSR2", () => undefined);
    finish(
      inChild((report) => {
        const status = readFileSync("/proc/self/status", "latin1");
        const mask = (name: string) =>
          BigInt(`0x${new RegExp(`${name}:\\s*(\\w+)`).exec(status)?.[1] ?? "0"}`);
        report(["SigBlk", "SigIgn", "SigCgt"].map((name) => Number(mask(name) & 0x7fff_ffffn)));
      }),
    );
    process.exit(0);
  },
  randomness: () => {
    // Sealed once here, so that the padding's generator exists before the fork.
    const none = new Uint8Array(0);
    const sealer = createSealer({ cipher: "none", mac: "", key: none, iv: none, macKey: none });
    const out = new Uint8Array(64);
    sealer.seal(out, 0, none, out, 0, 1, 0);
    const said: unknown[] = [];
    for (let i = 0; i < 2; i += 1) {
      const ended = inChild((report) => {
        const size = sealer.seal(out, 0, none, new Uint8Array(1), 0, 1, 1);
        report([
          randomBytes(16).toString("hex"),
          Buffer.from(out.subarray(6, size)).toString("hex"),
        ]);
        exitNow(0);
      });
      said.push(ended?.said);
    }
    finish(said);
  },
  /** All that a confined child does with the loop: timers, a Poller, messages; nothing open but what it keeps. */
  confinedLoop: () => {
    const [ours, theirs] = seqpacketPair();
    const [reader, writer] = pipeFds();
    const pid = forkProcess(false);
    if (pid === 0) {
      closeAllExcept([theirs, writer, ...loopFds()]);
      const kept = openFds().length - loopFds().length;
      const poller = new Poller();
      setNoNewPrivs();
      installSeccompFilter(allowExceptIoUring());
      const buffer = new Uint8Array(64);
      poller.set(theirs, true, false, () => {
        const message = receiveMessage(theirs, buffer);
        if (message === null) return;
        if (message.length === 0) {
          poller.remove(theirs); // the last one: the loop may end
          return;
        }
        setTimeout(() => {
          const bytes = Buffer.from(JSON.stringify({ kept, got: buffer[0], collected: churn() }));
          writeFd(writer, bytes, 0, bytes.length);
        }, 5);
      });
      process.exitCode = 8;
      return;
    }
    closeFd(theirs);
    closeFd(writer);
    sendMessage(ours, Uint8Array.of(77), 0, 1, []);
    const buffer = new Uint8Array(4096);
    const got = readFd(reader, buffer, 0, buffer.length);
    closeFd(ours);
    const ended = waitPid(pid, false);
    finish({
      said: JSON.parse(Buffer.from(buffer.subarray(0, got)).toString() || "null") as unknown,
      ...ended,
    });
  },
  withPool: () => {
    stat("/", () => {
      try {
        finish({ pid: forkProcess(false) });
      } catch (error) {
        finish({ code: (error as NodeJS.ErrnoException).code });
      }
    });
  },
  many: () => {
    let statuses = 0;
    for (let i = 0; i < 50; i += 1) {
      const pid = forkProcess(i % 2 === 0);
      if (pid === 0) exitNow(churn() ? 1 : 0);
      statuses += waitPid(pid, false)?.status ?? 100;
    }
    finish({ statuses, orphan: killPid(currentPid(), 0) });
  },
};

/** Enough garbage for several collections, which hang or crash when the heap did not come along. */
function churn(): boolean {
  let kept: unknown[] = [];
  for (let i = 0; i < 60_000; i += 1) {
    kept.push({ i, text: `object ${i}`, list: [i, i + 1] });
    if (kept.length > 10_000) kept = [];
  }
  return kept.length < 10_001;
}

cases[scenario]?.();
