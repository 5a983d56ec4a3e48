// What a recorded broker reports, with a listener's socket that only remembers.
import t from "tap";
import { Recording } from "../../broker/recording.ts";
import type { ListenerSocket } from "../../broker/system-world.ts";
import { brokerReports } from "../../ipc/listener.ts";
import { requests } from "../../ipc/monitor.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import { encode, type Body } from "../../ipc/protocol.ts";
import { traceKinds } from "../../ipc/trace.ts";
import { bodies, Driver, TestKey } from "./driver.ts";

type Report = Body<(typeof brokerReports)["trace"]>;

class Listener {
  readonly reports: Report[] = [];
  isCrowded = false;
  send(name: string, id: number, body: Report): void {
    // What does not fit its bounds would end a broker.
    encode(brokerReports, "trace", id, body);
    if (name === "trace") this.reports.push(body);
  }
}
function recorded(driver = new Driver()) {
  const listener = new Listener();
  const recording = new Recording();
  // A recording uses these two of it, and no socket.
  recording.attach(listener as unknown as ListenerSocket, driver.monitor);
  const take = (name: keyof typeof bodies, body: Record<string, unknown> = bodies[name]): void => {
    recording.sessionTap.received({ name, id: 1, body, bytes: 5, descriptors: 0 });
  };
  return { driver, listener, recording, take };
}

t.test("Recording tells a request that is refused, with the phase and why", (t) => {
  const { driver, listener, recording, take } = recorded();
  take("sign");
  t.throws(() => {
    driver.ask("sign");
  }, PeerFault);
  recording.refused(new PeerFault("NOT_PERMITTED", "Cannot answer sign"));
  recording.flush();
  t.match(listener.reports, [
    { name: "sign", phaseBefore: "confining", usesLeft: 0, refusal: "NOT_PERMITTED: Cannot answer sign" }, // prettier-ignore
  ]);
  t.end();
});
t.test("Recording tells what could not be read, by its length and its type", (t) => {
  const { listener, recording } = recorded();
  const fault = new PeerFault("TRAILING_BYTES", "x".repeat(5000));
  recording.sessionTap.unreadable(fault, 9, requests.sign.type, 1);
  recording.sessionTap.unreadable(fault, 9, 200, 0);
  recording.sessionTap.unreadable(fault, 0, undefined, 0);
  t.match(listener.reports, [
    { name: "sign", bytes: 9, descriptors: 1, refusal: /^TRAILING_BYTES: x+$/ },
    { name: "type 200" },
    { name: "nothing" },
  ]);
  t.end();
});
t.test("Recording leaves reports out, and counts them, when its listener does not read", (t) => {
  const { listener, recording } = recorded();
  listener.isCrowded = true;
  recording.forked(1);
  recording.forked(2);
  t.same(listener.reports, []);
  listener.isCrowded = false;
  recording.forked(3);
  t.match(listener.reports, [
    { kind: traceKinds.indexOf("lost"), details: ["count", "number", "2"] },
    { kind: traceKinds.indexOf("process"), details: ["pid", "number", "3"] },
  ]);
  t.end();
});
t.test("Recording tells no byte of a signature, of a secret, or of what was signed", (t) => {
  const { driver, listener, recording, take } = recorded(new Driver().enter("authenticating"));
  const key = new TestKey();
  const signature = driver.signature(key);
  take("publickeySign", { ...bodies.publickeySign, blob: key.blob, signature });
  recording.sessionTap.handled();
  const sharedSecret = new Uint8Array(Buffer.from("the agreement of two, thirty-two"));
  take("sign", { ...bodies.sign, sharedSecret });
  recording.sessionTap.handled();
  const told = JSON.stringify(listener.reports);
  for (const bytes of [signature.subarray(-64), key.blob, sharedSecret])
    for (const form of ["hex", "base64", "latin1"] as const)
      t.notOk(told.includes(Buffer.from(bytes).toString(form).slice(0, 20)), form);
  t.end();
});
t.test(
  "Recording tells a request before what it led to, and the phase on both sides of it",
  (t) => {
    const { driver, listener, recording, take } = recorded();
    take("confined");
    driver.ask("confined");
    recording.listenerTap.sent({ name: "ready", id: 0, body: { brokerPid: 1, sessionPid: 2, missingLayers: [] }, bytes: 17, descriptors: 0 }); // prettier-ignore
    t.same(listener.reports, [], "not before it is known what becomes of it");
    recording.sessionTap.handled();
    t.match(listener.reports, [
      {
        name: "confined",
        phaseBefore: "confining",
        phaseAfter: "handover",
        usesLeft: 1,
        refusal: "",
      },
      { name: "ready", phaseBefore: "handover" },
    ]);
    t.end();
  },
);
t.test("Recording says nothing of its own reports", (t) => {
  const { listener, recording } = recorded();
  recording.listenerTap.sent({ name: "trace", id: 0, body: {}, bytes: 1, descriptors: 0 });
  t.same(listener.reports, []);
  t.end();
});
