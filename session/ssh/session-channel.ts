// A session channel (RFC 4254 sections 5 and 6), our side of it. EOF and CLOSE are two things, and each direction has its own; where
// the RFC leaves a choice it is sshd's (nchan.c, session.c).
import { PeerFault } from "../../ipc/peer-fault.ts";
import { ChannelInput } from "./channel-input.ts";
import { ChannelOutput } from "./channel-output.ts";
import type { SendWindow } from "./channel-window.ts";
import type { PacketSender } from "./layers.ts";
import * as msg from "./message-numbers.ts";
import type { ProgramExit, ProgramHost } from "./program-host.ts";
import { ReplyQueue } from "./reply-queue.ts";
import { ChannelProgram, type ProgramStreams } from "./session-channel-program.ts";
import { readSessionRequest } from "./session-requests.ts";
import { WireWriter, type WireReader } from "./wire.ts";

export interface SessionChannelEvents {
  /** `description` as sshd's log has it. */
  readonly started: (description: string) => void;
  readonly refused: (what: string, why: string) => void;
  readonly terminalOpened: () => void;
  /** Both CLOSEs are exchanged, and no answer is to come: the number is free. */
  readonly gone: () => void;
}
export interface SessionChannelOptions {
  /** Our number of it, and the client's. */
  readonly local: number;
  readonly remote: number;
  /** What the client may send at first. */
  readonly receiveWindowBytes: number;
  readonly sendWindow: SendWindow;
  readonly sender: PacketSender;
  readonly host: ProgramHost;
  /** The client is OpenSSH, which understands eow@openssh.com. */
  readonly takesEow: boolean;
  readonly events: SessionChannelEvents;
}

/** Requests that may wait for the worker; an honest client sends some dozens before its shell. */
const maxPendingRequests = 160;

export class SessionChannel {
  readonly #options: SessionChannelOptions;
  readonly #program: ChannelProgram;
  readonly #input: ChannelInput;
  readonly #output: ChannelOutput;
  readonly #replies: ReplyQueue<boolean>;
  #hasReceivedEof = false;
  #hasReceivedClose = false;
  #hasSentEof = false;
  #hasSentClose = false;
  #isGone = false;

