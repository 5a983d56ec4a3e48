// SSH_MSG_EXT_INFO (RFC 8308).
import { PeerFault, quote } from "../../ipc/peer-fault.ts";
import { SSH_MSG_EXT_INFO } from "./message-numbers.ts";
import { WireReader, WireWriter } from "./wire.ts";

/** OpenSSH accepts 1024; no implementation sends ten. */
const maxExtensions = 128;

export function encodeExtInfo(extensions: readonly (readonly [string, string])[]): Uint8Array {
  const writer = new WireWriter(512).byte(SSH_MSG_EXT_INFO).uint32(extensions.length);
  for (const [name, value] of extensions) writer.string(name).string(value);
  return writer.finish();
}

/** What a server says after its first NEWKEYS. */
export const serverExtensions = (
  serverSigAlgs: readonly string[],
): (readonly [string, string])[] => [
  ["server-sig-algs", serverSigAlgs.join(",")],
  // OpenSSH PROTOCOL sections 1.9 and 3.1: versions, as text.
  ["publickey-hostbound@openssh.com", "0"],
  ["ping@openssh.com", "0"],
];

/** Reads a payload; values are copies. Throws PeerFault TRUNCATED, TRAILING_BYTES, OUT_OF_BOUNDS, MALFORMED (a name twice). */
export function decodeExtInfo(payload: Uint8Array): Map<string, Uint8Array> {
  const reader = new WireReader(payload, 1);
  const count = reader.uint32();
  if (count > maxExtensions) {
    throw new PeerFault(
      "OUT_OF_BOUNDS",
      `Cannot read EXT_INFO: ${count} extensions, limit is ${maxExtensions}`,
    );
  }
  const extensions = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i += 1) {
    const name = reader.name();
    if (extensions.has(name)) {
      throw new PeerFault("MALFORMED", `Cannot read EXT_INFO: ${quote(name)} comes twice`);
    }
    extensions.set(name, reader.string().slice());
  }
  reader.end();
  return extensions;
}
