import t from "tap";
import { algorithmList } from "../../config/algorithms.ts";
import { printTypeOfService, typeOfService } from "../../config/ip-qos.ts";
import { listenAddress } from "../../config/listen-address.ts";
import { integer, port, rekeyLimit, seconds, startupLimits, yesNo } from "../../config/values.ts";

t.test("seconds() refuses what is no sequence of N[smhdw], quickly", (t) => {
  for (const word of ["", "x", "1x", "1h-", "s", "1.5h", "-1", "99999999999", "none"])
    t.throws(() => seconds(word), RangeError, word);
  t.throws(() => seconds(`${"1".repeat(100_000)}x`), RangeError);
  t.end();
});

t.test("seconds() adds the parts up", (t) => {
  t.equal(seconds("0"), 0);
  t.equal(seconds("90"), 90);
  t.equal(seconds("1h30m"), 5400);
  t.equal(seconds("1W1D1H1M1S"), 694_861);
  t.end();
});

t.test("integer(), port() and yesNo() refuse in sshd's words", (t) => {
  t.throws(() => integer(""), new RangeError("integer value missing."));
  t.throws(() => integer("abc"), new RangeError("integer value invalid."));
  t.throws(() => integer("-1"), new RangeError("integer value invalid."));
  t.throws(() => integer("99999999999"), new RangeError("integer value too large."));
  for (const word of ["", "x", "65536", "-1", "22x", "0x16"])
    t.throws(() => port(word), new RangeError("Badly formatted port number."), word);
  t.throws(() => yesNo("maybe"), new RangeError('unsupported option "maybe".'));
  t.equal(yesNo("YES"), true);
  t.end();
});

t.test("startupLimits() refuses limits that make no sense", (t) => {
  for (const word of ["0", "1:2", "x", "10:0:20", "10:101:20", "10:30:9", "-1", "1:2:3:4"])
    t.throws(() => startupLimits(word), RangeError, word);
  t.strictSame(startupLimits("5"), { begin: 5, rate: 30, full: 5 });
  t.strictSame(startupLimits("10:30:100"), { begin: 10, rate: 30, full: 100 });
  t.end();
});

t.test("rekeyLimit() refuses small and wrong amounts", (t) => {
  for (const word of ["1", "15", "1x", "x", "-1G", "999999999999999T"])
    t.throws(() => rekeyLimit(word), RangeError, word);
  t.strictSame(rekeyLimit("default", "none"), { bytes: 0, seconds: 0 });
  t.strictSame(rekeyLimit("1K", "1h"), { bytes: 1024, seconds: 3600 });
  t.strictSame(rekeyLimit("4G"), { bytes: 4 * 2 ** 30, seconds: 0 });
  t.end();
});

t.test("listenAddress() refuses names, and what is no address", (t) => {
  for (const word of [
    "example.org",
    "1.2.3.4:22:33",
    "999.1.1.1",
    "[::1",
    "[::1]x",
    "1.2.3.4:99999",
    "*",
    ":22",
  ])
    t.throws(() => listenAddress(word), RangeError, word);
  t.strictSame(listenAddress("[::1]:2200"), [{ address: "::1", port: 2200 }]);
  t.strictSame(listenAddress("fe80::1"), [{ address: "fe80::1" }]);
  t.strictSame(listenAddress("10.0.0.1:23"), [{ address: "10.0.0.1", port: 23 }]);
  t.strictSame(listenAddress("localhost"), [{ address: "127.0.0.1" }, { address: "::1" }]);
  t.end();
});

t.test("typeOfService() refuses unknown names, and prints what it reads", (t) => {
  for (const word of ["foo", "0x100", "256", "-1", "", "constructor"])
    t.throws(() => typeOfService(word), RangeError, word);
  for (const word of ["ef", "cs0", "af21", "lowdelay", "none", "0x21"])
    t.equal(printTypeOfService(typeOfService(word)), word);
  t.end();
});

t.test("algorithmList() names what is not implemented", (t) => {
  t.throws(
    () => algorithmList("cipher", "aes128-cbc,aes256-ctr"),
    /Bad SSH2 cipher spec 'aes128-cbc,aes256-ctr': aes128-cbc/,
  );
  t.throws(
    () => algorithmList("mac", "+umac-64@openssh.com"),
    /Bad SSH2 mac spec '\+umac-64@openssh.com'/,
  );
  t.throws(() => algorithmList("kex", "^diffie-hellman-group14-sha256"), /Bad SSH2 KexAlgorithms/);
  t.throws(() => algorithmList("pubkey", "+ssh-rsa"), /Bad key types '\+ssh-rsa': ssh-rsa/);
  t.end();
});

t.test("algorithmList() refuses a list with nothing left or an empty name", (t) => {
  for (const list of ["-*", "nothing*", "", "+", "aes128-ctr,", "-"])
    t.throws(() => algorithmList("cipher", list), RangeError, list);
  t.end();
});

t.test("algorithmList() adds, prefers, takes away and expands", (t) => {
  t.strictSame(algorithmList("mac", "+hmac-sha1").at(-1), "hmac-sha1");
  t.notOk(algorithmList("mac", "+nothing*").includes("hmac-sha1"));
  t.equal(algorithmList("cipher", "^aes256-ctr")[0], "aes256-ctr");
  t.equal(new Set(algorithmList("cipher", "^aes256-ctr")).size, 6);
  t.strictSame(algorithmList("cipher", "-aes*,3des-cbc"), ["chacha20-poly1305@openssh.com"]);
  t.strictSame(algorithmList("hostKey", "ecdsa-*384,ssh-ed25519"), [
    "ecdsa-sha2-nistp384",
    "ssh-ed25519",
  ]);
  t.end();
});
