// Events about a filter that stopped a process: named from the kernel's log, in order with what else is said of the connection.
import t from "tap";
import type { EventDetails } from "../../../daemon/events.ts";
import { ViolationEvents, type ViolationSource } from "../../../daemon/log/violation-events.ts";
import type { LogLevel } from "../../../ipc/listener.ts";
import { auditArch, syscalls } from "../../../sandbox/syscalls-x86-64.ts";
import { until } from "../../support/until.ts";

function made(fault = "") {
  const said: { level: LogLevel; code: string; text: string; fields: EventDetails["fields"] }[] =
    [];
  const known = new Set<number>();
  const source: ViolationSource = {
    fault,
    onRecord: undefined,
    find: (pid) => (known.has(pid) ? { arch: auditArch, number: syscalls.sendmsg } : undefined),
  };
  const events = new ViolationEvents(
    {
      event: (level, code, text, details) =>
        said.push({ level, code, text, fields: details?.fields }),
    },
    source,
  );
  const record = (pid: number): void => {
    known.add(pid);
    source.onRecord?.();
  };
  const stopped = (child: number, connection?: number): void => {
    const fields = { child, layer: "seccomp", ...(connection === undefined ? {} : { connection }) };
    events.event("error", "sandbox.violation", `session process ${child} was stopped by its filter`, { fields }); // prettier-ignore
  };
  return { said, events, record, stopped };
}
const codes = (said: readonly { code: string }[]): string => said.map(({ code }) => code).join();

t.test("ViolationEvents says honestly that the kernel's log cannot be read", (t) => {
  const { said, stopped } = made("audit: EPERM; /dev/kmsg: EPERM");
  stopped(7, 1);
  t.match(said, [
    { text: /not readable here \(audit: EPERM; \/dev\/kmsg: EPERM\).*start with -d/ },
  ]);
  t.equal(said[0]?.fields?.["syscall"], undefined);
  t.equal(said[0]?.fields?.["source"], "none");
  t.end();
});

t.test("ViolationEvents says after a while that the kernel's log has nothing", async (t) => {
  const { said, stopped } = made();
  stopped(7, 1);
  await until("it is said", () => said.length === 1);
  t.match(said, [{ text: /the kernel's log says nothing of it/, fields: { source: "none" } }]);
});

t.test("ViolationEvents names the call, from a record that comes before or after", (t) => {
  const { said, record, stopped } = made();
  record(7);
  stopped(7, 1);
  stopped(8, 2);
  t.equal(said.length, 1);
  record(8);
  const fields = { syscall: "sendmsg", source: "kernel", layer: "seccomp" };
  t.match(said, [
    { text: /process 7 was stopped by its filter at the system call sendmsg$/, fields },
    { text: /process 8 was stopped/, fields: { ...fields, child: 8, connection: 2 } },
  ]);
  t.end();
});

t.test("ViolationEvents keeps the events of one connection in order, and no other", (t) => {
  const { said, record, stopped, events } = made();
  stopped(7, 1);
  events.event("debug1", "connection.ended", "one", { fields: { connection: 1 } });
  events.event("debug1", "connection.ended", "two", { fields: { connection: 2 } });
  events.event("info", "listening", "neither");
  t.equal(codes(said), "connection.ended,listening");
  record(7);
  t.equal(codes(said), "connection.ended,listening,sandbox.violation,connection.ended");
  t.equal(said.at(-1)?.text, "one");
  t.end();
});

t.test("ViolationEvents leaves alone what the process has named itself", (t) => {
  const { said, events } = made();
  events.event("error", "sandbox.violation", "as it is", { fields: { child: 7, syscall: "bpf" } });
  t.match(said, [{ text: "as it is", fields: { syscall: "bpf" } }]);
  t.end();
});

t.test("ViolationEvents tells of a zygote, signer, broker or login that a filter stopped", (t) => {
  const { said, record, events } = made();
  const ended = (kind: string, child: number, how: string): void => {
    events.event("error", "child.ended", `${kind} ended`, { fields: { kind, child, class: how } });
  };
  ended("login", 4, "crashed");
  record(5);
  ended("signer", 5, "violation");
  t.equal(codes(said), "child.ended,child.ended,sandbox.violation");
  t.match(said[2], { text: /^signer 5 .* at the system call sendmsg/, fields: { process: "signer" } }); // prettier-ignore
  t.end();
});

t.test("ViolationEvents.flush() says what is held, when the process ends", (t) => {
  const { said, stopped, events } = made();
  stopped(7, 1);
  events.event("debug1", "connection.ended", "one", { fields: { connection: 1 } });
  events.flush();
  t.equal(codes(said), "sandbox.violation,connection.ended");
  events.flush();
  t.equal(said.length, 2);
  t.end();
});
