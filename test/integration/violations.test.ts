// A session process that makes a call its filter does not know: the log names process, connection, call and layer. It is made to by a copy of the
// server in which it calls getpeername(2) when the client comes to one address; everything else in that copy is the real thing.
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { spawn } from "node:child_process";
import { readFileSync, existsSync } from "node:fs";
import t from "tap";
import { makePatchedTree } from "../../lab/patched-tree.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const badAddress = "127.0.0.67";
const folder = mkdtempSync("/var/tmp/sallyport-violation.");
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true });
});
makePatchedTree(folder, [
  {
    file: "session/main.js",
    search: "this.#peer = body;",
    replacement: `if (body.localAddress === "${badAddress}") socketAddresses(fd);\n this.#peer = body;`,
  },
  {
    file: "session/main.js",
    search: 'import { ending } from "./end.js";',
    replacement:
      'import { ending } from "./end.js";\nimport { socketAddresses } from "../native/sockets.js";',
  },
]);
const program = `${folder}/bin/sallyportd`;
const config = [`ListenAddress ${badAddress}`];

/** As the server itself would find out: this machine may be a container. */
function kernelTells(): boolean {
  try {
    closeSync(openSync("/dev/kmsg", "r"));
    return true;
  } catch {
    return false;
  }
}

t.test("A session process that its filter stops is told with the name of the call", async (t) => {
  const server = await TestServer.start(t, { program, config });
  const listening = server.events("listening").find(({ fields }) => fields["address"] === badAddress); // prettier-ignore
  const [session] = await until("a pair is warm", () => {
    const warm = server.children("session");
    return warm.length > 0 ? warm : undefined;
  });
  const socket = connect(Number(listening?.fields["port"]), badAddress);
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  const events = await server.connection(0);
  const told = events.find(({ code }) => code === "sandbox.violation");
  const { fields } = told ?? { fields: {} };
  t.equal(told?.level, "error");
  t.match(fields, { process: "session", layer: "seccomp", child: String(session?.pid) });
  t.match(told?.msg, new RegExp(`^session process ${session?.pid ?? 0} of 127\\.0\\.0\\.1 port \\d+ was stopped by its filter`)); // prettier-ignore
  if (kernelTells()) {
    t.match(fields, { syscall: "getpeername", source: "kernel" });
    t.match(told?.msg, /at the system call getpeername/);
  } else {
    t.match(fields, { source: "none" });
    t.match(told?.msg, /start with -d/);
  }
  t.match(events.at(-1), { code: "connection.ended", fields: { end: "violation" } });
  await server.stop();
  await server.isGone();
});

t.test("With -d the filter itself names the call, with its arguments", async (t) => {
  const made = await TestServer.start(t, { program, config });
  await made.stop();
  const log = `${made.folder}/log-d`;
  const child = spawn(program, ["-d", "-D", "-f", `${made.folder}/config`, "-E", log], { stdio: "ignore" }); // prettier-ignore
  t.teardown(() => child.kill("SIGKILL"));
  const text = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");
  const port = await until("it listens", () => new RegExp(`listening on ${badAddress} port (\\d+)`).exec(text())?.[1]); // prettier-ignore
  const socket = connect(Number(port), badAddress);
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  await until("it ends", () => child.exitCode !== null);
  t.match(text(), /session process \d+ of 127\.0\.0\.1 port \d+ was stopped by its filter at the system call getpeername\(0x[0-9a-f]+, 0x[0-9a-f]+, 0x/); // prettier-ignore
});
