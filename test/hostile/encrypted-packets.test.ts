// Packets that are wrong under the right keys, and under wrong ones: attacks.md A4, A5, B9.
import t from "tap";
import type { CipherSpec } from "../../native/packet-cipher.ts";
import { referenceSeal } from "../../fuzz/server/reference-cipher.ts";
import { endsEach, type HostileRow } from "../support/hostile-rows.ts";
import { RawConnection, type Suite } from "../../fuzz/server/raw-connection.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";

const suites: readonly Suite[] = [
  { cipher: "chacha20-poly1305@openssh.com", mac: "" },
  { cipher: "aes256-gcm@openssh.com", mac: "" },
  { cipher: "aes128-ctr", mac: "hmac-sha2-256" },
  { cipher: "aes256-ctr", mac: "hmac-sha2-512-etm@openssh.com" },
];
/** SSH_MSG_IGNORE, whole. */
const ignore = Uint8Array.of(2, 0, 0, 0, 4, 1, 2, 3, 4);
const macError = 5;
const protocolError = 2;

function flipped(packet: Uint8Array, at: number): Uint8Array {
  const forged = packet.slice();
  forged[at] = (forged[at] ?? 0) ^ 1;
  return forged;
}
const sealed = (spec: CipherSpec, lie: Parameters<typeof referenceSeal>[3] = {}, payload = ignore) =>
  referenceSeal(spec, payload, 0, lie); // prettier-ignore

type Forgery = readonly [name: string, forge: (spec: CipherSpec) => Uint8Array, reason: number, text: string]; // prettier-ignore
const badLength = (name: string, length: number): Forgery => [
  name,
  (spec) => sealed(spec, { length }),
  protocolError,
  "Bad packet length",
];
const badPadding = (padding: number): Forgery => [
  `${padding} bytes of padding`,
  (spec) => sealed(spec, { padding }),
  protocolError,
  "Corrupted padlen on input",
];
const forgeries: readonly Forgery[] = [
  ["a tag with one bit wrong", (spec) => flipped(sealed(spec), sealed(spec).length - 1), macError, "Corrupted MAC on input"], // prettier-ignore
  ["a payload with one bit wrong", (spec) => flipped(sealed(spec), 9), macError, "Corrupted MAC on input"], // prettier-ignore
  badLength("length 0", 0),
  badLength("length 2^32-1", 0xff_ff_ff_ff),
  badLength("length 2^31", 0x80_00_00_00),
  badLength("length 256 KiB + 1", (256 << 10) + 1),
  badLength("length 256 KiB + 16", (256 << 10) + 16),
  badLength("a length between two blocks", 45),
  badPadding(0),
  badPadding(3),
  badPadding(255),
  ["no payload", (spec) => sealed(spec, {}, new Uint8Array(0)), protocolError, "Corrupted padlen on input"], // prettier-ignore
];
/** Where the length is encrypted the second one is at another place of the key stream, so that its length is chance. */
const replay = ({ cipher, mac }: Suite): Forgery => {
  const isLengthClear = cipher.includes("gcm") || mac.includes("-etm@");
  return [
    "a packet twice",
    (spec) => Buffer.concat([sealed(spec), sealed(spec)]),
    isLengthClear ? macError : protocolError,
    isLengthClear ? "Corrupted MAC on input" : "Bad packet length",
  ];
};

const user = makeUser(t);
const server = await TestServer.start(t, { config: ["MaxStartups 100", "WarmPairs 4"] });

const rows = suites.flatMap((suite) =>
  [...forgeries, replay(suite)].map(([name, forge, disconnect, text]): HostileRow => ({
    name: `${name}, ${suite.cipher}${suite.mac === "" ? "" : ` with ${suite.mac}`}`,
    disconnect,
    code: "connection.protocol-fault",
    text,
    end: "no-auth",
    async act({ port }) {
      const raw = await RawConnection.open(port, { suite });
      raw.identify();
      await raw.exchange();
      if (raw.outgoing === null) throw new Error("There are no keys");
      raw.bytes(forge(raw.outgoing));
      return raw;
    },
  })),
);

await endsEach(t, server, rows);

t.test("A user logs in after all that, no process has crashed, nothing is left", async (t) => {
  const ended = await ssh(server, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  await server.endedConnections();
  t.same(server.events().filter(({ level }) => level === "fatal").map(({ msg }) => msg), []); // prettier-ignore
  await server.stop();
  await server.isGone();
});
