// RFC 4253 section 9, RFC 4344 section 3.
import t from "tap";
import { isSpent, maxBytesPerKey } from "../../../session/ssh/rekey-limit.ts";

t.test("isSpent() never asks for new keys before the first packet", (t) => {
  t.notOk(isSpent({ bytes: 0, packets: 0 }, 0));
  t.ok(isSpent({ bytes: 16, packets: 1 }, 16));
  t.end();
});

t.test("isSpent() ends a key after 2^31 packets, however small", (t) => {
  t.notOk(isSpent({ bytes: 1, packets: 2 ** 31 - 1 }, Infinity));
  t.ok(isSpent({ bytes: 1, packets: 2 ** 31 }, Infinity));
  t.end();
});

t.test("maxBytesPerKey() is OpenSSH's, and a RekeyLimit only lowers it", (t) => {
  const none = { bytes: 0, seconds: 0 };
  t.equal(maxBytesPerKey("aes128-gcm@openssh.com", none), 2 ** 36);
  t.equal(maxBytesPerKey("chacha20-poly1305@openssh.com", none), 2 ** 30);
  t.equal(maxBytesPerKey("aes256-ctr", { bytes: 1000, seconds: 0 }), 1000);
  t.equal(maxBytesPerKey("chacha20-poly1305@openssh.com", { bytes: 2 ** 40, seconds: 0 }), 2 ** 30);
  t.end();
});
