import t from "tap";
import { answer, type Signature } from "../../../daemon/signer/answer.ts";
import { loadHostKey, type HostKey } from "../../../daemon/signer/host-key.ts";
import type { SignatureRequest } from "../../../ipc/signer.ts";
import { parsePublicKey } from "../../../ipc/public-key.ts";
import { verifySignature } from "../../../ipc/signature.ts";
import { makeKey, string, temporaryFolder } from "../../support/ssh-keys.ts";
import { composed, parts, type Parts } from "./parts.ts";

const folder = temporaryFolder(t);
function hostKey(kind: string, ...more: string[]): HostKey {
  const loaded = loadHostKey(makeKey(folder, kind, ...more).path);
  if ("errors" in loaded) throw new Error(loaded.errors.join("\n"));
  return loaded;
}
const ed25519 = hostKey("ed25519");
const rsa = hostKey("rsa", "-b", "2048");
const keys = [
  rsa,
  ed25519,
  hostKey("ecdsa", "-b", "256"),
  hostKey("ecdsa", "-b", "384"),
  hostKey("ecdsa", "-b", "521"),
];
const exchange = (changes: Partial<Parts> = {}): Signature =>
  answer(keys, { name: "exchange", id: 1, body: { ...parts, ...changes } });
type Proof = Extract<SignatureRequest, { name: "proof" }>["body"];
const proof = (body: Proof): Signature => answer(keys, { name: "proof", id: 1, body });
const sessionId = new Uint8Array(32).fill(7);

t.test(
  "answer() refuses a key exchange that it does not know, also by names of object prototypes",
  (t) => {
    for (const kex of [
      "",
      "diffie-hellman-group1-sha1",
      "curve25519-sha256 ",
      "constructor",
      "toString",
      "__proto__",
      "hasOwnProperty",
      "\u0000".repeat(64),
    ])
      t.throws(() => exchange({ kex }), RangeError);
    t.end();
  },
);

t.test("answer() refuses an algorithm that no key of its own serves", (t) => {
  for (const hostKeyAlgorithm of ["", "ssh-rsa", "ssh-dss", "constructor", "ssh-ed448"])
    t.throws(() => exchange({ hostKeyAlgorithm }), RangeError);
  t.throws(
    () => answer([rsa], { name: "exchange", id: 1, body: parts }),
    RangeError,
    "and one that another server's key would",
  );
  t.throws(() => answer([], { name: "exchange", id: 1, body: parts }), RangeError);
  t.end();
});

t.test("answer() refuses parts that do not begin as they must", (t) => {
  const refused: Partial<Parts>[] = [
    { clientVersion: new Uint8Array() },
    { clientVersion: Buffer.from("SSH") },
    { clientVersion: sessionId },
    { serverVersion: Buffer.from("ssh-2.0-x") },
    { clientKexInit: new Uint8Array() },
    { clientKexInit: Uint8Array.of(50) },
    { serverKexInit: Uint8Array.of(21) },
    { sharedSecret: new Uint8Array() },
  ];
  for (const changes of refused) t.throws(() => exchange(changes), RangeError);
  t.end();
});

t.test(
  "answer() refuses a proof for a key that is not its own, or by an algorithm of another",
  (t) => {
    const strange = hostKey("ed25519", "-a", "2").blob;
    const algorithm = "ssh-ed25519";
    t.throws(() => proof({ blob: strange, algorithm, sessionId }), RangeError);
    t.throws(() => proof({ blob: new Uint8Array(), algorithm, sessionId }), RangeError);
    for (const other of ["rsa-sha2-512", "ssh-rsa", "", "constructor", "ecdsa-sha2-nistp256"])
      t.throws(() => proof({ blob: ed25519.blob, algorithm: other, sessionId }), RangeError);
    t.throws(() => proof({ blob: rsa.blob, algorithm: "ssh-rsa", sessionId }), RangeError);
    t.end();
  },
);

t.test("answer() refuses a proof over what is no session id", (t) => {
  for (const length of [0, 1, 20, 31, 33, 63])
    t.throws(
      () =>
        proof({ blob: ed25519.blob, algorithm: "ssh-ed25519", sessionId: new Uint8Array(length) }),
      RangeError,
    );
  t.end();
});

t.test("answer() signs the exchange hash that it composed, with the key of the algorithm", (t) => {
  const hashes = {
    "mlkem768x25519-sha256": "sha256",
    "curve25519-sha256": "sha256",
    "curve25519-sha256@libssh.org": "sha256",
    "ecdh-sha2-nistp256": "sha256",
    "ecdh-sha2-nistp384": "sha384",
    "ecdh-sha2-nistp521": "sha512",
  };
  for (const key of keys) {
    for (const hostKeyAlgorithm of key.algorithms) {
      for (const [kex, hash] of Object.entries(hashes)) {
        const body = { ...parts, kex, hostKeyAlgorithm };
        const { exchangeHash, signature } = exchange(body);
        t.same(Buffer.from(exchangeHash), composed(hash, body, key.blob));
        const verified = verifySignature(
          parsePublicKey(key.blob),
          hostKeyAlgorithm,
          signature,
          exchangeHash,
        );
        t.same(verified, {}, `${kex} ${hostKeyAlgorithm}`);
      }
    }
  }
  t.end();
});

t.test("answer() composes another hash when any part is another", (t) => {
  const seen = new Set([Buffer.from(exchange().exchangeHash).toString("hex")]);
  const changed: Partial<Parts>[] = [
    { clientVersion: Buffer.from("SSH-2.0-x") },
    { serverVersion: Buffer.from("SSH-2.0-x") },
    { clientKexInit: Uint8Array.of(20, 1) },
    { serverKexInit: Uint8Array.of(20, 2) },
    { clientPublic: new Uint8Array(31) },
    { serverPublic: new Uint8Array(31) },
    { sharedSecret: Uint8Array.of(1) },
  ];
  for (const changes of changed)
    seen.add(Buffer.from(exchange(changes).exchangeHash).toString("hex"));
  t.equal(seen.size, changed.length + 1);
  t.end();
});

t.test("answer() proves a host key over the session id, in OpenSSH's form", (t) => {
  for (const key of keys) {
    for (const algorithm of key.algorithms) {
      const { exchangeHash, signature } = proof({ blob: key.blob, algorithm, sessionId });
      t.equal(exchangeHash.length, 0);
      const signed = Buffer.concat([
        string("hostkeys-prove-00@openssh.com"),
        string(sessionId),
        string(key.blob),
      ]);
      t.same(verifySignature(parsePublicKey(key.blob), algorithm, signature, signed), {});
    }
  }
  t.end();
});
