// The client's side of a channel (RFC 4254): for the rehearsal, the tests, the fuzzer.
import { PeerFault } from "../ipc/peer-fault.ts";
import { maxDataBytes, ReceiveWindow, SendWindow } from "./ssh/channel-window.ts";
import * as msg from "./ssh/message-numbers.ts";
import type { Transport } from "./ssh/transport.ts";
import { WireWriter, type WireReader } from "./ssh/wire.ts";

export interface ClientChannelEvents {
  readonly opened?: () => void;
  readonly openFailed?: (reason: number, text: string) => void;
  /** `bytes` are valid during the call. */
  readonly data?: (bytes: Uint8Array, isError: boolean) => void;
  readonly eof?: () => void;
  /** A request of the server's: exit-status, exit-signal, eow@openssh.com, keepalive@openssh.com. */
  readonly request?: (name: string, reader: WireReader) => void;
  /** There may be room for `write` again. */
  readonly room?: () => void;
  /** The server's CLOSE; ours is sent by itself. */
  readonly closed?: () => void;
}
export interface ClientChannelOptions {
  readonly type: string;
  /** What the server may send at first, and from then on. */
  readonly windowBytes: number;
  readonly maxPacket: number;
  /** False: the window is not given back, as by a client that has stopped reading. */
  readonly isReading: boolean;
}

export class ClientChannel {
  readonly local: number;
  readonly #transport: Transport;
  readonly #events: ClientChannelEvents;
  readonly #options: ClientChannelOptions;
  readonly #receiveWindow: ReceiveWindow;
  readonly #replies: ((isGranted: boolean) => void)[] = [];
  #remote = 0;
  #sendWindow: SendWindow | null = null;
  #hasSentEof = false;
  #hasSentClose = false;
  hasReceivedClose = false;

  constructor(
    transport: Transport,
    local: number,
    events: ClientChannelEvents,
    options: ClientChannelOptions,
  ) {
    this.#transport = transport;
    this.local = local;
    this.#events = events;
    this.#options = options;
    this.#receiveWindow = new ReceiveWindow(options.windowBytes);
  }

  get remote(): number {
    return this.#remote;
  }
  /** Bytes that the server lets us send. */
  get sendWindowBytes(): number {
    return this.#sendWindow?.bytes ?? 0;
  }

  open(): void {
    const { type, windowBytes, maxPacket } = this.#options;
    const writer = new WireWriter().byte(msg.SSH_MSG_CHANNEL_OPEN).string(type);
    this.#transport.send(writer.uint32(this.local).uint32(windowBytes).uint32(maxPacket).finish());
  }

  /** `fill` writes what belongs to the type; `done`, when given, asks for a reply. */
  request(
    type: string,
    fill: (writer: WireWriter) => WireWriter = (writer) => writer,
    done?: (isGranted: boolean) => void,
  ): void {
    if (done !== undefined) this.#replies.push(done);
    const writer = this.#message(msg.SSH_MSG_CHANNEL_REQUEST).string(type);
    this.#transport.send(fill(writer.bool(done !== undefined)).finish());
  }
  exec(command: Uint8Array | string, done?: (isGranted: boolean) => void): void {
    this.request("exec", (writer) => writer.string(command), done);
  }

