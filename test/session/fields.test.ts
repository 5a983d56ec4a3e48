// Fields whose lengths lie, in every message that the server reads, before and after authentication: attacks.md A6, C2.
import t from "tap";
import { early, late } from "../../fuzz/server/message-tables.ts";
import { spoil } from "../support/spoiled-messages.ts";
import { established, loggedIn, openChannel, settled, type Served } from "./served-pair.ts";
import { attack, faultOf } from "./ssh/raw-client.ts";

const reach: Readonly<Record<"keyed" | "asked" | "authenticated" | "opened", () => Promise<Served>>> = {
  keyed: established,
  asked: established,
  authenticated: loggedIn,
  async opened() {
    const pair = await loggedIn();
    openChannel(pair);
    await settled();
    return pair;
  },
}; // prettier-ignore

/** The faults that end a key exchange, or null. */
async function faultInKex(place: "identified" | "offered" | "agreed", payload: Uint8Array) {
  const { raw, server } = attack();
  await raw.raw("SSH-2.0-raw\r\n");
  if (place !== "identified") await raw.sendKexInit();
  if (place === "agreed") await raw.sendInit();
  await raw.send(payload);
  return faultOf(server);
}
const kexFaults = /^(TRUNCATED|TRAILING_BYTES|OUT_OF_BOUNDS|MALFORMED|NO_COMMON_ALGORITHM|BAD_KEX_VALUE)$/; // prettier-ignore

for (const [place, messages] of [...early, ...late])
  for (const message of messages)
    t.test(`The server refuses ${message.name} whose lengths lie`, async (t) => {
      for (const { name, payload, outcome } of spoil(message)) {
        if (place === "identified" || place === "offered" || place === "agreed") {
          t.equal(outcome, "fault");
          t.match(await faultInKex(place, payload), kexFaults, name);
          continue;
        }
        const pair = await reach[place]();
        pair.client.transport.send(payload);
        await settled();
        // The client that the raw message is put under may be at a loss about the answer to it, and go by itself.
        t.equal(pair.ending?.reason === "protocol-fault", outcome === "fault", name);
        pair.served.stop({ reason: 0, text: "" });
      }
    });

/** What no server of ours has, or nobody could hold: each is an attempt that failed, and nothing more. */
const attempts: readonly (readonly [name: string, hex: string])[] = [
  ["gssapi-with-mic with 2^32-1 mechanisms (CVE-2025-58181)", "0000000f6773736170692d776974682d6d6963ffffffff"],
  ["a password of nobody's, of 0 bytes", "0000000870617373776f72640000000000"],
  ["a password whose length lies", "0000000870617373776f726400ffffffff"],
  ["keyboard-interactive", "000000146b6579626f6172642d696e746572616374697665ffffffffffffffff"],
]; // prettier-ignore
t.test("Methods that the server does not have fail without being read", async (t) => {
  for (const [name, hex] of attempts) {
    const pair = await established();
    const start = Buffer.from("3200000005616c6963650000000e7373682d636f6e6e656374696f6e", "hex");
    pair.client.transport.send(Buffer.concat([start, Buffer.from(hex, "hex")]));
    await settled();
    t.match(pair.seen.at(-1), "failure", name);
    pair.served.stop({ reason: 0, text: "" });
  }
});
