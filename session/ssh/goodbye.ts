// The last words to a peer (RFC 4253 section 11.1).
import type { ByteStream } from "./layers.ts";
import { SSH_MSG_DISCONNECT } from "./message-numbers.ts";
import type { PacketWriter } from "./packet-writer.ts";
import { WireWriter } from "./wire.ts";

/**
 * SSH_MSG_DISCONNECT, or before the peer has identified itself a line of text as sshd sends it; as much of it as the stream takes
 * at once. Never throws: a peer that does not listen is not told.
 */
export function sayGoodbye(
  writer: PacketWriter,
  stream: ByteStream,
  isIdentified: boolean,
  reason: number,
  description: string,
): void {
  try {
    if (isIdentified) {
      const message = new WireWriter(256)
        .byte(SSH_MSG_DISCONNECT)
        .uint32(reason)
        .string(Buffer.from(description))
        .string("");
      writer.seal(message.finish(), null, 0, 0);
    } else {
      writer.plain(Buffer.from(`${description}\r\n`, "latin1"));
    }
    writer.flush(stream);
  } catch {
    // The stream is broken, or full beyond its bound.
  }
}