  /** Sends as much of `bytes` as window and transport have room for; returns how much that was. */
  write(bytes: Uint8Array, offset = 0, length: number = bytes.length - offset): number {
    const window = this.#sendWindow;
    let written = 0;
    while (window !== null && written < length && window.bytes > 0 && this.#transport.hasRoom) {
      const count = Math.min(length - written, window.bytes, window.maxDataBytes);
      window.spend(count);
      const header = this.#message(msg.SSH_MSG_CHANNEL_DATA).uint32(count).finish();
      this.#transport.send(header, bytes, offset + written, count);
      written += count;
    }
    return written;
  }
  eof(): void {
    if (this.#hasSentEof) return;
    this.#hasSentEof = true;
    this.#transport.send(this.#message(msg.SSH_MSG_CHANNEL_EOF).finish());
  }
  close(): void {
    if (this.#hasSentClose) return;
    this.#hasSentClose = true;
    this.#transport.send(this.#message(msg.SSH_MSG_CHANNEL_CLOSE).finish());
  }
  /** Gives window back: for a client that was not reading. */
  adjust(bytes: number): void {
    this.#receiveWindow.consume(bytes);
    this.#receiveWindow.takeAdjustment();
    this.#transport.send(this.#message(msg.SSH_MSG_CHANNEL_WINDOW_ADJUST).uint32(bytes).finish());
  }

  roomAvailable(): void {
    this.#events.room?.();
  }

  /** One message for this channel; the reader stands behind its number. Throws PeerFault. */
  receive(type: number, reader: WireReader): void {
    switch (type) {
      case msg.SSH_MSG_CHANNEL_OPEN_CONFIRMATION: {
        this.#remote = reader.uint32();
        const windowBytes = reader.uint32();
        this.#sendWindow = new SendWindow(windowBytes, reader.uint32());
        reader.end();
        this.#events.opened?.();
        return;
      }
      case msg.SSH_MSG_CHANNEL_OPEN_FAILURE: {
        const reason = reader.uint32();
        this.#events.openFailed?.(reason, Buffer.from(reader.string()).toString("latin1"));
        return;
      }
      case msg.SSH_MSG_CHANNEL_WINDOW_ADJUST:
        this.#sendWindow?.widen(reader.uint32());
        this.#events.room?.();
        return;
      case msg.SSH_MSG_CHANNEL_DATA:
        this.#data(reader.string(), false);
        return;
      case msg.SSH_MSG_CHANNEL_EXTENDED_DATA:
        reader.uint32();
        this.#data(reader.string(), true);
        return;
      case msg.SSH_MSG_CHANNEL_EOF:
        this.#events.eof?.();
        return;
      case msg.SSH_MSG_CHANNEL_CLOSE:
        this.hasReceivedClose = true;
        this.close();
        this.#events.closed?.();
        return;
      case msg.SSH_MSG_CHANNEL_REQUEST: {
        const name = reader.name();
        const wantReply = reader.bool();
        if (wantReply) this.#transport.send(this.#message(msg.SSH_MSG_CHANNEL_FAILURE).finish());
        this.#events.request?.(name, reader);
        return;
      }
      case msg.SSH_MSG_CHANNEL_SUCCESS:
      case msg.SSH_MSG_CHANNEL_FAILURE: {
        const done = this.#replies.shift();
        if (done === undefined)
          throw new PeerFault("OUT_OF_PHASE", "Cannot take reply: nothing was asked");
        done(type === msg.SSH_MSG_CHANNEL_SUCCESS);
        return;
      }
      default:
        throw new PeerFault("UNKNOWN_TYPE", `Cannot take message ${type} on a channel`);
    }
  }

  #message(type: number): WireWriter {
    return new WireWriter(64).byte(type).uint32(this.#remote);
  }

  #data(bytes: Uint8Array, isError: boolean): void {
    if (bytes.length > this.#options.maxPacket)
      throw new PeerFault("OUT_OF_BOUNDS", "Cannot take data: more than our maximum packet size");
    this.#receiveWindow.receive(bytes.length);
    this.#events.data?.(bytes, isError);
    if (!this.#options.isReading) return;
    this.#receiveWindow.consume(bytes.length);
    const adjustment = this.#receiveWindow.takeAdjustment();
    if (adjustment === 0 || this.#hasSentClose) return;
    const message = this.#message(msg.SSH_MSG_CHANNEL_WINDOW_ADJUST);
    this.#transport.send(message.uint32(adjustment).finish());
  }
}

export const defaultChannelOptions: ClientChannelOptions = {
  type: "session",
  windowBytes: 2 * 1024 * 1024,
  maxPacket: maxDataBytes,
  isReading: true,
};
