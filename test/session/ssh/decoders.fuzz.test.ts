// Every decoder of peer bytes, and the transport as a whole, against bytes that fast-check makes: nothing but a PeerFault comes out.
import t from "tap";
import fc from "fast-check";
import { PeerFault, quote } from "../../../ipc/peer-fault.ts";
import { decodeExtInfo } from "../../../session/ssh/ext-info.ts";
import { Identification } from "../../../session/ssh/identification.ts";
import { decodeKexInit, encodeKexInit, ourOffer } from "../../../session/ssh/kexinit.ts";
import { kexMethod, kexMethodNames } from "../../../session/ssh/kex-methods.ts";
import { negotiate } from "../../../session/ssh/negotiate.ts";
import { attack } from "./raw-client.ts";
import { algorithms, ciphers } from "./transport-pair.ts";

const seed = 4253;

/** True when `decode` returns or throws a PeerFault; anything else is thrown on, with the input that caused it. */
const survives = (decode: () => unknown): boolean => {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
  }
  return true;
};
/** A valid message with a few bytes changed, inserted or cut. */
const damaged = (valid: Uint8Array) =>
  fc
    .array(
      fc.tuple(fc.nat(valid.length - 1), fc.nat(255), fc.constantFrom("set", "insert", "cut")),
      { minLength: 1, maxLength: 4 },
    )
    .map((changes) => {
      const bytes = [...valid];
      for (const [at, value, how] of changes) {
        if (how === "set") bytes[at] = value;
        else if (how === "insert") bytes.splice(at, 0, value);
        else bytes.splice(at);
      }
      return Uint8Array.from(bytes);
    });

t.test("decodeKexInit() and negotiate() throw nothing but PeerFault", (t) => {
  const mine = ourOffer(algorithms, "server", true);
  const valid = encodeKexInit(ourOffer({ ...algorithms, ciphers }, "client", true)).slice();
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged(valid)), (bytes) =>
      survives(() => negotiate(decodeKexInit(bytes), mine, "server")),
    ),
    { seed, numRuns: 3000 },
  );
  t.end();
});

t.test("decodeExtInfo() throws nothing but PeerFault", (t) => {
  const valid = Buffer.from("070000000200000001610000000162000000016300000000", "hex");
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged(valid)), (bytes) =>
      survives(() => decodeExtInfo(bytes)),
    ),
    { seed, numRuns: 3000 },
  );
  t.end();
});

t.test("Identification.take() throws nothing but PeerFault, and keeps at most 253 bytes", (t) => {
  const text = fc.string({ unit: "binary-ascii", maxLength: 300 });
  fc.assert(
    fc.property(fc.constantFrom("", "SSH-", "SSH-2.0-"), text, (start, rest) =>
      survives(() => {
        const identification = new Identification("server");
        const bytes = Buffer.from(`${start}${rest}\n`, "latin1");
        const { complete } = identification.take(bytes, 0, bytes.length);
        if (complete && identification.version().length > 253) throw new Error("too long");
      }),
    ),
    { seed, numRuns: 3000 },
  );
  t.end();
});

t.test("KexMethod.respond() throws nothing but PeerFault", (t) => {
  for (const name of kexMethodNames) {
    const method = kexMethod(name);
    const valid = method.start().public;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 140 }), damaged(valid)), (bytes) =>
        survives(() => method.respond(bytes)),
      ),
      { seed, numRuns: 150 },
    );
  }
  t.end();
});

t.test(
  "Transport ends by a fault, or goes on, whatever payloads it gets after its handshake",
  async (t) => {
    const type = fc.oneof(fc.nat(255), fc.constantFrom(1, 2, 3, 4, 7, 20, 21, 30, 192));
    const payload = fc.tuple(type, fc.uint8Array({ maxLength: 40 }));
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(payload, { maxLength: 8 }),
        async (isIn, payloads) => {
          const { raw, server } = attack();
          await raw.handshake();
          if (isIn) server.transport.markAuthenticated();
          for (const [number, rest] of payloads) await raw.send(Uint8Array.of(number, ...rest));
          const end = server.end?.end ?? "none";
          if (!["none", "fault", "peerDisconnect"].includes(end)) throw new Error(end);
        },
      ),
      { seed, numRuns: 150 },
    );
    t.pass("150 conversations");
  },
);

t.test("quote() leaves no byte that a terminal or a log parser obeys", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const quoted = quote(bytes);
      return /^"[\x20-\x7e\xa0-\xff]*"$/.test(quoted) && quoted.length <= 6 * 260;
    }),
    { seed },
  );
  t.end();
});
