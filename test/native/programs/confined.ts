// Takes a layer of confinement on, and tries to get around it; `argv[2]` names the case. Prints JSON.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { getegid, geteuid, getgroups } from "node:process";
import {
  asUser,
  chrootTo,
  joinNamespace,
  landlockAbi,
  landlockAllowPath,
  landlockRestrict,
  landlockRuleset,
  makeNamespaces,
  setCapabilities,
  setDumpable,
  setIds,
  setMdwe,
  setRlimit,
  setSecurebits,
} from "../../../native/confine.ts";
import { closeFd, openFds, pipeFds, readFd, writeFd } from "../../../native/descriptors.ts";
import {
  exitNow,
  forkProcess,
  killPid,
  openPidFd,
  prepareFork,
  prlimit,
  signalByPidFd,
  waitPid,
  waitReadable,
} from "../../../native/process.ts";
import { setNoNewPrivs, threadReport } from "../../../native/threads.ts";
import { code, say } from "./report.ts";

const scenario = process.argv[2] ?? "";
const SIGKILL = 9;
const RLIMIT_NOFILE = 7;
const readFile = 1n << 2n;
prepareFork();

function status(): Record<string, string> {
  const fields = readFileSync("/proc/thread-self/status", "latin1").split("\n");
  return Object.fromEntries(
    fields.map((line) => line.split(":\t")).map(([name = "", value = ""]) => [name, value.trim()]),
  );
}
const ids = () => {
  const { Uid, Gid, Groups, CapEff, CapPrm } = status();
  return { Uid, Gid, Groups, CapEff, CapPrm };
};

