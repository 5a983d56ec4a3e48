import t, { type Test } from "tap";
import { PeerFault } from "../../ipc/peer-fault.ts";
import {
  describeKey,
  fingerprint,
  parsePublicKey,
  signatureAlgorithms,
} from "../../ipc/public-key.ts";
import { makeKey, sshKeygen, string, temporaryFolder } from "../support/ssh-keys.ts";

const folder = temporaryFolder(t);
const pairs = {
  ed25519: makeKey(folder, "ed25519"),
  nistp256: makeKey(folder, "ecdsa", "-b", "256"),
  nistp384: makeKey(folder, "ecdsa", "-b", "384"),
  nistp521: makeKey(folder, "ecdsa", "-b", "521"),
  rsa: makeKey(folder, "rsa", "-b", "2048"),
};
const number = (bytes: number[] | Uint8Array): Buffer => string(Uint8Array.from(bytes));
const ones = (length: number): Uint8Array => new Uint8Array(length).fill(0xff);
const rsa = (e: Buffer, n: Buffer): Buffer => Buffer.concat([string("ssh-rsa"), e, n]);
const e65537 = number([1, 0, 1]);
/** A positive odd number of `bits` bits. */
const modulus = (bits: number): Buffer => {
  const first = bits % 8 === 0 ? [0, 0xff] : [2 ** (bits % 8) - 1];
  return number([...first, ...ones(Math.ceil(bits / 8) - 1)]);
};

function refuses(t: Test, blob: Uint8Array, code?: string): void {
  try {
    parsePublicKey(blob);
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
    if (code !== undefined) t.equal(error.code, code);
    else t.pass(error.message);
    return;
  }
  t.fail("it was taken");
}

t.test("parsePublicKey() refuses every shortened blob, and one byte more", (t) => {
  for (const { blob } of Object.values(pairs)) {
    for (let length = 0; length < blob.length; length += 1) {
      try {
        parsePublicKey(blob.subarray(0, length));
        t.fail(`${length} of ${blob.length} bytes were taken`);
      } catch (error) {
        if (!(error instanceof PeerFault)) throw error;
      }
    }
    refuses(t, Buffer.concat([blob, Uint8Array.of(0)]), "TRAILING_BYTES");
  }
  t.end();
});

t.test("parsePublicKey() refuses types that are not on its list", (t) => {
  const { blob } = pairs.ed25519;
  for (const type of [
    "",
    "ssh-dss",
    "ssh-ed448",
    "ssh-ed25519 ",
    "SSH-ED25519",
    "ssh-ed25519-cert-v01@openssh.com",
    "ssh-rsa-cert-v01@openssh.com",
    "rsa-sha2-256",
    "constructor",
    "__proto__",
    "toString",
  ])
    refuses(t, Buffer.concat([string(type), blob.subarray(15)]), "MALFORMED");
  refuses(t, string("x".repeat(65)), "OUT_OF_BOUNDS");
  refuses(t, Uint8Array.of(0xff, 0xff, 0xff, 0xff), "OUT_OF_BOUNDS");
  t.end();
});

