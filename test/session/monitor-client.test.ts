// The session process's side of the broker's socket, how ends are told, and keepalives.
import t from "tap";
import { endReasons } from "../../ipc/monitor.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import { endingOf } from "../../session/end.ts";
import { Keepalive } from "../../session/keepalive.ts";
import { MonitorClient, type MonitorEvents } from "../../session/monitor-client.ts";
import { makeKey, RehearsalMonitor } from "../../session/rehearsal-monitor.ts";
import { loggedIn, reportedEnd, running, settled } from "./served-pair.ts";

const key = makeKey();
function make() {
  const seen: string[] = [];
  const note = (name: string) => (): void => void seen.push(name);
  const events: MonitorEvents = {
    connection: note("connection"),
    connectionOutput: note("connectionOutput"),
    go: note("go"),
    authenticated: note("authenticated"),
    stop: note("stop"),
    gone: note("gone"),
  };
  let monitor: RehearsalMonitor | undefined;
  const client = new MonitorClient(
    (handlers) =>
      (monitor = new RehearsalMonitor(handlers, { hostKey: key, userKey: key, workerFd: () => 1 })),
    events,
  );
  if (monitor === undefined) throw new Error("The port was not made");
  return { client, monitor, seen };
}

t.test(
  "MonitorClient gives up a broker that answers what nobody asked, or something else",
  async (t) => {
    const unasked = make();
    unasked.monitor.answer("proved", 9, { signature: new Uint8Array(1) });
    await settled();
    t.same(unasked.seen, ["gone"]);
    const other = make();
    other.monitor.isHolding = true;
    other.client.lookupUser(Buffer.from("a"), Buffer.from("b"), () => t.fail("answered"));
    other.monitor.isHolding = false;
    other.monitor.answer("authResult", 1, { outcome: 0, methods: "" });
    await settled();
    t.same(other.seen, ["gone"]);
  },
);

t.test("MonitorClient stops logging before the broker's permits end, and cuts lines", (t) => {
  const { client, monitor } = make();
  for (let i = 0; i < 8100; i += 1) client.log("info", "code", "x".repeat(5000));
  t.equal(monitor.seen.length, 8000);
  const [first] = monitor.seen;
  t.equal(first?.name === "log" ? first.body.text.length : 0, 2048);
  t.end();
});

t.test("MonitorClient cuts the text of an end", (t) => {
  const { client, monitor } = make();
  client.ended({ reason: "peer-disconnected", code: 11, text: new Uint8Array(5000) }, 1, 2);
  t.match(monitor.seen, [
    { name: "ended", body: { reason: endReasons.indexOf("peer-disconnected"), code: 11 } },
  ]);
  t.end();
});

t.test("endingOf() says in the broker's words how a connection ended", (t) => {
  const failed = (code: string) =>
    endingOf({ end: "failed", error: Object.assign(new Error("x"), { code }) }).reason;
  const fault = (code: ConstructorParameters<typeof PeerFault>[0], message: string) => {
    const { reason, text } = endingOf({ end: "fault", fault: new PeerFault(code, message) });
    return [reason, Buffer.from(text).toString()];
  };
  t.equal(endingOf({ end: "closed", identified: false }).reason, "idle-before-identification");
  t.equal(endingOf({ end: "closed", identified: true }).reason, "peer-closed");
  t.same(
    [failed("ECONNRESET"), failed("EPIPE"), failed("EBADF")],
    ["peer-reset", "peer-reset", "internal-error"],
  );
  t.same(fault("BAD_IDENTIFICATION", 'client sent invalid protocol identifier "GET / \\"x"'), [
    "bad-identification",
    'GET / \\"x',
  ]);
  t.same(fault("BAD_IDENTIFICATION", "no quotes"), ["bad-identification", "no quotes"]);
  t.same(fault("VERSION_MISMATCH", "1.5"), ["version-mismatch", "1.5"]);
  t.same(fault("NO_COMMON_ALGORITHM", "no matching cipher found"), [
    "no-common-algorithm",
    "no matching cipher found",
  ]);
  t.same(fault("FLOOD", "too much"), ["protocol-fault", "too much"]);
  t.end();
});

/** Resolves when the keepalive has given up; the client's bytes come from `received`. */
function watch(countMax: number, received: () => number): Promise<number> {
  return new Promise((resolve) => {
    let asked = 0;
    const keepalive = new Keepalive({
      intervalMs: 1,
      countMax,
      bytesReceived: received,
      ask: () => {
        asked += 1;
        if (countMax !== 0 || asked < 10) return;
        keepalive.stop();
        resolve(asked);
      },
      giveUp: () => {
        resolve(asked);
      },
    });
    keepalive.start();
  });
}

t.test("Keepalive gives a silent client up after as many questions as it was told", async (t) => {
  t.equal(await watch(3, () => 0), 3);
});

t.test("Keepalive asks for ever when the count is 0", async (t) => {
  t.equal(await watch(0, () => 0), 10);
});

t.test("Keepalive begins anew with every sign of life", async (t) => {
  let looks = 0;
  // Silent twice, then alive, then silent.
  const asked = await watch(3, () => ((looks += 1) <= 3 ? 0 : 1));
  t.equal(asked, 2 + 3);
});

t.test("Keepalive does nothing with an interval of 0", (t) => {
  const keepalive = new Keepalive({
    intervalMs: 0,
    countMax: 1,
    bytesReceived: () => t.fail("looked") as never,
    ask: () => t.fail("asked"),
    giveUp: () => t.fail("gave up"),
  });
  keepalive.start();
  keepalive.stop();
  t.end();
});

t.test("A client that answers keepalives stays, on a channel and without one", async (t) => {
  const pair = await loggedIn({ monitor: { granted: { clientAliveIntervalMs: 2 } } });
  while (!pair.seen.includes("global keepalive@openssh.com")) await settled();
  const { seen } = await running(pair);
  while (!seen.includes("keepalive@openssh.com")) await settled();
  for (let i = 0; i < 50; i += 1) await settled();
  t.equal(pair.ending, null);
  pair.client.transport.disconnect(11, "bye");
  await settled();
  t.equal(reportedEnd(pair), "peer-disconnected");
});
