import t from "tap";
import { permits, phases } from "../../broker/permits.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import type { RequestName } from "../../ipc/monitor.ts";
import { bodies, Driver } from "./driver.ts";

// Object.keys forgets the literal names.
const names = Object.keys(bodies) as RequestName[];
const codeOf = (action: () => void): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof PeerFault) return error.code;
    throw error;
  }
};

for (const phase of phases) {
  t.test(
    `Monitor.handle() refuses in phase ${phase} every request that the table does not permit there`,
    (t) => {
      for (const name of names) {
        if (permits[phase][name] !== "never") continue;
        const driver = new Driver().enter(phase);
        t.equal(driver.monitor.phase, phase);
        t.equal(
          codeOf(() => {
            driver.ask(name);
          }),
          "NOT_PERMITTED",
          name,
        );
      }
      t.end();
    },
  );
}

t.test("Monitor.handle() refuses a second signature before authentication", (t) => {
  const driver = new Driver().enter("lookup");
  t.throws(
    () => {
      driver.ask("sign");
    },
    { code: "NOT_PERMITTED" },
  );
  t.equal(driver.world.signatures, 1);
  t.end();
});

t.test("Monitor.handle() refuses a request while the one before it is not answered", (t) => {
  const driver = new Driver().enter("kex");
  driver.world.held = [];
  driver.ask("sign");
  t.ok(driver.monitor.isBusy);
  t.throws(
    () => {
      driver.ask("log");
    },
    { code: "FLOOD" },
  );
  t.end();
});

t.test(
  "Monitor.handle() refuses log lines beyond their number, and a hand-over without a connection",
  (t) => {
    const driver = new Driver().enter("kex");
    for (let i = 0; i < 64; i += 1) driver.ask("log");
    t.throws(
      () => {
        driver.ask("log");
      },
      { code: "SPENT" },
    );
    const early = new Driver().enter("handover");
    t.throws(
      () => {
        early.ask("adopted");
      },
      { code: "MISMATCH" },
    );
    t.end();
  },
);

t.test("Monitor.handle() proves each host key once, and none that is not ours", (t) => {
  const driver = new Driver().enter("postauth");
  driver.ask("proveHostKey");
  t.throws(
    () => {
      driver.ask("proveHostKey");
    },
    { code: "SPENT" },
  );
  const other = new Driver().enter("postauth");
  t.throws(
    () => {
      other.ask("proveHostKey", { blob: Uint8Array.of(1) });
    },
    { code: "MISMATCH" },
  );
  t.end();
});

t.test(
  "Monitor.handle() answers rekeys after authentication, and the session id stays the first hash",
  (t) => {
    const driver = new Driver().enter("postauth");
    driver.ask("sign");
    driver.ask("sign");
    t.equal(driver.world.signatures, 3);
    t.equal(driver.monitor.phase, "postauth");
    t.end();
  },
);
