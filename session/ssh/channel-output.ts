// From a program to the client: read only while the client's window and the transport have room, and never kept.
import type { SendWindow } from "./channel-window.ts";
import type { ByteStream, PacketSender } from "./layers.ts";
import { SSH_MSG_CHANNEL_DATA, SSH_MSG_CHANNEL_EXTENDED_DATA } from "./message-numbers.ts";

/** Read in one go at most: a quick program must not keep the loop from everything else. */
const readBytes = 128 * 1024;
/** Packets made of one read: a client that takes tiny packets gets few at a time. */
const packetsPerRead = 16;
/** Read from a terminal after its program has ended, while others still write to it. */
const lastWordsBytes = 1024 * 1024;
/** RFC 4254 section 5.2. */
const SSH_EXTENDED_DATA_STDERR = 1;
/** One for all channels of the process: what is read goes to the transport before anything else is read. */
const buffer = new Uint8Array(readBytes);

interface Source {
  readonly stream: ByteStream;
  readonly isError: boolean;
  /** Of its messages; the length in the last four bytes is set for each. */
  readonly header: Uint8Array;
  isOpen: boolean;
  /** It had something to say when there was no room: it is read without waiting for readiness. */
  isStarved: boolean;
}

/** All that one channel's program writes to: one or two streams, served in turns. Owns them. */
export class ChannelOutput {
  readonly #sender: PacketSender;
  readonly #recipient: number;
  readonly #window: SendWindow;
  readonly #ended: () => void;
  /** In the order of their turns. */
  readonly #sources: Source[] = [];
  /** Bytes that may still be read after the program's end, on a terminal; null: it has not ended. */
  #lastWords: number | null = null;

  /** `recipient`: the client's number of the channel. `ended` is called when the last stream has ended. */
  constructor(sender: PacketSender, recipient: number, window: SendWindow, ended: () => void) {
    this.#sender = sender;
    this.#recipient = recipient;
    this.#window = window;
    this.#ended = ended;
  }

  /** Every stream has ended, or there never was one. */
  get isEnded(): boolean {
    return this.#sources.every(({ isOpen }) => !isOpen);
  }

  /** Takes `stream` and begins to read from it. */
  add(stream: ByteStream, isError: boolean): void {
    const header = Buffer.alloc(isError ? 13 : 9);
    header.writeUInt8(isError ? SSH_MSG_CHANNEL_EXTENDED_DATA : SSH_MSG_CHANNEL_DATA, 0);
    header.writeUInt32BE(this.#recipient, 1);
    if (isError) header.writeUInt32BE(SSH_EXTENDED_DATA_STDERR, 5);
    const source: Source = { stream, isError, header, isOpen: true, isStarved: false };
    this.#sources.push(source);
    stream.onReady(() => {
      this.#serve(source);
    });
    stream.wait(true, false);
  }

  /** There may be room again, in the window or in the transport. */
  resume(): void {
    // Who was served goes to the end of the row: with little room neither stream starves the other.
    for (const source of this.#sources.filter(({ isStarved }) => isStarved)) {
      if (!this.#hasRoom()) return;
      this.#serve(source);
    }
  }

  /**
   * The program has ended, and a terminal that others hold open has no end of its own: what is there is sent, then it ends (sshd
   * reads until it would block).
   */
  endWhenEmpty(): void {
    this.#lastWords = lastWordsBytes;
    for (const source of [...this.#sources]) this.#serve(source);
  }

  /** The client takes no more standard output (eow@openssh.com): the program finds it closed. */
  closeStandardOutput(): void {
    for (const source of this.#sources) if (!source.isError) this.#end(source);
  }

  /** Ends every stream. */
  close(): void {
    for (const source of this.#sources) this.#end(source);
  }

  #hasRoom(): boolean {
    return this.#window.bytes > 0 && this.#sender.hasRoom;
  }

  /** One read and its packets; after the program's end as many as it takes. */
  #serve(source: Source): void {
    if (!source.isOpen) return;
    let count: number;
    do {
      if (!this.#hasRoom()) {
        this.#starve(source);
        return;
      }
      count = this.#read(source);
      if (count === 0 || this.#wasLast(count)) {
        this.#end(source);
        return;
      }
    } while (this.#lastWords !== null);
    if (count > 0) this.#toTheEnd(source);
    if (count > 0 && !this.#hasRoom()) {
      this.#starve(source);
      return;
    }
    source.isStarved = false;
    source.stream.wait(true, false);
  }

  /** Was it the end of what a terminal has after its program's end? */
  #wasLast(count: number): boolean {
    if (this.#lastWords === null) return false;
    this.#lastWords -= count;
    return count < 0 || this.#lastWords <= 0;
  }

  #starve(source: Source): void {
    source.isStarved = true;
    source.stream.wait(false, false);
  }
  #toTheEnd(source: Source): void {
    if (this.#sources.length < 2) return;
    this.#sources.splice(this.#sources.indexOf(source), 1);
    this.#sources.push(source);
  }

  /** As the stream's `read`, what was read being sent. A stream that fails has ended: there is nobody to tell why. */
  #read({ stream, header }: Source): number {
    const { maxDataBytes, bytes } = this.#window;
    const most = Math.min(readBytes, bytes, maxDataBytes * packetsPerRead);
    let count: number;
    try {
      count = stream.read(buffer, 0, most);
    } catch {
      return 0;
    }
    if (count <= 0) return count;
    this.#window.spend(count);
    const lengthAt = header.length - 4;
    for (let at = 0; at < count; at += maxDataBytes) {
      const length = Math.min(maxDataBytes, count - at);
      header[lengthAt] = length >>> 24;
      header[lengthAt + 1] = length >>> 16;
      header[lengthAt + 2] = length >>> 8;
      header[lengthAt + 3] = length;
      this.#sender.send(header, buffer, at, length);
    }
    return count;
  }

  #end(source: Source): void {
    if (!source.isOpen) return;
    source.isOpen = false;
    source.isStarved = false;
    source.stream.close();
    if (this.isEnded) this.#ended();
  }
}
