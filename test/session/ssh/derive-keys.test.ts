// RFC 4253 section 7.2, composed here a second time by the letter.
import t from "tap";
import { createHash } from "node:crypto";
import { deriveSpec, wipeSpec } from "../../../session/ssh/derive-keys.ts";

const sharedSecret = Buffer.from("00ff0102", "hex");
const exchangeHash = Buffer.alloc(32, 5);
const sessionId = Buffer.alloc(32, 6);
const sha = (...parts: (Uint8Array | string)[]): Buffer => {
  const hash = createHash("sha256")
    .update(Buffer.of(0, 0, 0, 4))
    .update(sharedSecret);
  for (const part of [exchangeHash, ...parts]) hash.update(part);
  return hash.digest();
};

t.test("deriveSpec() extends a key that is longer than the hash by the keys so far", (t) => {
  const source = { hash: "sha256", sharedSecret, exchangeHash, sessionId } as const;
  const spec = deriveSpec(source, "clientToServer", "chacha20-poly1305@openssh.com", "");
  const first = sha("C", sessionId);
  t.same(Buffer.from(spec.key), Buffer.concat([first, sha(first)]));
  t.equal(spec.iv.length + spec.macKey.length, 0);
  t.end();
});

t.test("deriveSpec() takes other letters for the other direction", (t) => {
  const source = { hash: "sha256", sharedSecret, exchangeHash, sessionId } as const;
  for (const [direction, letters] of [
    ["clientToServer", "ACE"],
    ["serverToClient", "BDF"],
  ] as const) {
    const spec = deriveSpec(source, direction, "aes256-ctr", "hmac-sha2-256");
    t.same(Buffer.from(spec.iv), sha(letters.charAt(0), sessionId).subarray(0, 16));
    t.same(Buffer.from(spec.key), sha(letters.charAt(1), sessionId));
    t.same(Buffer.from(spec.macKey), sha(letters.charAt(2), sessionId));
    wipeSpec(spec);
    t.ok([...spec.iv, ...spec.key, ...spec.macKey].every((byte) => byte === 0));
  }
  t.end();
});
