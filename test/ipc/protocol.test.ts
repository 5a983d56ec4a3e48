import fc from "fast-check";
import t from "tap";
import type { AnyField } from "../../ipc/fields.ts";
import * as listener from "../../ipc/listener.ts";
import * as monitor from "../../ipc/monitor.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import { decode, encode, protocol, type Protocol } from "../../ipc/protocol.ts";
import * as signer from "../../ipc/signer.ts";
import * as worker from "../../ipc/worker.ts";

const protocols: Readonly<Record<string, Protocol>> = {
  requests: monitor.requests,
  answers: monitor.answers,
  brokerOrders: listener.brokerOrders,
  brokerReports: listener.brokerReports,
  zygoteOrders: listener.zygoteOrders,
  zygoteReports: listener.zygoteReports,
  loginOrders: listener.loginOrders,
  signerOrders: signer.signerOrders,
  signerReports: signer.signerReports,
  signatureRequests: signer.signatureRequests,
  signatureAnswers: signer.signatureAnswers,
  workerRequests: worker.workerRequests,
  workerAnswers: worker.workerAnswers,
};
const runs = { seed: 4252, numRuns: 300 };

/** Values that a field can hold, small ones: a message's own limit is tested elsewhere. */
function values(field: AnyField): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case "bool":
      return fc.boolean();
    case "u8":
    case "u32":
      return fc.integer({ min: 0, max: field.max });
    case "u64":
      return fc.maxSafeNat();
    case "bytes":
      return fc.uint8Array({ maxLength: Math.min(field.max, 64) });
    case "text":
      return fc.string({ maxLength: Math.min(Math.floor(field.max / 4), 16) });
    case "list":
      if (field.item === undefined) throw new TypeError("a list of nothing");
      return fc.array(values(field.item), { maxLength: Math.min(field.max, 3) });
  }
}
const messages = (table: Protocol) =>
  fc.constantFrom(...Object.keys(table)).chain((name) =>
    fc.record({
      name: fc.constant(name),
      id: fc.integer({ min: 0, max: 0xffff_ffff }),
      body: fc.record(
        Object.fromEntries(
          Object.entries(table[name]?.fields ?? {}).map(([key, field]) => [key, values(field)]),
        ),
      ),
    }),
  );

/** The fault's code, or undefined when it was taken. Anything but a PeerFault is a bug and is thrown. */
function faultOf(table: Protocol, raw: Uint8Array, fds: number): string | undefined {
  try {
    decode(table, raw, fds);
    return undefined;
  } catch (error) {
    if (error instanceof PeerFault) return error.code;
    throw error;
  }
}

for (const [label, table] of Object.entries(protocols)) {
  t.test(
    `decode() of ${label} refuses a message cut anywhere, a byte more, and wrong descriptors`,
    (t) => {
      fc.assert(
        fc.property(messages(table), ({ name, id, body }) => {
          const fds = table[name]?.descriptors ?? 0;
          const raw = encode(table, name, id, body as never); // made from the table itself
          for (let length = 0; length < raw.length; length += 1)
            if (faultOf(table, raw.subarray(0, length), fds) === undefined) return false;
          const longer = Uint8Array.from([...raw, 0]);
          return (
            faultOf(table, longer, fds) === "TRAILING_BYTES" &&
            faultOf(table, raw, fds + 1) === "DESCRIPTORS" &&
            (fds === 0 || faultOf(table, raw, fds - 1) === "DESCRIPTORS")
          );
        }),
        runs,
      );
      t.end();
    },
  );

  t.test(`decode() of ${label} throws nothing but PeerFault, whatever comes`, (t) => {
    const types = Object.values(table).map(({ type }) => type);
    fc.assert(
      fc.property(
        fc.constantFrom(...types, 0, 255),
        fc.uint8Array({ maxLength: 256 }),
        fc.integer({ min: 0, max: 8 }),
        (type, rest, fds) => {
          faultOf(table, Uint8Array.from([type, ...rest]), fds);
        },
      ),
      runs,
    );
    t.end();
  });

  t.test(`encode() and decode() of ${label} are a pair`, (t) => {
    fc.assert(
      fc.property(messages(table), ({ name, id, body }) => {
        const raw = encode(table, name, id, body as never); // made from the table itself
        const back = decode(table, raw, table[name]?.descriptors ?? 0);
        t.same(back, { name, id, body });
      }),
      { ...runs, numRuns: 40 },
    );
    t.end();
  });
}

t.test("decode() refuses a type of the other direction", (t) => {
  const answer = encode(monitor.answers, "go", 0, {});
  t.equal(faultOf(monitor.requests, answer, 0), "UNKNOWN_TYPE");
  t.end();
});

t.test("encode() refuses a message that would not fit one packet", (t) => {
  const huge = { content: { ...monitor.answers.userAccepted.fields.banner, max: 2 ** 20 } };
  const table = protocol({ huge: { type: 1, descriptors: 0, meaning: "", fields: huge } });
  t.throws(() => encode(table, "huge", 0, { content: new Uint8Array(2 ** 18) }), RangeError);
  t.end();
});

t.test("protocol() refuses two messages of one type", (t) => {
  const spec = { type: 1, descriptors: 0, meaning: "", fields: {} };
  t.throws(() => protocol({ one: spec, two: spec }), TypeError);
  t.end();
});

t.test("decode() refuses an end of the connection that has no name", (t) => {
  const ended = (reason: number): Uint8Array => {
    const raw = encode(monitor.requests, "ended", 0, {
      reason: 0,
      code: 0,
      text: new Uint8Array(),
      bytesReceived: 0,
      bytesSent: 0,
    });
    raw[5] = reason; // behind type and id
    return raw;
  };
  const last = monitor.endReasons.length - 1;
  t.equal(faultOf(monitor.requests, ended(last), 0), undefined);
  t.equal(faultOf(monitor.requests, ended(last + 1), 0), "OUT_OF_BOUNDS");
  t.end();
});
