// What a worker does not do, whatever its session process says.
import t from "tap";
import { makeUser } from "../support/test-user.ts";
import { converse, openPty, output, setEnv, signal, start, type Step } from "./login-script.ts";

const user = makeUser(t);
const refused = (why: string) => ({ name: "refused", why });
const sleep = start("exec", "exec sleep 600");

void t.test("Worker refuses a terminal that the configuration does not permit", (t) => {
  const [answer] = converse(t, user, { config: ["PermitTTY no"] }, [openPty()]);
  t.match(answer, refused("terminals are not permitted"));
  t.end();
});
void t.test("Worker refuses a terminal that the key does not permit", (t) => {
  const [answer] = converse(t, user, { identity: { permitPty: false } }, [openPty()]);
  t.match(answer, refused("terminals are not permitted"));
  t.end();
});
void t.test("Worker refuses a second terminal, and one behind the start", (t) => {
  const answers = converse(t, user, {}, [openPty(), openPty(), sleep, openPty()]);
  t.match(answers[1], refused("this session has a terminal or runs already"));
  t.match(answers[3], refused("this session has a terminal or runs already"));
  t.end();
});
void t.test("Worker refuses to start twice on a channel", (t) => {
  const [, answer] = converse(t, user, {}, [sleep, start("shell")]);
  t.match(answer, refused("a program was started already"));
  t.end();
});
void t.test("Worker refuses NUL bytes in commands, TERM and environment", (t) => {
  const answers = converse(t, user, { config: ["AcceptEnv *"] }, [
    start("exec", "true\0false"),
    openPty({ term: "vt\0" }),
    setEnv("A", "1\0B=2"),
    setEnv("A\0B", "1"),
    setEnv("A=B", "1"),
    setEnv("", "1"),
  ]);
  t.match(answers, [refused("command has a NUL byte"), refused("TERM has a NUL byte"), {}, {}, {}, {}]); // prettier-ignore
  for (const answer of answers.slice(2)) t.match(answer, { name: "refused" });
  t.end();
});
void t.test("Worker refuses environment that AcceptEnv does not have", (t) => {
  const answers = converse(t, user, { config: ["AcceptEnv LC_*"] }, [
    setEnv("LD_PRELOAD", "/tmp/x.so"),
    setEnv("LC_ALL", "C"),
  ]);
  t.match(answers, [refused('AcceptEnv does not have "LD_PRELOAD"'), { name: "done" }]);
  t.end();
});
void t.test("Worker refuses more environment variables than sshd takes", (t) => {
  const steps = Array.from({ length: 129 }, (_, index) => setEnv(`A${index}`, "1"));
  const answers = converse(t, user, { config: ["AcceptEnv A*"] }, steps);
  t.match(answers[127], { name: "done" });
  t.match(answers[128], refused("too many environment variables"));
  t.end();
});
void t.test("Worker refuses a subsystem that the configuration does not have", (t) => {
  const answers = converse(t, user, { config: ["Subsystem sftp /bin/false"] }, [
    start("subsystem", "netconf"),
    start("subsystem", "constructor", 1),
  ]);
  t.match(answers, [refused("subsystem not found"), refused("subsystem not found")]);
  t.end();
});
void t.test(
  "Worker refuses sessions beyond MaxSessions, and takes one when another closed",
  (t) => {
    const answers = converse(t, user, { config: ["MaxSessions 1"] }, [
      sleep,
      start("exec", "true", 7),
      { do: "tell", name: "closeChannel", body: { channel: 0 } },
      start("exec", "true", 7),
    ]);
    t.match(answers[1], refused("MaxSessions is reached"));
    t.match(answers[3], { name: "startedOnPipes" });
    t.end();
  },
);
void t.test(
  "Worker refuses signals to a forced command, to nothing, and those that sshd does not deliver",
  (t) => {
    const forced = { identity: { hasForcedCommand: true, forcedCommand: "exec sleep 600" } };
    t.match(converse(t, user, forced, [start("shell"), signal("KILL")])[1], refused("no signals to a forced command or a subsystem")); // prettier-ignore
    const answers = converse(t, user, {}, [signal("TERM"), sleep, signal("SEGV"), signal("__proto__")]); // prettier-ignore
    t.match(answers[0], refused("no program runs"));
    t.match(answers[2], refused('unsupported signal "SEGV"'));
    t.match(answers[3], refused('unsupported signal "__proto__"'));
    t.end();
  },
);
void t.test("Worker refuses a break without a terminal", (t) => {
  const ask: Step = { do: "ask", name: "break", body: { channel: 0, milliseconds: 1 } };
  t.match(converse(t, user, {}, [ask]), [refused("no terminal")]);
  t.end();
});
void t.test("Worker refuses a shell that cannot be run and serves on", (t) => {
  const facts = { identity: { shell: "/nonexistent/sh" } };
  const answers = converse(t, user, facts, [start("exec", "true"), signal("TERM", 1)]);
  t.match(answers, [{ name: "refused" }, refused("no program runs")]);
  t.end();
});
void t.test("Worker ends at a message that it does not know", (t) => {
  for (const hex of ["ff", "6300000001", "0300000001000000000300000000"]) {
    const results = converse(t, user, {}, [{ do: "raw", hex }, { do: "next" }, { do: "ended" }]);
    t.same(results.slice(1), ["closed", { status: 0 }], hex);
  }
  t.end();
});
void t.test(
  "A forced command is run in the place of what was asked, and the configuration's wins over the key's",
  (t) => {
    const identity = { hasForcedCommand: true, forcedCommand: 'echo "key:$SSH_ORIGINAL_COMMAND"' };
    t.equal(output(t, user, { identity }, "id; rm -rf ~").out, "key:id; rm -rf ~\n");
    const config = ['ForceCommand echo "config:$SSH_ORIGINAL_COMMAND"'];
    t.equal(output(t, user, { identity, config }, "\xff").out, "config:\xff\n");
    t.end();
  },
);
