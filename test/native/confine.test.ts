import t from "tap";
import { programResult } from "./run-program.ts";

const run = (scenario: string) => programResult("confined", [scenario]);

t.test("setIds() fails when the way back to uid 0 stays open", (t) => {
  t.same(run("setIdsKept"), { error: "EPERM" });
  t.end();
});

t.test("setIds() changes every id and the groups for good", (t) => {
  t.match(run("setIds"), {
    Uid: "1234\t1234\t1234\t1234",
    Gid: "2345\t2345\t2345\t2345",
    Groups: /^77 2345$/,
    CapEff: "0000000000000000",
    CapPrm: "0000000000000000",
    back: "EPERM",
  });
  t.end();
});

t.test("asUser() reads as the user only, refuses promises, and restores after all of it", (t) => {
  t.match(run("asUser"), {
    inside: {
      ids: { Uid: /^0\t1234\t0\t1234$/, Gid: /^0\t2345\t0\t2345$/, Groups: "77", CapEff: /^0+$/ },
      node: [1234, 2345, [77]],
      secret: "EACCES",
    },
    thrown: "MINE",
    promised: /synchronous/,
    nested: "EPERM",
    fixed: "EACCES", // with SECBIT_NO_SETUID_FIXUP too
    root: "done",
    restored: true,
  });
  t.end();
});

t.test("setParentDeathSignal() kills the child of a parent that dies", (t) => {
  t.same(programResult("death-signal", ["deathSignal"]), { ended: true });
  t.end();
});

t.test("setParentDeathSignal() throws when the parent has died already", (t) => {
  t.same(programResult("death-signal", ["deathSignalLate"]), { error: "ESRCH" });
  t.end();
});

t.test("asUser() keeps the parent-death signal, which the kernel forgets", (t) => {
  t.same(programResult("death-signal", ["asUserDeathSignal"]), { ended: true });
  t.end();
});

t.test("setCapabilities() cuts all sets, and nothing comes back", (t) => {
  const none = { inheritable: "0x0", ambient: "0x0" };
  t.same(run("capabilities"), {
    first: { effective: "0x1c0", permitted: "0x1c0", bounding: "0x1c0", ...none },
    second: { effective: "0x0", permitted: "0x0", bounding: "0x40", ...none },
    back: "EPERM",
    drop: "EPERM",
  });
  t.end();
});

t.test("Landlock lets through what was allowed and nothing else", (t) => {
  const result = run("landlock") as { abi: number };
  t.ok(result.abi >= 1);
  t.match(result, {
    unknown: "EINVAL",
    missing: "ENOENT",
    closed: true,
    allowed: "done",
    refused: "EACCES",
  });
  t.end();
});

t.test(
  "makeNamespaces() gives an empty read-only root to who joins, and leaves ours alone",
  (t) => {
    t.same(run("namespaces"), {
      names: ["cgroup", "ipc", "mnt", "net", "uts"],
      missing: {},
      status: 0,
      child: { root: [], above: [], write: "EROFS", proc: "ENOENT", cwd: [] },
      ownRoot: true,
      noChildLeft: true,
    });
    t.end();
  },
);

t.test("chrootTo() leaves nothing above its root", (t) => {
  t.same(run("chroot"), { missing: "ENOENT", root: [], above: [], cwd: [] });
  t.end();
});

t.test("setMdwe(), setDumpable() and setRlimit() hold for a jitless process", (t) => {
  t.same(run("mdwe"), { owner: "done", raise: "EPERM" });
  t.end();
});

t.test("prlimit() lowers and lifts another user's soft limit, never the hard one", (t) => {
  t.match(run("prlimit"), {
    zero: ["0", "32"],
    lifted: ["5", "32"],
    above: "EPERM",
    restored: true,
    sent: true,
    ended: { signal: 9, coreDumped: false },
    readable: 1,
    again: false,
    gone: false,
  });
  t.end();
});
