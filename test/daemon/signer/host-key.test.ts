import { generateKeyPairSync } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadHostKey, signWith } from "../../../daemon/signer/host-key.ts";
import { makeKey, sshKeygen, temporaryFolder } from "../../support/ssh-keys.ts";

const folder = temporaryFolder(t);
const errorsOf = (path: string): readonly string[] => {
  const loaded = loadHostKey(path);
  return "errors" in loaded ? loaded.errors : [];
};
/** A file that only its owner can read. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}
const bad = (path: string, why: string): string[] => [
  `Unable to load host key "${path}": ${why}`,
  `Unable to load host key: ${path}`,
];

t.test("loadHostKey() refuses a file that others can read, in sshd's words", (t) => {
  const { path } = makeKey(folder, "ed25519", "-a", "3");
  for (const mode of [0o640, 0o604, 0o620, 0o601, 0o644]) {
    chmodSync(path, mode);
    const errors = errorsOf(path);
    t.match(errors[1], /WARNING: UNPROTECTED PRIVATE KEY FILE!/);
    t.equal(errors[3], `Permissions 0${mode.toString(8)} for '${path}' are too open.`);
    t.same(errors.slice(-2), bad(path, "bad permissions"));
  }
  chmodSync(path, 0o400);
  t.same(errorsOf(path), []);
  t.end();
});

t.test("loadHostKey() refuses a file that is not there, a folder, and what is no key", (t) => {
  const absent = join(folder, "absent");
  t.same(errorsOf(absent), [`Unable to load host key: ${absent}`]);
  const inner = join(folder, "inner");
  mkdirSync(inner, { mode: 0o700 });
  t.equal(errorsOf(inner).length, 2);
  for (const [name, content] of Object.entries({
    empty: "",
    text: "not a key",
    halves: "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    nothing: "-----BEGIN OPENSSH PRIVATE KEY-----\n\n-----END OPENSSH PRIVATE KEY-----\n",
    wrongMagic: `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from("openssh-key-v2\0").toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`,
  })) {
    const path = file(name, content);
    t.same(errorsOf(path), bad(path, "invalid format"));
  }
  t.end();
});

t.test("loadHostKey() refuses a key cut anywhere", (t) => {
  for (const { path } of [
    makeKey(folder, "ed25519", "-a", "4"),
    makeKey(folder, "rsa", "-b", "1024"),
  ]) {
    const base64 = readFileSync(path, "latin1").replaceAll(/-----[^-]*-----/g, "");
    const bytes = Buffer.from(base64, "base64");
    for (let length = 0; length < bytes.length; length += 7) {
      const cut = bytes.subarray(0, length).toString("base64");
      const copy = file(
        "cut",
        `-----BEGIN OPENSSH PRIVATE KEY-----\n${cut}\n-----END OPENSSH PRIVATE KEY-----\n`,
      );
      if (errorsOf(copy).length === 0 && length < bytes.length - 64)
        t.fail(`${length} of ${bytes.length} bytes were taken`);
    }
  }
  t.end();
});

t.test("loadHostKey() refuses an encrypted key of either form as sshd does", (t) => {
  const path = join(folder, "encrypted");
  sshKeygen(["-q", "-t", "ed25519", "-N", "secret", "-C", "", "-f", path]);
  const why = "incorrect passphrase supplied to decrypt private key";
  t.same(errorsOf(path), bad(path, why));
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = file(
    "encrypted.pem",
    privateKey.export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "secret",
    }),
  );
  t.same(errorsOf(pem), bad(pem, why));
  t.end();
});

t.test("loadHostKey() refuses types that are no host keys here", (t) => {
  const made = {
    x25519: generateKeyPairSync("x25519"),
    ed448: generateKeyPairSync("ed448"),
    secp256k1: generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
  };
  for (const [name, { privateKey }] of Object.entries(made)) {
    const path = file(name, privateKey.export({ type: "pkcs8", format: "pem" }));
    t.equal(errorsOf(path).length, 2, name);
  }
  const small = generateKeyPairSync("rsa", { modulusLength: 768 }).privateKey;
  const path = file("small", small.export({ type: "pkcs1", format: "pem" }));
  t.same(errorsOf(path), bad(path, "invalid format"));
  t.end();
});

t.test("loadHostKey() never puts anything of the file into its errors", (t) => {
  const path = file("secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
  t.notMatch(errorsOf(path).join("\n"), /c2VjcmV0/);
  t.end();
});

t.test("loadHostKey() reads what ssh-keygen writes, in its own format, PKCS#8 and PEM", (t) => {
  const kinds = [
    ["ed25519"],
    ["ecdsa", "256"],
    ["ecdsa", "384"],
    ["ecdsa", "521"],
    ["rsa", "2048"],
  ];
  for (const [kind = "", bits] of kinds) {
    const { path, blob } = makeKey(folder, kind, ...(bits === undefined ? [] : ["-b", bits]));
    const copies = [path];
    // ssh-keygen itself writes Ed25519 in no other format.
    for (const format of kind === "ed25519" ? [] : ["PEM", "PKCS8"]) {
      const copy = `${path}.${format}`;
      copyFileSync(path, copy);
      sshKeygen(["-q", "-p", "-N", "", "-m", format, "-f", copy]);
      copies.push(copy);
    }
    for (const copy of copies) {
      const loaded = loadHostKey(copy);
      if ("errors" in loaded) throw new Error(loaded.errors.join("\n"));
      t.same(Buffer.from(loaded.blob), blob, copy);
    }
  }
  t.end();
});

t.test("signWith() refuses an algorithm that is not the key's", (t) => {
  const loaded = loadHostKey(makeKey(folder, "ed25519").path);
  if ("errors" in loaded) throw new Error(loaded.errors.join("\n"));
  for (const name of ["ecdsa-sha2-nistp256", "ssh-rsa", "constructor", ""])
    t.throws(() => signWith(loaded, name, new Uint8Array(32)), RangeError);
  t.end();
});
