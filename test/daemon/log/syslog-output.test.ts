import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t from "tap";
import type { LogLine } from "../../../daemon/log/line.ts";
import { syslogLine, SyslogOutput } from "../../../daemon/log/syslog-output.ts";

const line = (extra: Partial<LogLine> = {}): LogLine => ({
  level: "info",
  code: "x",
  text: "hello",
  program: "sshd",
  pid: 42,
  time: new Date(2026, 10, 3, 9, 5, 1),
  fields: {},
  ...extra,
});

/** Node has no datagram sockets of this kind; Python (which node-gyp needs anyway) plays syslogd. */
const syslogd = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("ready", flush=True)
while True: print(s.recv(65536).decode("latin1"), flush=True)
`;
async function startSyslogd(path: string) {
  const child = spawn("python3", ["-c", syslogd, path], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const result = await lines.next();
    return result.done === true ? "" : result.value;
  };
  t.equal(await next(), "ready");
  const stop = async (): Promise<void> => {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    rmSync(path);
  };
  return { next, stop };
}

t.test(
  "SyslogOutput loses lines while nobody listens, says how many, and comes back by itself",
  async (t) => {
    const folder = mkdtempSync("/tmp/sallyport-syslog-");
    const path = join(folder, "log");
    t.teardown(() => {
      rmSync(folder, { recursive: true });
    });
    const output = new SyslogOutput("auth", path);
    output.write(line({ text: "lost" }));
    output.write(line({ text: "lost too" }));
    const first = await startSyslogd(path);
    output.write(line({ text: "one" }));
    t.match(await first.next(), /: error: 2 lines could not be written to the system log$/);
    t.match(await first.next(), /: one$/);
    await first.stop();
    const second = await startSyslogd(path);
    output.write(line({ text: "two" }));
    t.match(await second.next(), /: two$/);
    await second.stop();
    output.close();
  },
);

t.test("syslogLine() writes what glibc's syslog(3) writes", (t) => {
  t.equal(syslogLine(line(), "auth"), "<38>Nov  3 09:05:01 sshd[42]: hello");
  t.equal(
    syslogLine(line({ level: "error", program: "sshd-session" }), "authpriv"),
    "<83>Nov  3 09:05:01 sshd-session[42]: error: hello",
  );
  t.equal(
    syslogLine(line({ level: "fatal" }), "daemon"),
    "<26>Nov  3 09:05:01 sshd[42]: fatal: hello",
  );
  t.equal(syslogLine(line({ level: "verbose" }), "local7"), "<190>Nov  3 09:05:01 sshd[42]: hello");
  t.equal(
    syslogLine(line({ level: "debug3" }), "user"),
    "<15>Nov  3 09:05:01 sshd[42]: debug3: hello",
  );
  t.end();
});
