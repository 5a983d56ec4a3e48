import t from "tap";
import { boundedEvent } from "../../broker/event-bounds.ts";
import { brokerReports } from "../../ipc/listener.ts";
import { encode } from "../../ipc/protocol.ts";

t.test("boundedEvent() cuts what a message to the listener does not hold", (t) => {
  // Three bytes of UTF-8 each: as long as a UTF-16 unit gets.
  const long = "\u20ac".repeat(100_000);
  const event = { level: "info", code: "session.x", text: long, fields: { user: long, port: 1e15 } } as const; // prettier-ignore
  const { code, text, fields = {} } = boundedEvent(event);
  t.equal(text, `${"\u20ac".repeat(2000)}...`);
  t.same(fields, { user: `${"\u20ac".repeat(500)}...`, port: 1e15 });
  const listed = Object.entries(fields).flatMap(([name, value]) => [name, String(value)]);
  const body = { level: 3, code, text, pid: 1, preauth: false, fields: listed };
  t.ok(encode(brokerReports, "event", 0, body));
  t.throws(() => encode(brokerReports, "event", 0, { ...body, text: long }), RangeError);
  t.equal(boundedEvent({ ...event, text: "", code: "c".repeat(61) }).code, `${"c".repeat(60)}...`);
  t.end();
});

t.test("boundedEvent() leaves an event alone that fits", (t) => {
  const event = { level: "info", code: "c".repeat(60), text: "x".repeat(2000), fields: { user: "u".repeat(500) } } as const; // prettier-ignore
  t.equal(boundedEvent(event), event);
  t.same(boundedEvent({ level: "info", code: "c", text: "t" }), { level: "info", code: "c", text: "t" }); // prettier-ignore
  t.end();
});