const cases: Record<string, () => void> = {
  setIds: () => {
    setIds(1234, 2345, [2345, 77]);
    say({
      ...ids(),
      back: code(() => {
        setIds(0, 0, []);
      }),
    });
  },
  /** The way back stays open with CAP_SETUID kept over the change: the proof must fail. */
  setIdsKept: () => {
    setSecurebits(1 << 2); // SECBIT_NO_SETUID_FIXUP
    say({
      error: code(() => {
        setIds(1234, 2345, []);
      }),
    });
  },
  asUser: () => {
    const directory = mkdtempSync("/tmp/sallyport-user-");
    const path = `${directory}/secret`;
    writeFileSync(path, "x", { mode: 0o600 });
    const before = ids();
    const inside = asUser(1234, 2345, [77], () => ({
      ids: ids(),
      node: [geteuid?.(), getegid?.(), getgroups?.()],
      secret: code(() => readFileSync(path)),
    }));
    const thrown = code(() =>
      asUser(1234, 2345, [], () => {
        throw Object.assign(new Error("x"), { code: "MINE" });
      }),
    );
    const promised = code(() => asUser(1234, 2345, [], () => Promise.resolve(1)));
    const nested = asUser(1234, 2345, [], () => code(() => asUser(1, 1, [1], () => 1)));
    setSecurebits(1 << 2);
    const fixed = asUser(1234, 2345, [], () => code(() => readFileSync(path)));
    const root = asUser(0, 0, [], () => code(() => readFileSync(path)));
    rmSync(directory, { recursive: true });
    say({
      inside,
      thrown,
      promised,
      nested,
      fixed,
      root,
      restored: JSON.stringify(before) === JSON.stringify(ids()),
    });
  },
  capabilities: () => {
    setCapabilities(0x1c0n, 0x1c0n); // setgid, setuid, setpcap
    const first = threadReport()[0]?.capabilities;
    setCapabilities(0x40n, 0x40n);
    setCapabilities(0n, 0x40n); // nothing to drop: no capability needed
    say({
      first,
      second: threadReport()[0]?.capabilities,
      back: code(() => {
        setCapabilities(0x40n, 0x40n);
      }),
      drop: code(() => {
        setCapabilities(0n, 0n);
      }),
    });
  },
  landlock: () => {
    const abi = landlockAbi();
    const unknown = code(() => landlockRuleset(1n << 60n, 0n, 0n));
    const ruleset = landlockRuleset(readFile, 0n, 0n);
    // A right that only directories have is left out for a file.
    landlockAllowPath(ruleset, "/etc/hostname", readFile | (1n << 3n));
    landlockAllowPath(ruleset, "/proc", readFile);
    const missing = code(() => {
      landlockAllowPath(ruleset, "/nonexistent", readFile);
    });
    setNoNewPrivs();
    landlockRestrict(ruleset);
    say({
      abi,
      unknown,
      missing,
      closed: !openFds().includes(ruleset),
      allowed: code(() => readFileSync("/etc/hostname")),
      refused: code(() => readFileSync("/etc/passwd")),
    });
  },
  namespaces: () => {
    const children = readdirSync("/proc").length;
    const { fds, missing } = makeNamespaces();
    const [reader, writer] = pipeFds();
    const pid = forkProcess(true);
    if (pid === 0) {
      for (const name of ["net", "ipc", "uts", "cgroup", "mnt"] as const) {
        const fd = fds[name];
        if (fd === undefined) continue;
        joinNamespace(fd);
        closeFd(fd);
      }
      // Without /proc, where nobody could ask how many threads there are.
      setNoNewPrivs();
      const answer = Buffer.from(
        JSON.stringify({
          root: readdirSync("/"),
          above: readdirSync("/../.."),
          write: code(() => {
            writeFileSync("/x", "");
          }),
          proc: code(() => readFileSync("/proc/self/status")),
          cwd: readdirSync("."),
        }),
      );
      writeFd(writer, answer, 0, answer.length);
      exitNow(0);
    }
    closeFd(writer);
    const ended = waitPid(pid, false);
    const buffer = new Uint8Array(4096);
    const got = Buffer.from(buffer.subarray(0, readFd(reader, buffer, 0, 4096))).toString();
    say({
      names: Object.keys(fds).sort(),
      missing,
      status: ended?.status,
      child: JSON.parse(got) as unknown,
      ownRoot: readdirSync("/").length > 3,
      noChildLeft: readdirSync("/proc").length <= children + 2,
    });
  },
  chroot: () => {
    const directory = mkdtempSync("/tmp/sallyport-root-");
    const missing = code(() => {
      chrootTo("/nonexistent");
    });
    chrootTo(directory);
    say({ missing, root: readdirSync("/"), above: readdirSync("../.."), cwd: readdirSync(".") });
  },
  mdwe: () => {
    setMdwe();
    setDumpable(false);
    setRlimit(4, 0, 0);
    say({
      owner: code(() => readFileSync("/proc/self/status")),
      raise: code(() => {
        setIds(1234, 2345, []);
        setRlimit(4, 0, Infinity);
      }),
    });
  },
  prlimit: () => {
    const [reader, writer] = pipeFds();
    const pid = forkProcess(false);
    if (pid === 0) {
      setIds(1234, 2345, []);
      writeFd(writer, new Uint8Array(1), 0, 1);
      for (;;) waitReadable(new Int32Array(0), -1);
    }
    readFd(reader, new Uint8Array(1), 0, 1);
    const limits = () =>
      /Max open files\s+(\d+)\s+(\d+)/
        .exec(readFileSync(`/proc/${pid}/limits`, "latin1"))
        ?.slice(1);
    const before = ids();
    prlimit(pid, 1234, 2345, RLIMIT_NOFILE, 0, 32);
    const zero = limits();
    prlimit(pid, 1234, 2345, RLIMIT_NOFILE, 5, 32);
    const lifted = limits();
    const above = code(() => {
      prlimit(pid, 1234, 2345, RLIMIT_NOFILE, 5, 64);
    });
    const restored = JSON.stringify(before) === JSON.stringify(ids());
    const pidFd = openPidFd(pid);
    const sent = signalByPidFd(pidFd, SIGKILL);
    const ended = waitPid(pid, false);
    say({
      zero,
      lifted,
      above,
      restored,
      sent,
      ended,
      readable: waitReadable(Int32Array.of(pidFd), 0).length,
      again: signalByPidFd(pidFd, SIGKILL),
      gone: killPid(pid, 0),
    });
  },
};

cases[scenario]?.();
