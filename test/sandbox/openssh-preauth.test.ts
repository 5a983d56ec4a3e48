import t from "tap";
import { additions, difference } from "../../sandbox/openssh-preauth.ts";
import { session } from "../../sandbox/policies/session.ts";

t.test(
  "the session policy allows nothing beyond OpenSSH's list without an argument for it",
  (t) => {
    const { added } = difference(session);
    for (const name of added) t.ok(additions[name], `${name} is argued for`);
    t.strictSame(
      [...added].sort(),
      Object.keys(additions).sort(),
      "and no argument outlives its call",
    );
    t.end();
  },
);

t.test("the session policy gives up calls that OpenSSH's child may make", (t) => {
  const { removed } = difference(session);
  for (const name of ["poll", "select", "setsockopt", "uname", "getpeername"] as const)
    t.ok(removed.includes(name), name);
  t.end();
});
