import { constants } from "node:os";
import t from "tap";
import { classifyEnd, describeEnd } from "../../daemon/pool/child-end.ts";

const bySignal = (name: NodeJS.Signals) => ({ status: constants.signals[name], bySignal: true });

t.test("classifyEnd() calls SIGSYS a violation: only the filter sends it", (t) => {
  t.equal(classifyEnd(bySignal("SIGSYS")), "violation");
  t.end();
});

t.test("classifyEnd() calls faults of the process itself crashes", (t) => {
  for (const name of ["SIGSEGV", "SIGBUS", "SIGILL", "SIGABRT", "SIGTRAP", "SIGFPE"] as const)
    t.equal(classifyEnd(bySignal(name)), "crashed", name);
  t.equal(classifyEnd({ status: 63, bySignal: true }), "crashed", "a signal without a name");
  t.end();
});

t.test("classifyEnd() tells what came from outside from what did not", (t) => {
  for (const name of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL"] as const)
    t.equal(classifyEnd(bySignal(name)), "killed", name);
  t.equal(classifyEnd({ status: 1, bySignal: false }), "failed");
  t.equal(classifyEnd({ status: 0, bySignal: false }), "done");
  t.end();
});

t.test("describeEnd() names signals and statuses", (t) => {
  t.equal(describeEnd(bySignal("SIGSYS")), "signal SIGSYS");
  t.equal(describeEnd({ status: 63, bySignal: true }), "signal 63");
  t.equal(describeEnd({ status: 3, bySignal: false }), "exit status 3");
  t.end();
});
