import t from "tap";
import { permitReasons } from "../../broker/permit-reasons.ts";
import { permits, phases } from "../../broker/permits.ts";
import type { RequestName } from "../../ipc/monitor.ts";

t.test(
  "permitReasons says nothing of what is never permitted, and why of everything that is",
  (t) => {
    const names = Object.keys(permits.ended) as RequestName[]; // Object.keys forgets the literal names
    for (const phase of phases)
      for (const name of names) {
        const isNever = permits[phase][name] === "never";
        t.equal(permitReasons[phase][name] === undefined, isNever, `${name} in ${phase}`);
      }
    t.end();
  },
);
