import { execFileSync } from "node:child_process";
import t from "tap";
import { asUser } from "../../native/confine.ts";
import {
  groupByName,
  groupName,
  groupsOf,
  shadowOf,
  userById,
  userByName,
} from "../../native/users.ts";

t.test("an unknown name or id is null, and a name with NUL is refused", (t) => {
  t.equal(userByName("no-such-user"), null);
  t.equal(userByName(""), null);
  t.equal(userByName("x".repeat(100_000)), null);
  t.equal(userById(4_000_000_000), null);
  t.equal(groupByName("no-such-group"), null);
  t.equal(groupName(4_000_000_000), null);
  t.equal(shadowOf("no-such-user"), null);
  t.throws(() => userByName("root\0x"), TypeError);
  t.throws(() => userById(-1), RangeError);
  t.throws(() => userById(2 ** 32 - 1), RangeError, "that one means unchanged to the kernel");
  t.end();
});

t.test("users and groups are what getent says", (t) => {
  for (const name of ["root", "nobody", "daemon"]) {
    const [, password, uid, gid, gecos, home, shell] = execFileSync("getent", ["passwd", name])
      .toString()
      .trim()
      .split(":");
    const user = userByName(name);
    t.same(user, { name, uid: Number(uid), gid: Number(gid), home, shell, gecos, password });
    t.same(userById(Number(uid)), user);
    const ids = execFileSync("id", ["-G", name]).toString().trim().split(" ").map(Number);
    t.same(groupsOf(name, Number(gid)), ids);
  }
  t.equal(groupsOf("root", 4321)[0], 4321, "the primary group comes first");
  t.equal(groupName(0), "root");
  t.equal(groupByName("root"), 0);
  t.end();
});

t.test("shadowOf() reads the hash and the ages, and is null without leave", (t) => {
  const [, hash, lastChange, , maxDays] = execFileSync("getent", ["shadow", "daemon"])
    .toString()
    .trim()
    .split(":");
  t.match(shadowOf("daemon"), {
    hash,
    lastChange: Number(lastChange),
    maxDays: Number(maxDays),
    inactiveDays: -1,
    expires: -1,
  });
  t.equal(
    asUser(65534, 65534, [], () => shadowOf("daemon")),
    null,
  );
  t.end();
});