  constructor(options: SessionChannelOptions) {
    const { sender, host, local, remote, sendWindow, receiveWindowBytes, events } = options;
    const advance = (): void => {
      this.#advance();
    };
    this.#options = options;
    this.#program = new ChannelProgram(host, local, {
      running: (streams, description) => {
        this.#run(streams, description);
      },
      refused: events.refused,
      terminalOpened: events.terminalOpened,
      endOfWrite: () => {
        this.#output.closeStandardOutput();
      },
    });
    this.#input = new ChannelInput(receiveWindowBytes, {
      adjust: (bytes) => {
        // Nothing more comes behind EOF, and nothing may be said behind CLOSE.
        if (this.#hasReceivedEof || this.#hasReceivedClose || this.#hasSentClose) return;
        this.#send(msg.SSH_MSG_CHANNEL_WINDOW_ADJUST, (writer) => writer.uint32(bytes));
      },
      broken: () => {
        this.#sendEow();
      },
      closed: advance,
    });
    this.#output = new ChannelOutput(sender, remote, sendWindow, advance);
    this.#replies = new ReplyQueue<boolean>(maxPendingRequests, (isGranted) => {
      if (!this.#hasSentClose)
        this.#send(isGranted ? msg.SSH_MSG_CHANNEL_SUCCESS : msg.SSH_MSG_CHANNEL_FAILURE);
    });
  }

  get remote(): number {
    return this.#options.remote;
  }
  /** Messages may still be sent on it. */
  get isOpen(): boolean {
    return !this.#hasSentClose;
  }
  get terminalName(): string | null {
    return this.#program.terminalName;
  }

  /** One message for this channel; the reader stands behind the channel's number. Throws PeerFault. */
  receive(type: number, payload: Uint8Array, reader: WireReader): void {
    if (this.#hasReceivedClose) {
      // Nothing may follow CLOSE (RFC 4254 section 5.3), but what harms nobody may be late.
      if (isHarmlesslyLate(type)) return;
      throw channelFault(`message ${type}`, "its CLOSE has come");
    }
    switch (type) {
      case msg.SSH_MSG_CHANNEL_WINDOW_ADJUST: {
        const bytes = reader.uint32();
        reader.end();
        this.#options.sendWindow.widen(bytes);
        this.#output.resume();
        return;
      }
      case msg.SSH_MSG_CHANNEL_DATA:
        this.#data(payload, reader, false);
        return;
      case msg.SSH_MSG_CHANNEL_EXTENDED_DATA:
        reader.uint32();
        this.#data(payload, reader, true);
        return;
      case msg.SSH_MSG_CHANNEL_EOF:
        reader.end();
        this.#hasReceivedEof = true;
        this.#input.end();
        return;
      case msg.SSH_MSG_CHANNEL_CLOSE:
        reader.end();
        this.#receivedClose();
        return;
      case msg.SSH_MSG_CHANNEL_REQUEST:
        this.#request(reader);
        return;
      case msg.SSH_MSG_CHANNEL_SUCCESS:
      case msg.SSH_MSG_CHANNEL_FAILURE:
        // An answer to a keepalive, or to nothing: sshd is silent too.
        reader.end();
        return;
      default:
        throw new RangeError(`Cannot take message ${type}: it is no channel's`);
    }
  }

  /** The transport has room again. */
  roomAvailable(): void {
    this.#output.resume();
  }

  /** The program has ended. As sshd does, it is said at once; what is still in the pipes follows, to their ends. */
  exited({ status, signal, coreDumped }: ProgramExit): void {
    if (!this.#program.exited()) return;
    if (!this.#hasSentClose) {
      this.#send(msg.SSH_MSG_CHANNEL_REQUEST, (writer) =>
        signal === ""
          ? writer.string("exit-status").bool(false).uint32(status)
          : writer
              .string("exit-signal")
              .bool(false)
              .string(signal)
              .bool(coreDumped)
              .string("")
              .string(""),
      );
    }
    if (!this.#input.isClosed) {
      this.#sendEow();
      this.#input.discard();
    }
    if (this.terminalName !== null) this.#output.endWhenEmpty();
    this.#advance();
  }

  /** The connection has ended: closes what is held, and says nothing. */
  release(): void {
    this.#hasSentClose = true;
    this.#isGone = true;
    this.#closeStreams();
  }

  #send(type: number, fill: (writer: WireWriter) => WireWriter = (writer) => writer): void {
    const { sender, remote } = this.#options;
    sender.send(fill(new WireWriter(64).byte(type).uint32(remote)).finish());
  }

  /** OpenSSH PROTOCOL section 2.1: nobody reads what the client sends. */
  #sendEow(): void {
    const isPointless = this.#hasReceivedEof || this.#hasReceivedClose || this.#hasSentClose;
    if (!this.#options.takesEow || isPointless) return;
    this.#send(msg.SSH_MSG_CHANNEL_REQUEST, (writer) =>
      writer.string("eow@openssh.com").bool(false),
    );
  }

  #data(payload: Uint8Array, reader: WireReader, isExtended: boolean): void {
    const length = reader.uint32();
    const at = payload.length - reader.remaining;
    reader.bytes(length);
    reader.end();
    if (this.#hasReceivedEof) throw channelFault("data", "its EOF has come");
    // A session has no use for extended data from a client (section 5.2): sshd drops it too.
    if (isExtended) this.#input.receiveAndDrop(length);
    else this.#input.receive(payload, at, length);
  }

  #request(reader: WireReader): void {
    const type = reader.name();
    const wantReply = reader.bool();
    const request = readSessionRequest(type, reader);
    const settle = this.#replies.expect(wantReply);
    this.#program.serve(request, (isGranted) => {
      settle(isGranted);
      this.#advance();
    });
  }

  #run({ input, output, errors }: ProgramStreams, description: string): void {
    this.#options.events.started(description);
    this.#output.add(output, false);
    if (errors !== null) this.#output.add(errors, true);
    if (this.#hasReceivedClose) this.#output.close();
    this.#input.attach(input);
  }

  /** What the client sent before its CLOSE still reaches a program on pipes; a terminal hangs up. */
  #receivedClose(): void {
    this.#hasReceivedClose = true;
    this.#output.close();
    const { isStarting, hasStarted } = this.#program;
    if (this.terminalName === null && (isStarting || hasStarted)) this.#input.end();
    else this.#closeStreams();
    this.#advance();
  }

  #closeStreams(): void {
    this.#output.close();
    this.#input.discard();
    this.#program.close();
  }

  /** Says what is due after any change: EOF behind the last output, CLOSE when the program or the client is done. */
  #advance(): void {
    if (this.#isGone) return;
    const { hasStarted, hasExited, isStarting } = this.#program;
    const isSaying = !this.#hasSentClose && !this.#hasReceivedClose;
    if (isSaying && hasStarted && this.#output.isEnded && !this.#hasSentEof) {
      this.#hasSentEof = true;
      this.#send(msg.SSH_MSG_CHANNEL_EOF);
    }
    const isProgramDone = hasExited && this.#output.isEnded;
    // A client closes as soon as both EOFs are exchanged; the program's end is said all the same, and CLOSE behind it.
    const isEndDue = hasStarted && !hasExited && (this.terminalName === null || this.#hasSentEof);
    const isClientDone = this.#hasReceivedClose && !isStarting && !isEndDue;
    if (!this.#hasSentClose && this.#input.isClosed && (isProgramDone || isClientDone)) {
      this.#hasSentClose = true;
      this.#send(msg.SSH_MSG_CHANNEL_CLOSE);
    }
    if (!this.#hasSentClose || !this.#hasReceivedClose || !this.#replies.isEmpty) return;
    this.#isGone = true;
    this.#program.forget();
    this.#options.events.gone();
  }
}

/** Some clients adjust the window, or answer a keepalive, of a channel that they have closed; sshd bears it. */
export const isHarmlesslyLate = (type: number): boolean =>
  type === msg.SSH_MSG_CHANNEL_WINDOW_ADJUST ||
  type === msg.SSH_MSG_CHANNEL_SUCCESS ||
  type === msg.SSH_MSG_CHANNEL_FAILURE;

const channelFault = (what: string, why: string): PeerFault =>
  new PeerFault("CHANNEL_STATE", `Cannot take ${what} on channel: ${why}`);
