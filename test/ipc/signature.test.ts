import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import t from "tap";
import { parsePublicKey, type PublicKey } from "../../ipc/public-key.ts";
import { verifySignature } from "../../ipc/signature.ts";
import { makeKey, sshKeygen, string, temporaryFolder } from "../support/ssh-keys.ts";

const folder = temporaryFolder(t);
const data = Buffer.from("what was signed");
const sha = (hash: string, bytes: Uint8Array): Buffer => createHash(hash).update(bytes).digest();

/** The content of an SSH string at `at`, and where it ends. */
function read(bytes: Buffer, at: number): [Buffer, number] {
  const end = at + 4 + bytes.readUInt32BE(at);
  return [bytes.subarray(at + 4, end), end];
}
/** A signature by ssh-keygen -Y (PROTOCOL.sshsig): the blob, and what it is over. */
function sshsig(path: string): { signature: Buffer; signed: Buffer } {
  const file = `${path}.message`; // one a key: ssh-keygen does not overwrite
  writeFileSync(file, data);
  sshKeygen(["-q", "-Y", "sign", "-n", "test", "-O", "hashalg=sha512", "-f", path, file]);
  const armored = readFileSync(`${file}.sig`, "latin1");
  const bytes = Buffer.from(armored.replaceAll(/-----[^-]*-----/g, ""), "base64");
  let at = "SSHSIG".length + 4;
  for (let skipped = 0; skipped < 4; skipped += 1) [, at] = read(bytes, at); // key, namespace, reserved, hash
  const signed = Buffer.concat([
    Buffer.from("SSHSIG"),
    string("test"),
    string(""),
    string("sha512"),
    string(sha("sha512", data)),
  ]);
  return { signature: read(bytes, at)[0], signed };
}

const made = {
  "ssh-ed25519": makeKey(folder, "ed25519"),
  "ecdsa-sha2-nistp256": makeKey(folder, "ecdsa", "-b", "256"),
  "ecdsa-sha2-nistp384": makeKey(folder, "ecdsa", "-b", "384"),
  "ecdsa-sha2-nistp521": makeKey(folder, "ecdsa", "-b", "521"),
  "rsa-sha2-512": makeKey(folder, "rsa", "-b", "2048"),
};
const cases = Object.entries(made).map(([algorithm, { path, blob }]) => ({
  algorithm,
  key: parsePublicKey(blob),
  ...sshsig(path),
}));

t.test("verifySignature() refuses a signature with any one byte changed", (t) => {
  for (const { algorithm, key, signature, signed } of cases) {
    for (let at = 0; at < signature.length; at += 1) {
      const changed = Buffer.from(signature);
      changed.writeUInt8(signature.readUInt8(at) ^ 0x01, at);
      if (verifySignature(key, algorithm, changed, signed) !== null)
        t.fail(`${algorithm}: byte ${at}`);
    }
    t.equal(verifySignature(key, algorithm, signature, Buffer.from("other data")), null);
  }
  t.end();
});

t.test("verifySignature() refuses a signature cut anywhere, and one byte more", (t) => {
  for (const { algorithm, key, signature, signed } of cases) {
    for (let length = 0; length < signature.length; length += 1)
      if (verifySignature(key, algorithm, signature.subarray(0, length), signed) !== null)
        t.fail(`${algorithm}: ${length} bytes`);
    const longer = Buffer.concat([signature, Uint8Array.of(0)]);
    t.equal(verifySignature(key, algorithm, longer, signed), null);
  }
  t.end();
});

t.test("verifySignature() refuses another key's signature and another algorithm's name", (t) => {
  for (const { algorithm, signature, signed } of cases) {
    for (const other of cases) {
      if (other.algorithm === algorithm) continue;
      t.equal(verifySignature(other.key, algorithm, signature, signed), null);
      t.equal(verifySignature(other.key, other.algorithm, signature, signed), null);
    }
  }
  t.end();
});

t.test("verifySignature() takes what ssh-keygen signs", (t) => {
  for (const { algorithm, key, signature, signed } of cases)
    t.same(verifySignature(key, algorithm, signature, signed), {});
  t.end();
});

t.test(
  "verifySignature() refuses a signature by an announced algorithm that is not its own",
  (t) => {
    const rsa = cases.find(({ key }) => key.type === "ssh-rsa");
    if (rsa === undefined) throw new Error("no RSA key");
    for (const name of ["rsa-sha2-256", "ssh-rsa", "ssh-ed25519", "constructor", ""])
      t.equal(verifySignature(rsa.key, name, rsa.signature, rsa.signed), null);
    t.end();
  },
);

t.test("verifySignature() refuses RSA with SHA-1, also under another name", (t) => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const modulus = Buffer.concat([Uint8Array.of(0), Buffer.from(n, "base64url")]);
  const key = parsePublicKey(
    Buffer.concat([string("ssh-rsa"), string(Buffer.from(e, "base64url")), string(modulus)]),
  );
  const raw = sign("sha1", data, privateKey);
  for (const name of ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"])
    t.equal(verifySignature(key, name, Buffer.concat([string(name), string(raw)]), data), null);
  t.end();
});

