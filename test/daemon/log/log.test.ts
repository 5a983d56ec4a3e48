import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseFlags } from "../../../config/flags.ts";
import { loadConfig } from "../../../config/load.ts";
import { Log, logSettings, type LogSettings } from "../../../daemon/log/log.ts";

const folder = mkdtempSync("/tmp/sallyport-log-");
t.teardown(() => {
  rmSync(folder, { recursive: true });
});
const path = (name: string): string => join(folder, name);
const settings = (name: string, extra: Partial<LogSettings> = {}): LogSettings => ({
  level: "info",
  output: path(`${name}.log`),
  facility: "auth",
  eventLog: path(`${name}.json`),
  ...extra,
});
const text = (name: string): string => readFileSync(path(`${name}.log`), "utf8");
const events = (name: string) =>
  readFileSync(path(`${name}.json`), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>); // our own schema, compared below

t.test(
  "Log says which file it cannot open, and keeps the old ones when it is reconfigured",
  (t) => {
    t.throws(
      () => new Log(settings("x", { output: "/nonexistent/log" })),
      /^Couldn't open logfile \/nonexistent\/log: No such file or directory$/,
    );
    t.throws(() => new Log(settings("x", { eventLog: folder })), /Couldn't open logfile/);
    const log = new Log(settings("kept"));
    t.throws(() => {
      log.reconfigure(settings("kept", { eventLog: "/nonexistent/log" }));
    });
    log.event("info", "x", "still there");
    log.close();
    t.equal(text("kept"), "still there\r\n");
    t.end();
  },
);

t.test("Log writes nothing below its level, and nothing at all when it is quiet", (t) => {
  const log = new Log(settings("level", { level: "verbose" }));
  log.event("debug1", "x", "no");
  log.event("verbose", "x", "yes");
  log.reconfigure(settings("level", { level: "quiet" }));
  log.event("fatal", "x", "no");
  log.close();
  t.equal(text("level"), "yes\r\n");
  t.end();
});

t.test("a peer cannot make a second line, nor a field of the event that is not its own", (t) => {
  const log = new Log(settings("peer"));
  log.event("info", "x", 'a\r\nroot logged in "}\u001b[2J', {
    fields: { user: 'x"\u009b\n\u2028', pid: 1, code: "accepted", ["__proto__"]: "p" },
  });
  log.close();
  t.equal(text("peer").split("\n").length, 2);
  t.match(readFileSync(path("peer.json"), "latin1"), /^[ -~]*\n$/);
  const [event = {}] = events("peer");
  t.equal(event["code"], "x");
  t.equal(event["pid"], process.pid);
  t.match(event["fields"], { user: 'x"\u009b\n\u2028', pid: 1, code: "accepted" });
  t.end();
});

t.test("text goes out as sshd writes it: debug prefixes, [preauth], CR LF", (t) => {
  const log = new Log(settings("format", { level: "debug2" }));
  log.event("error", "x", "no prefix");
  log.event("debug2", "x", "two");
  log.event("debug3", "x", "three");
  log.event("info", "x", "early", { preauth: true, pid: 7 });
  log.close();
  t.equal(text("format"), "no prefix\r\ndebug2: two\r\nearly [preauth]\r\n");
  t.end();
});

t.test(
  "an event holds version, time, level, code, program, pid, connection, fields and the line",
  (t) => {
    const log = new Log(settings("event"));
    log.event("info", "auth.accepted", "Accepted 100% %s", {
      pid: 77,
      preauth: true,
      fields: { connection: 3, user: "al" },
    });
    log.event("debug1", "connection.ended", "ended");
    log.event("debug2", "noise", "no event below debug1 unless LogLevel says so");
    log.close();
    const [first, second, third] = events("event");
    t.match(first?.["time"], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    t.strictSame(
      { ...first, time: "" },
      {
        level: "info",
        time: "",
        v: 1,
        code: "auth.accepted",
        program: "sshd-session",
        pid: 77,
        connection: 3,
        fields: { user: "al" },
        msg: "Accepted 100% %s [preauth]",
      },
    );
    t.strictSame(
      { ...second, time: "" },
      {
        level: "debug1",
        time: "",
        v: 1,
        code: "connection.ended",
        program: "sshd",
        pid: process.pid,
        msg: "ended",
      },
    );
    t.equal(third, undefined);
    t.end();
  },
);

t.test("Log opens its files anew when it is reconfigured, and only root may read them", (t) => {
  const log = new Log(settings("rotate"));
  log.event("info", "x", "one");
  renameSync(path("rotate.log"), path("rotate.log.1"));
  log.event("info", "x", "two");
  log.reconfigure(settings("rotate"));
  log.event("info", "x", "three");
  log.close();
  t.equal(readFileSync(path("rotate.log.1"), "utf8"), "one\r\ntwo\r\n");
  t.equal(text("rotate"), "three\r\n");
  t.equal(statSync(path("rotate.json")).mode & 0o777, 0o600);
  t.end();
});

t.test("a full disk stops nobody", (t) => {
  const log = new Log({
    level: "info",
    output: "/dev/full",
    facility: "auth",
    eventLog: "/dev/full",
  });
  t.doesNotThrow(() => {
    log.event("info", "x", "lost");
    log.close();
  });
  t.end();
});

t.test("logSettings() combines flags and configuration as sshd does", (t) => {
  const of = (...argv: string[]): LogSettings => {
    const sources = [
      { path: "/c", content: "LogLevel VERBOSE\nSyslogFacility LOCAL3\nEventLog /e" },
    ];
    return logSettings(parseFlags(argv), loadConfig({ file: "/c", sources }).global);
  };
  t.strictSame(of(), { level: "verbose", output: "syslog", facility: "local3", eventLog: "/e" });
  t.match(of("-q", "-e"), { level: "quiet", output: "stderr" });
  t.match(of("-d"), { level: "debug1", output: "stderr" });
  t.match(of("-dddd", "-E", "/x"), { level: "debug3", output: "/x" });
  t.end();
});
