// Ed25519 keys of the lab, the same on every machine and every day: a script that solves an exercise solves it for ever.
import { createHash, createPrivateKey, sign, type KeyObject } from "node:crypto";
import { FieldWriter } from "../ipc/fields.ts";

const algorithm = Buffer.from("ssh-ed25519");
/** PKCS #8 (RFC 8410) in front of a 32-byte seed. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** Signatures kept for a key. */
const maxSigned = 20_000;

/** SSH strings one after the other (RFC 4251 section 5). */
function strings(...values: readonly Uint8Array[]): Uint8Array {
  const writer = new FieldWriter();
  for (const value of values) writer.bytes(value);
  return writer.finish().slice();
}

export class LabKey {
  readonly name: string;
  readonly blob: Uint8Array;
  readonly seed: Uint8Array;
  readonly #privateKey: KeyObject;
  readonly #signed = new Map<string, Uint8Array>();

  /** From 32 secret bytes; without them from its name, so that everybody has it. */
  constructor(name: string, secret?: Uint8Array) {
    this.name = name;
    this.seed = secret ?? createHash("sha256").update(`sallyport lab key ${name}`).digest();
    const key = Buffer.concat([pkcs8Prefix, this.seed]);
    this.#privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
    const { x = "" } = this.#privateKey.export({ format: "jwk" });
    this.blob = strings(algorithm, Buffer.from(x, "base64url"));
  }

  /** As in authorized_keys. */
  line(options = ""): string {
    const base64 = Buffer.from(this.blob).toString("base64");
    return `${options === "" ? "" : `${options} `}ssh-ed25519 ${base64} ${this.name}\n`;
  }

  /** As ssh-keygen writes it without a passphrase (OpenSSH's PROTOCOL.key). */
  privateKeyFile(): string {
    const none = Buffer.from("none");
    const empty = new Uint8Array();
    const u32 = (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    };
    const point = this.blob.subarray(-32);
    const secret = strings(algorithm, point, Buffer.concat([this.seed, point]), Buffer.from(this.name)); // prettier-ignore
    // The two numbers tell a right passphrase from a wrong one; then 1, 2, 3... up to a whole block.
    const checked = Buffer.concat([u32(1), u32(1), secret]);
    const padding = Uint8Array.from({ length: -checked.length & 7 }, (_none, i) => i + 1);
    const all = Buffer.concat([
      Buffer.from("openssh-key-v1\0"),
      strings(none, none, empty),
      u32(1),
      strings(this.blob, Buffer.concat([checked, padding])),
    ]);
    const lines = all.toString("base64").replace(/.{70}/g, "$&\n");
    return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
  }

  /** A signature blob (RFC 4253 section 6.6) that says it is of `named`. Ed25519 gives the same for the same: made once, and kept. */
  sign(data: Uint8Array, named = "ssh-ed25519"): Uint8Array {
    const what = `${named} ${Buffer.from(data.buffer, data.byteOffset, data.length).toString("latin1")}`;
    const known = this.#signed.get(what);
    if (known !== undefined) return known;
    const signature = strings(Buffer.from(named), sign(null, data, this.#privateKey));
    if (this.#signed.size >= maxSigned) this.#signed.clear();
    this.#signed.set(what, signature);
    return signature;
  }
}
