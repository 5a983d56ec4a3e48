// From a program to the client: read only while the client's window and the transport have room, and never kept.
import { closeFd, readFd, WOULD_BLOCK } from "../../native/descriptors.ts";
import type { Poller } from "../../native/poller.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import type { PacketSender } from "./layers.ts";
import { SSH_MSG_CHANNEL_DATA, SSH_MSG_CHANNEL_EXTENDED_DATA } from "./message-numbers.ts";

const maxWindow = 0xffff_ffff;
/** Read at most so much in one go: a quick program must not keep the loop from everything else. */
const readBytes = 128 * 1024;
/** Our data packets are at most so large, whatever the client would take: OpenSSH's size. */
const maxDataBytes = 32 * 1024;
/** One for all channels of the process: what is read is handed to the transport before anything else is read. */
const buffer = new Uint8Array(readBytes);
const SSH_EXTENDED_DATA_STDERR = 1;

/** What the client lets us send on one channel. */
export class SendWindow {
  #bytes: number;
  readonly maxPacket: number;

  constructor(bytes: number, maxPacket: number) {
    this.#bytes = bytes;
    this.maxPacket = Math.min(maxPacket, maxDataBytes);
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** RFC 4254 section 5.2: the window must not exceed 2^32 - 1. */
  add(bytes: number): void {
    if (this.#bytes + bytes > maxWindow)
      throw new PeerFault("WINDOW_EXCEEDED", "Cannot widen window: above 2^32 - 1");
    this.#bytes += bytes;
  }
  take(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export interface OutputOptions {
  readonly fd: number;
  /** Sent as stderr. */
  readonly isError: boolean;
  /** The client's number of the channel. */
  readonly recipient: number;
  readonly window: SendWindow;
  readonly sender: PacketSender;
  readonly poller: Poller;
  /** The program has closed it; the descriptor is closed already. */
  ended(): void;
}

/** One descriptor that a program writes to. Owns `fd`, non-blocking. */
export class ChannelOutput {
  readonly #options: OutputOptions;
  readonly #header: Uint8Array;
  readonly #lengthAt: number;
  #isOpen = true;
  #isWatched = false;
  /** Also when nothing can be sent. */
  #endsWhenEmpty = false;

  constructor(options: OutputOptions) {
    this.#options = options;
    const header = Buffer.alloc(options.isError ? 13 : 9);
    header.writeUInt8(options.isError ? SSH_MSG_CHANNEL_EXTENDED_DATA : SSH_MSG_CHANNEL_DATA, 0);
    header.writeUInt32BE(options.recipient, 1);
    if (options.isError) header.writeUInt32BE(SSH_EXTENDED_DATA_STDERR, 5);
    this.#header = header;
    this.#lengthAt = header.length - 4;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** There may be room again, or something to read. */
  resume(): void {
    if (!this.#isOpen) return;
    if (this.#endsWhenEmpty && this.#mayRead()) this.#pump();
    else this.#watch(this.#mayRead());
  }

  /** The program has ended and a terminal has no end of its own while others hold it open: what is there is sent, then it ends. */
  endWhenEmpty(): void {
    this.#endsWhenEmpty = true;
    if (this.#isOpen && this.#mayRead()) this.#pump();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Watched or not, the Poller may know it.
    this.#options.poller.remove(this.#options.fd);
    closeFd(this.#options.fd);
  }

  #mayRead(): boolean {
    return this.#options.window.bytes > 0 && this.#options.sender.hasRoom;
  }

  #watch(isWanted: boolean): void {
    if (isWanted === this.#isWatched || !this.#isOpen) return;
    this.#isWatched = isWanted;
    const { poller, fd } = this.#options;
    if (!isWanted) {
      // Removed, not masked: a hung-up pipe would wake us for ever.
      poller.remove(fd);
      return;
    }
    poller.set(fd, true, false, () => {
      if (this.#mayRead()) this.#pump();
      else this.#watch(false);
    });
  }

  #pump(): void {
    const { fd, window, ended } = this.#options;
    let count: number;
    try {
      count = readFd(fd, buffer, 0, Math.min(readBytes, window.bytes));
    } catch {
      count = 0; // as an end: there is nobody to tell why
    }
    if (count === WOULD_BLOCK && !this.#endsWhenEmpty) {
      this.#watch(true);
      return;
    }
    if (count <= 0) {
      this.close();
      ended();
      return;
    }
    this.#send(count);
    if (this.#isOpen) this.#watch(this.#mayRead());
    if (this.#endsWhenEmpty && this.#isOpen && this.#mayRead()) this.#pump();
  }

  #send(count: number): void {
    const { window, sender } = this.#options;
    window.take(count);
    const header = this.#header;
    for (let at = 0; at < count; at += window.maxPacket) {
      const length = Math.min(window.maxPacket, count - at);
      header[this.#lengthAt] = length >>> 24;
      header[this.#lengthAt + 1] = length >>> 16;
      header[this.#lengthAt + 2] = length >>> 8;
      header[this.#lengthAt + 3] = length;
      sender.send(header, buffer, at, length);
    }
  }
}
