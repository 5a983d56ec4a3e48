// The first bytes of a connection: identification, then packets, into the message parsers of the session process.
import { PeerFault } from "../../ipc/peer-fault.ts";
import { decodeExtInfo } from "../../session/ssh/ext-info.ts";
import { Identification } from "../../session/ssh/identification.ts";
import { decodeKexInit } from "../../session/ssh/kexinit.ts";
import type { ByteStream } from "../../session/ssh/layers.ts";
import { PacketReader } from "../../session/ssh/packet-reader.ts";
import { readUserauthRequest } from "../../session/ssh/userauth-request.ts";

const parsers: Readonly<Record<number, (payload: Uint8Array) => unknown>> = {
  7: decodeExtInfo,
  20: decodeKexInit,
  50: readUserauthRequest,
};

export function fuzz(data: Uint8Array): void {
  let at = 0;
  const stream: Pick<ByteStream, "read"> = {
    read: (buffer, offset, length) => {
      const part = data.subarray(at, at + Math.min(length, 1 + (data[at] ?? 0)));
      buffer.set(part, offset);
      at += part.length;
      return part.length;
    },
  };
  const reader = new PacketReader();
  const identification = new Identification("server");
  let isIdentified = false;
  try {
    // Nothing but reading is asked of it.
    while (reader.fill(stream as ByteStream) > 0) {
      isIdentified ||= reader.identify(identification);
      for (
        let payload = isIdentified ? reader.next() : null;
        payload !== null;
        payload = reader.next()
      )
        // prettier-ignore
        parsers[payload[0] ?? 0]?.(payload);
    }
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
  }
}
