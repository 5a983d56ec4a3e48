// ~/.ssh/rc: who may have it run, and that the program comes after it.
import { chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import t from "tap";
import { makeUser } from "../support/test-user.ts";
import { converse, output, start } from "./login-script.ts";

const user = makeUser(t);
const rc = `${user.home}/.ssh/rc`;
mkdirSync(`${user.home}/.ssh`, { recursive: true });
writeFileSync(rc, 'echo "rc of $USER in $(pwd)"; cat; echo rc error >&2; exec sleep 0.2\n');
chownSync(rc, user.uid, user.uid);
const line = `rc of ${user.name} in ${user.home}\n`;

void t.test("~/.ssh/rc does not run where the key, PermitUserRC or ForceCommand has it so", (t) => {
  t.equal(output(t, user, { identity: { permitUserRc: false } }, "echo ran").out, "ran\n");
  t.equal(output(t, user, { config: ["PermitUserRC no"] }, "echo ran").out, "ran\n");
  t.equal(output(t, user, { config: ["ForceCommand echo forced"] }, "echo ran").out, "forced\n");
  t.end();
});
void t.test("~/.ssh/rc does not run before a subsystem", (t) => {
  const facts = { config: ["Subsystem here /bin/echo ran"] };
  const [, , ended] = converse(t, user, facts, [start("subsystem", "here")]);
  t.notMatch(JSON.stringify(ended ?? ""), "rc of");
  t.end();
});
void t.test("~/.ssh/rc runs to its end, and its output comes before the program's", (t) => {
  const { out, err } = output(t, user, {}, "echo ran; echo error >&2");
  t.equal(out, `${line}ran\n`);
  t.equal(err, "rc error\nerror\n");
  t.end();
});
void t.test("Without ~/.ssh/rc the program runs alone", (t) => {
  rmSync(rc);
  t.equal(output(t, user, {}, "echo ran").out, "ran\n");
  t.end();
});