t.test("verifySignature() takes an RSA signature whose leading zeros were left out", (t) => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const modulus = Buffer.concat([Uint8Array.of(0), Buffer.from(n, "base64url")]);
  const key = parsePublicKey(
    Buffer.concat([string("ssh-rsa"), string(Buffer.from(e, "base64url")), string(modulus)]),
  );
  for (let i = 0; ; i += 1) {
    const text = Buffer.from(`message ${i}`);
    const raw = sign("sha256", text, privateKey);
    if (raw[0] !== 0) continue;
    const blob = Buffer.concat([string("rsa-sha2-256"), string(raw.subarray(1))]);
    t.same(verifySignature(key, "rsa-sha2-256", blob, text), {});
    break;
  }
  t.end();
});

t.test("verifySignature() refuses ECDSA numbers that are zero, negative or too long", (t) => {
  const nistp256 = cases.find(({ algorithm }) => algorithm === "ecdsa-sha2-nistp256");
  if (nistp256 === undefined) throw new Error("no ECDSA key");
  const one = string(Uint8Array.of(1));
  const bad = [
    string(""),
    string(Uint8Array.of(0)),
    string(Uint8Array.of(0xff)),
    string(new Uint8Array(33).fill(1)),
    string(new Uint8Array(34)),
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
  ];
  for (const number of bad) {
    for (const pair of [Buffer.concat([number, one]), Buffer.concat([one, number])]) {
      const blob = Buffer.concat([string(nistp256.algorithm), string(pair)]);
      t.equal(verifySignature(nistp256.key, nistp256.algorithm, blob, data), null);
    }
  }
  t.end();
});

/** A security key in software: signs as PROTOCOL.u2f says. */
class SecurityKey {
  readonly key: PublicKey;
  readonly #private: KeyObject;
  readonly #isEcdsa: boolean;

  constructor(kind: "ed25519" | "ecdsa", application = "ssh:") {
    this.#isEcdsa = kind === "ecdsa";
    const pair =
      kind === "ecdsa"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("ed25519");
    this.#private = pair.privateKey;
    const { x = "", y = "" } = pair.publicKey.export({ format: "jwk" });
    const point = Buffer.from(x, "base64url");
    this.key = parsePublicKey(
      this.#isEcdsa
        ? Buffer.concat([
            string("sk-ecdsa-sha2-nistp256@openssh.com"),
            string("nistp256"),
            string(Buffer.concat([Uint8Array.of(4), point, Buffer.from(y, "base64url")])),
            string(application),
          ])
        : Buffer.concat([string("sk-ssh-ed25519@openssh.com"), string(point), string(application)]),
    );
  }

  sign(message: Uint8Array, flags: number, counter: number, application = "ssh:"): Buffer {
    const tail = Buffer.alloc(5);
    tail.writeUInt8(flags, 0);
    tail.writeUInt32BE(counter, 1);
    const signed = Buffer.concat([
      sha("sha256", Buffer.from(application)),
      tail,
      sha("sha256", message),
    ]);
    const raw = this.#isEcdsa
      ? sign("sha256", signed, { key: this.#private, dsaEncoding: "ieee-p1363" })
      : sign(null, signed, this.#private);
    const mpint = (bytes: Buffer): Buffer => {
      const start = bytes.findIndex((byte) => byte !== 0);
      const magnitude = bytes.subarray(start);
      return string(
        magnitude.readUInt8(0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), magnitude]) : magnitude,
      );
    };
    const content = this.#isEcdsa
      ? Buffer.concat([mpint(raw.subarray(0, 32)), mpint(raw.subarray(32))])
      : raw;
    return Buffer.concat([string(this.key.type), string(content), tail]);
  }
}

for (const kind of ["ed25519", "ecdsa"] as const) {
  t.test(
    `verifySignature() refuses a security key's (${kind}) changed flags, counter and application`,
    (t) => {
      const token = new SecurityKey(kind);
      const { type } = token.key;
      const signature = token.sign(data, 0x01, 7);
      for (let back = 1; back <= 5; back += 1) {
        const changed = Buffer.from(signature);
        const at = changed.length - back;
        changed.writeUInt8(changed.readUInt8(at) ^ 0x04, at);
        t.equal(verifySignature(token.key, type, changed, data), null);
      }
      t.equal(verifySignature(token.key, type, token.sign(data, 1, 7, "ssh:other"), data), null);
      t.equal(verifySignature(token.key, type, signature.subarray(0, -5), data), null, "no flags");
      t.equal(verifySignature(token.key, type, signature, Buffer.from("other")), null);
      t.end();
    },
  );

  t.test(
    `verifySignature() tells what a security key (${kind}) said: touch, verification, counter`,
    (t) => {
      const token = new SecurityKey(kind);
      const { type } = token.key;
      const said = (flags: number, counter: number) =>
        verifySignature(token.key, type, token.sign(data, flags, counter), data)?.securityKey;
      t.same(said(0x00, 0), { userPresent: false, userVerified: false, counter: 0 });
      t.same(said(0x01, 7), { userPresent: true, userVerified: false, counter: 7 });
      t.same(said(0x04, 1), { userPresent: false, userVerified: true, counter: 1 });
      t.same(said(0x05, 0xffff_ffff), {
        userPresent: true,
        userVerified: true,
        counter: 0xffff_ffff,
      });
      t.end();
    },
  );
}
