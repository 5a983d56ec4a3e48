// A second, independent opinion on what proves who somebody is: read from the bytes that were sent, with none of the server's code.
import { createHash } from "node:crypto";
import type { LabKey } from "../../lab/lab-key.ts";

/** Who may log in, with one key and no other. */
export interface Account {
  readonly user: string;
  readonly key: LabKey;
}

/** Strings of RFC 4251 section 5, one after the other; throws RangeError at the end. */
class Fields {
  readonly #bytes: Buffer;
  at = 1;
  constructor(payload: Uint8Array) {
    this.#bytes = Buffer.from(payload);
  }
  string(): Buffer {
    const length = this.#bytes.readUInt32BE(this.at);
    const end = this.at + 4 + length;
    if (end > this.#bytes.length) throw new RangeError("Cannot read string: it is cut off");
    const found = this.#bytes.subarray(this.at + 4, end);
    this.at = end;
    return found;
  }
  byte(): number {
    const found = this.#bytes.readUInt8(this.at);
    this.at += 1;
    return found;
  }
  get isDone(): boolean {
    return this.at === this.#bytes.length;
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 4252 section 7, OpenSSH PROTOCOL section 3.1: this USERAUTH_REQUEST is signed by the account's key, over this session, for this user. */
export function isCredential(
  payload: Uint8Array,
  { user, key }: Account,
  sessionId: Uint8Array,
  hostKey: Uint8Array,
): boolean {
  const fields = new Fields(payload);
  try {
    if (payload[0] !== 50 || fields.string().toString("latin1") !== user) return false;
    if (fields.string().toString("latin1") !== "ssh-connection") return false;
    const method = fields.string().toString("latin1");
    const isBound = method === "publickey-hostbound-v00@openssh.com";
    if ((method !== "publickey" && !isBound) || fields.byte() === 0) return false;
    if (fields.string().toString("latin1") !== "ssh-ed25519") return false;
    if (!fields.string().equals(key.blob)) return false;
    if (isBound && !fields.string().equals(hostKey)) return false;
    const signed = Buffer.concat([uint32(sessionId.length), sessionId, payload.subarray(0, fields.at)]); // prettier-ignore
    // Ed25519 signs the same way each time, and who has not the key can make no other.
    return fields.string().equals(key.sign(signed)) && fields.isDone;
  } catch {
    return false;
  }
}

/** The password stands where a password belongs and nowhere else: RFC 4252 section 8. */
export function isPasswordInPlace(payload: Uint8Array, password: string): boolean {
  const fields = new Fields(payload);
  try {
    if (payload[0] !== 50) return false;
    for (let i = 0; i < 2; i += 1) if (fields.string().includes(password)) return false;
    return fields.string().toString("latin1") === "password";
  } catch {
    return false;
  }
}

/** Tells secrets apart in a report without telling them. */
export const digestOf = (secret: string): string =>
  createHash("sha256").update(secret).digest("hex").slice(0, 8);
