import t from "tap";
import { programResult, runProgram } from "./run-program.ts";

t.test("forkProcess() refuses while libuv's pool runs, whose threads the child would miss", (t) => {
  t.same(programResult("forked", ["withPool"]), { code: "EBUSY" });
  t.end();
});

for (const [scenario, status, text] of [
  ["throws", 1, "planted"],
  ["throwsLater", 1, "planted later"],
  ["rejects", 1, "planted rejection"],
  ["handles", 9, ""],
  ["exits", 3, ""],
  ["exitNow", 4, ""],
] as const) {
  t.test(`a forked child that ${scenario} ends at once with status ${status}`, (t) => {
    const ran = runProgram("forked", [scenario]);
    t.equal(ran.status, 0, ran.err);
    t.match(JSON.parse(ran.out), { status });
    t.ok(ran.err.includes(text));
    t.equal(ran.err.includes("Error"), text !== "", "reported once, when nobody handled it");
    t.end();
  });
}

t.test("a forked child whose loop has nothing left ends with process.exitCode", (t) => {
  t.match(programResult("forked", ["endsNaturally"]), { status: 5, said: "timer ran" });
  t.end();
});

t.test("prepareFork() leaves the end of the process itself to Node", (t) => {
  const ran = runProgram("forked", ["parentExits"]);
  t.match(ran, { status: 6, signal: null });
  t.equal(JSON.parse(ran.out), "listener ran");
  t.end();
});

t.test("a forked child has one thread", (t) => {
  t.match(programResult("forked", ["threads"]), { said: ["main"], status: 0 });
  t.end();
});

t.test(
  "a forked child is pid 1 of its own namespace when asked for, and its sibling is not",
  (t) => {
    const ran = runProgram("forked", ["pidNamespace"]);
    const [first, second] = ran.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { said: unknown });
    t.same(first?.said, [1, 0]);
    t.same(second?.said, [true, true]);
    t.end();
  },
);

t.test("a forked child has no signal handlers, blocks none, and ignores SIGPIPE alone", (t) => {
  const SIGPIPE = 1 << 12;
  t.match(programResult("forked", ["signals"]), { said: [0, SIGPIPE, 0] });
  t.end();
});

t.test("sibling children share neither random bytes nor padding", (t) => {
  const [first, second] = programResult("forked", ["randomness"]) as [string[], string[]];
  t.equal(first.length, 2);
  t.not(first[0], second[0]);
  t.not(first[1], second[1]);
  t.end();
});

t.test("a forked child runs timers, a Poller and the collector without io_uring and ioctl", (t) => {
  t.match(programResult("forked", ["confinedLoop"]), {
    said: { kept: 2, got: 77, collected: true },
    status: 8,
  });
  t.end();
});

t.test("fifty children in a row fork, collect garbage and end", (t) => {
  t.same(programResult("forked", ["many"]), { statuses: 50, orphan: true });
  t.end();
});
