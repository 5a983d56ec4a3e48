import t from "tap";
import { parseTrace, readTrace, TraceError } from "../../../tools/trace/read.ts";
import { accepted, header, lines, lookup, small } from "./samples.ts";

const refusal = (content: string): string => {
  try {
    parseTrace(content, "t.jsonl");
  } catch (error) {
    if (error instanceof TraceError) return error.message;
    throw error;
  }
  return "taken";
};

t.test("readTrace() says in one line what cannot be read", (t) => {
  t.throws(() => readTrace("/var/tmp/absent.jsonl"), { message: "cannot read /var/tmp/absent.jsonl: no such file" }); // prettier-ignore
  t.throws(() => readTrace("/var/tmp"), { message: "cannot read /var/tmp: is a folder" });
  t.end();
});
t.test("parseTrace() refuses what is no trace, or of another version", (t) => {
  t.equal(refusal(""), "t.jsonl: empty, not a trace");
  t.equal(refusal("\u0000\u0001"), "t.jsonl:1: not JSON");
  t.equal(refusal("{}\n"), "t.jsonl:1: not a trace of sallyport");
  t.equal(refusal("[]\n"), "t.jsonl:1: [] is no record");
  t.equal(refusal(lines({ ...header, v: 2 })), "t.jsonl:1: version 2 of the format; this is for 1");
  t.equal(refusal(lines({ ...header, server: 1 })), "t.jsonl:1: server is 1, not a text of up to 4096 characters"); // prettier-ignore
  t.end();
});
t.test("parseTrace() names the line that is corrupt, in one short line", (t) => {
  const of = (over: Readonly<Record<string, unknown>>): string =>
    refusal(lines(header, accepted, lookup("alice", over)));
  const wrong: readonly [Readonly<Record<string, unknown>>, RegExp][] = [
    [{ message: "openSesame" }, /unknown message "openSesame" from session to broker$/],
    [{ message: "toString" }, /unknown message "toString"/],
    [{ message: "signed" }, /unknown message "signed" from session to broker$/],
    [{ from: "nobody" }, /unknown from "nobody"$/],
    [{ from: "client" }, /client sends nothing to broker$/],
    [{ kind: "secret" }, /unknown kind "secret"$/],
    [{ phase: { before: "limbo", after: "kex" } }, /unknown before "limbo"$/],
    [{ phase: null }, /phase is null$/],
    [{ permit: [] }, /permit is \[\]$/],
    [{ bytes: -1 }, /bytes is -1, not a whole number$/],
    [{ bytes: 1.5 }, /bytes is 1.5, not a whole number$/],
    [{ bytes: "31" }, /bytes is "31", not a whole number$/],
    [{ atUs: 1e300 }, /atUs is 1e\+300/],
    [{ n: 7 }, /record 7 stands where 2 belongs$/],
    [{ fields: [] }, /fields is \[\], not an object$/],
    [{ fields: { user: null } }, /a field's value is null$/],
    [{ fields: { user: [[[[["deep"]]]]] } }, /a field's value is \["deep"\]$|a field's value/],
    [{ fields: { user: { bytes: 1, sha256: "<b>" } } }, /sha256 is no hex$/],
    [{ fields: { user: "x".repeat(5000) } }, /a field's value is "x{59}…$/],
    [{ outcome: "perhaps" }, /unknown outcome "perhaps"$/],
    [{ surprise: 1 }, /unknown key "surprise" in a message$/],
  ];
  for (const [over, message] of wrong) {
    const said = of(over);
    t.match(said, /^t\.jsonl:3: [^\n]{1,150}$/);
    t.match(said, message);
  }
  t.equal(refusal(small().replace("lookupUser", 'lookup"User')), "t.jsonl:3: not JSON");
  t.equal(refusal(`${small()}\n`), "t.jsonl:4: not JSON");
  const layer = { n: 1, atUs: 0, kind: "process", party: "session", event: "verified", by: "broker", pid: 1, layers: [{ name: "x", state: "hoped" }] }; // prettier-ignore
  t.equal(refusal(lines(header, layer)), 't.jsonl:2: unknown state "hoped"');
  t.end();
});
t.test("parseTrace() takes what was refused as unreadable, whose type no table knows", (t) => {
  const over = { message: "type 200", fields: {}, outcome: "refused", refusal: "UNKNOWN_TYPE: x" };
  t.match(parseTrace(lines(header, accepted, lookup("", over)), "t").records[1], over);
  t.end();
});
t.test("parseTrace() gives what stands in the file", (t) => {
  const { header: first, records } = parseTrace(small(), "t");
  t.same(first, header);
  t.same(records, [accepted, lookup("alice")]);
  t.end();
});