t.test("parsePublicKey() refuses an Ed25519 point of 31 or 33 bytes (CVE-2020-9283)", (t) => {
  for (const type of ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"])
    for (const length of [0, 31, 33])
      refuses(t, Buffer.concat([string(type), string(ones(length)), string("ssh:")]));
  t.end();
});

t.test("parsePublicKey() refuses points that are not on the named curve", (t) => {
  const curves = { nistp256: 32, nistp384: 48, nistp521: 66 };
  for (const [curve, width] of Object.entries(curves)) {
    const key = (point: Uint8Array, named = curve): Buffer =>
      Buffer.concat([string(`ecdsa-sha2-${curve}`), string(named), string(point)]);
    const off = Uint8Array.from([4, ...new Uint8Array(2 * width).fill(1)]);
    refuses(t, key(off), "MALFORMED");
    refuses(t, key(Uint8Array.from([4, ...new Uint8Array(2 * width)])), "MALFORMED");
    refuses(t, key(Uint8Array.from([4, ...ones(2 * width)])), "MALFORMED");
    refuses(t, key(Uint8Array.of(0)), "MALFORMED"); // infinity
    refuses(t, key(Uint8Array.from([2, ...new Uint8Array(width).fill(1)])), "MALFORMED"); // compressed
    refuses(t, key(off, curve === "nistp256" ? "nistp384" : "nistp256"), "MALFORMED");
  }
  t.end();
});

t.test("parsePublicKey() refuses RSA numbers out of its bounds before OpenSSL sees them", (t) => {
  t.equal(parsePublicKey(rsa(e65537, modulus(1024))).modulusBits, 1024, "the least is taken");
  t.equal(parsePublicKey(rsa(e65537, modulus(16_384))).modulusBits, 16_384, "the most is taken");
  t.equal(parsePublicKey(rsa(number([3]), modulus(2041))).modulusBits, 2041);
  for (const bits of [8, 512, 1016, 1023, 16_385, 16_391])
    refuses(t, rsa(e65537, modulus(bits)), "MALFORMED");
  refuses(t, rsa(e65537, number(ones(2 ** 16))), "OUT_OF_BOUNDS"); // CVE-2026-39829
  refuses(t, rsa(number([0, ...ones(8192)]), modulus(2048)), "OUT_OF_BOUNDS");
  refuses(t, rsa(number([]), modulus(2048)), "MALFORMED");
  refuses(t, rsa(number([0]), modulus(2048)), "MALFORMED");
  refuses(t, rsa(number([1]), modulus(2048)), "MALFORMED");
  refuses(t, rsa(number([4]), modulus(2048)), "MALFORMED");
  refuses(t, rsa(number([0xff]), modulus(2048)), "MALFORMED"); // negative
  refuses(t, rsa(number([0, 3]), modulus(2048)), "MALFORMED"); // a needless zero
  refuses(t, rsa(e65537, number([0xff, ...ones(255)])), "MALFORMED");
  refuses(t, rsa(e65537, number([0x7f, ...ones(254), 0xfe])), "MALFORMED"); // even
  t.end();
});

t.test("parsePublicKey() refuses an application of more than 256 bytes, and none", (t) => {
  const point = pairs.ed25519.blob.subarray(-32);
  const key = (...more: Buffer[]): Buffer =>
    Buffer.concat([string("sk-ssh-ed25519@openssh.com"), string(point), ...more]);
  refuses(t, key(), "TRUNCATED");
  refuses(t, key(string("x".repeat(257))), "OUT_OF_BOUNDS");
  t.same(Buffer.from(parsePublicKey(key(string("ssh:"))).application), Buffer.from("ssh:"));
  t.end();
});

t.test("parsePublicKey() takes ssh-keygen's keys, and describes them as ssh-keygen does", (t) => {
  for (const { path, blob } of Object.values(pairs)) {
    const words = sshKeygen(["-l", "-f", `${path}.pub`])
      .trim()
      .split(" ");
    const [bits = "", seen = ""] = words;
    const kind = words.at(-1) ?? "";
    const key = parsePublicKey(blob);
    t.equal(fingerprint(blob), seen);
    t.equal(describeKey(key), `${/\((.*)\)/.exec(kind)?.[1] ?? ""} ${seen}`);
    t.equal(key.modulusBits, key.type === "ssh-rsa" ? Number(bits) : 0);
  }
  t.end();
});

t.test("describeKey() names security keys as sshd does", (t) => {
  const ed25519 = Buffer.concat([
    string("sk-ssh-ed25519@openssh.com"),
    pairs.ed25519.blob.subarray(15),
    string("ssh:"),
  ]);
  const ecdsa = Buffer.concat([
    string("sk-ecdsa-sha2-nistp256@openssh.com"),
    pairs.nistp256.blob.subarray(23),
    string("ssh:"),
  ]);
  t.match(describeKey(parsePublicKey(ed25519)), /^ED25519-SK SHA256:/);
  t.match(describeKey(parsePublicKey(ecdsa)), /^ECDSA-SK SHA256:/);
  t.end();
});

t.test("signatureAlgorithms has no SHA-1 and no certificates", (t) => {
  const all = Object.values(signatureAlgorithms).flat();
  t.notOk(all.includes("ssh-rsa"));
  t.notOk(all.some((name) => name.includes("cert")));
  t.end();
});
