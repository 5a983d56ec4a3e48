// A session channel (RFC 4254 section 6): its requests, one at a time; its program's descriptors; its end, in which EOF and CLOSE are two
// things and each direction has its own.
import { PeerFault } from "../../ipc/peer-fault.ts";
import {
  maxCommandBytes,
  maxEnvironmentNameBytes,
  maxEnvironmentValueBytes,
  maxTerminalModesBytes,
} from "../../ipc/limits.ts";
import { closeFd, writeFd } from "../../native/descriptors.ts";
import type { Poller } from "../../native/poller.ts";
import { ChannelInput } from "./channel-input.ts";
import { ChannelOutput, SendWindow } from "./channel-output.ts";
import type { PacketSender } from "./layers.ts";
import * as msg from "./message-numbers.ts";
import type { ProgramAnswer, ProgramHost } from "./program-host.ts";
import { WireReader, WireWriter } from "./wire.ts";

export interface ExitFacts {
  readonly status: number;
  /** Name without SIG; empty: it exited. */
  readonly signal: string;
  readonly coreDumped: boolean;
}
export interface SessionChannelOptions {
  /** Our number of it, and the client's. */
  readonly local: number;
  readonly remote: number;
  readonly window: number;
  readonly maxPacket: number;
  readonly sender: PacketSender;
  readonly poller: Poller;
  readonly host: ProgramHost;
  /** The peer is OpenSSH, which understands eow@openssh.com. */
  readonly takesEow: boolean;
  log(code: string, text: string): void;
  /** Both CLOSEs are exchanged: the number is free. */
  gone(): void;
}

/** Requests that may wait for the worker; an honest client sends a dozen before its shell. */
const maxQueuedRequests = 128;
const kinds: Readonly<Record<string, number>> = { shell: 0, exec: 1, subsystem: 2 };

export class SessionChannel {
  readonly #options: SessionChannelOptions;
  readonly #input = new ChannelInput();
  readonly #window: SendWindow;
  readonly #requests: { name: string; wantReply: boolean; rest: Uint8Array }[] = [];
  #isAsking = false;
  /** A terminal's master, once for each direction, until its program starts. */
  #ptyFds: readonly number[] = [];
  #hasPty = false;
  #inputFd = -1;
  #isInputWatched = false;
  #outputs: ChannelOutput[] = [];
  #isStarted = false;
  #exit: ExitFacts | undefined;
  #hasReceivedEof = false;
  #hasReceivedClose = false;
  #hasSentEof = false;
  #hasSentClose = false;

  constructor(options: SessionChannelOptions) {
    this.#options = options;
    this.#window = new SendWindow(options.window, options.maxPacket);
  }

  /** One message for this channel; the reader stands behind the channel number. Throws PeerFault. */
  receive(type: number, payload: Uint8Array, reader: WireReader): void {
    if (this.#hasReceivedClose)
      throw new PeerFault("CHANNEL_STATE", `Cannot take message ${type}: the channel was closed`);
    switch (type) {
      case msg.SSH_MSG_CHANNEL_WINDOW_ADJUST:
        this.#window.add(reader.uint32());
        reader.end();
        this.resume();
        return;
      case msg.SSH_MSG_CHANNEL_DATA:
        this.#data(payload, reader, false);
        return;
      case msg.SSH_MSG_CHANNEL_EXTENDED_DATA:
        reader.uint32();
        this.#data(payload, reader, true);
        return;
      case msg.SSH_MSG_CHANNEL_EOF:
        reader.end();
        if (this.#hasReceivedEof)
          throw new PeerFault("CHANNEL_STATE", "Cannot take EOF: it came already");
        this.#hasReceivedEof = true;
        this.#closeInputWhenWritten();
        return;
      case msg.SSH_MSG_CHANNEL_CLOSE:
        reader.end();
        this.#closed();
        return;
      case msg.SSH_MSG_CHANNEL_REQUEST:
        this.#request(reader);
        return;
      case msg.SSH_MSG_CHANNEL_SUCCESS:
      case msg.SSH_MSG_CHANNEL_FAILURE:
        // We ask nothing with want_reply on a channel; sshd takes these in silence too.
        reader.end();
    }
  }

  /** Room in the transport or the window. */
  resume(): void {
    for (const output of this.#outputs) output.resume();
  }

  /** The program has ended. */
  exited(facts: ExitFacts): void {
    this.#exit = facts;
    // A terminal may be held open by others; pipes are read to their end, as sshd does.
    if (this.#hasPty) for (const output of this.#outputs) output.endWhenEmpty();
    this.#closeWhenDone();
  }

  /** The worker is gone: no program, no end of one. */
  abandon(): void {
    for (const output of this.#outputs) output.close();
    this.#closeInput();
    this.#exit ??= { status: 255, signal: "", coreDumped: false };
    this.#closeWhenDone();
  }

  /** Closes what the process holds; nothing is sent. */
  release(): void {
    for (const output of this.#outputs) output.close();
    this.#closeInput();
    this.#ptyFds.forEach(closeFd);
    this.#ptyFds = [];
  }

  #send(type: number, fill: (writer: WireWriter) => WireWriter = (writer) => writer): void {
    this.#options.sender.send(
      fill(new WireWriter().byte(type).uint32(this.#options.remote)).finish(),
    );
  }

  #data(payload: Uint8Array, reader: WireReader, isExtended: boolean): void {
    const length = reader.uint32();
    const at = payload.length - reader.remaining;
    reader.bytes(length);
    reader.end();
    if (this.#hasReceivedEof)
      throw new PeerFault("CHANNEL_STATE", "Cannot take data: EOF came already");
    // Extended data has no meaning from a client; it counts, and goes nowhere.
    if (isExtended || this.#hasSentClose) return;
    this.#input.receive(payload, at, length);
    this.#afterInput();
  }

  /** After bytes went to the program, or could not: the window, and the interest in its input. */
  #afterInput(): void {
    const adjustment = this.#input.takeAdjustment();
    if (adjustment > 0 && !this.#hasReceivedEof && !this.#hasSentClose) {
      this.#send(msg.SSH_MSG_CHANNEL_WINDOW_ADJUST, (writer) => writer.uint32(adjustment));
    }
    const isWanted = this.#inputFd >= 0 && !this.#input.isEmpty;
    if (isWanted !== this.#isInputWatched) this.#watchInput(isWanted);
    this.#closeInputWhenWritten();
  }
  #watchInput(isWanted: boolean): void {
    const { poller } = this.#options;
    this.#isInputWatched = isWanted;
    if (!isWanted) poller.remove(this.#inputFd);
    else {
      poller.set(this.#inputFd, false, true, () => {
        this.#input.drain();
        this.#afterInput();
      });
    }
  }

  readonly #write = (bytes: Uint8Array, offset: number, length: number): number => {
    try {
      return writeFd(this.#inputFd, bytes, offset, length);
    } catch {
      // Nobody reads any more. The client may go on sending what nobody wants: OpenSSH is told so.
      this.#closeInput();
      if (this.#options.takesEow && !this.#hasSentClose) {
        this.#send(msg.SSH_MSG_CHANNEL_REQUEST, (writer) =>
          writer.string("eow@openssh.com").bool(false),
        );
      }
      return -1;
    }
  };

  #closeInputWhenWritten(): void {
    // A terminal has no half: its end of input is a character that the user types.
    if (this.#hasReceivedEof && this.#input.isEmpty && !this.#hasPty && this.#isStarted)
      this.#closeInput();
  }
  #closeInput(): void {
    this.#input.discard();
    if (this.#inputFd < 0) return;
    if (this.#isInputWatched) this.#watchInput(false);
    closeFd(this.#inputFd);
    this.#inputFd = -1;
  }

  #closed(): void {
    this.#hasReceivedClose = true;
    this.#options.host.tell("closeChannel", { channel: this.#options.local });
    this.release();
    if (!this.#hasSentClose) {
      this.#hasSentClose = true;
      this.#send(msg.SSH_MSG_CHANNEL_CLOSE);
    }
    this.#options.gone();
  }

  /** All output sent and the program ended: EOF, how it ended, CLOSE. */
  #closeWhenDone(): void {
    if (this.#hasSentClose || !this.#isStarted || this.#outputs.some((output) => output.isOpen))
      return;
    if (!this.#hasSentEof) {
      this.#hasSentEof = true;
      this.#send(msg.SSH_MSG_CHANNEL_EOF);
    }
    const exit = this.#exit;
    if (exit === undefined) return;
    if (exit.signal === "") {
      this.#send(msg.SSH_MSG_CHANNEL_REQUEST, (w) =>
        w.string("exit-status").bool(false).uint32(exit.status),
      );
    } else {
      this.#send(msg.SSH_MSG_CHANNEL_REQUEST, (w) =>
        w
          .string("exit-signal")
          .bool(false)
          .string(exit.signal)
          .bool(exit.coreDumped)
          .string("")
          .string(""),
      );
    }
    this.#hasSentClose = true;
    this.#send(msg.SSH_MSG_CHANNEL_CLOSE);
    this.#closeInput();
  }

  #request(reader: WireReader): void {
    const name = reader.name();
    const wantReply = reader.bool();
    if (this.#requests.length >= maxQueuedRequests)
      throw new PeerFault("FLOOD", "Cannot queue another channel request");
    this.#requests.push({ name, wantReply, rest: reader.rest().slice() });
    this.#next();
  }

  /** One request at a time: replies have no number, so their order is all that tells them apart. */
  #next(): void {
    while (!this.#isAsking) {
      const request = this.#requests.shift();
      if (request === undefined) return;
      this.#isAsking = true;
      this.#serve(request.name, new WireReader(request.rest), (isDone) => {
        this.#isAsking = false;
        if (request.wantReply && !this.#hasSentClose) {
          this.#send(isDone ? msg.SSH_MSG_CHANNEL_SUCCESS : msg.SSH_MSG_CHANNEL_FAILURE);
        }
      });
    }
  }

  #serve(name: string, reader: WireReader, settle: (isDone: boolean) => void): void {
    const { host, local: channel } = this.#options;
    const ask: ProgramHost["ask"] = (request, body, done) => {
      host.ask(request, body, (answer) => {
        done(answer);
        this.#next();
      });
    };
    const simply = (answer: ProgramAnswer): void => {
      if (answer.message.name === "refused")
        this.#options.log(`${name}.refused`, `${name} refused: ${answer.message.body.why}`);
      settle(answer.message.name === "done");
    };
    switch (name) {
      case "pty-req": {
        const term = reader.string().slice();
        const [columns, rows, widthPixels, heightPixels] = [
          reader.uint32(),
          reader.uint32(),
          reader.uint32(),
          reader.uint32(),
        ];
        const modes = reader.string().slice();
        reader.end();
        if (term.length > 256 || modes.length > maxTerminalModesBytes) { settle(false); return; }
        ask(
          "openPty",
          { channel, term, columns, rows, widthPixels, heightPixels, modes },
          (answer) => {
            if (answer.message.name === "ptyOpened" && !this.#hasReceivedClose) {
              this.#ptyFds = answer.fds;
              this.#hasPty = true;
            } else answer.fds.forEach(closeFd);
            if (answer.message.name === "refused")
              this.#options.log("pty.refused", `pty-req refused: ${answer.message.body.why}`);
            settle(answer.message.name === "ptyOpened");
          },
        );
        return;
      }
      case "env": {
        const [variable, value] = [reader.string().slice(), reader.string().slice()];
        reader.end();
        if (variable.length > maxEnvironmentNameBytes || value.length > maxEnvironmentValueBytes)
          { settle(false); return; }
        ask("setEnv", { channel, name: variable, value }, (answer) => {
          settle(answer.message.name === "done");
        });
        return;
      }
      case "shell":
      case "exec":
      case "subsystem": {
        const command = name === "shell" ? new Uint8Array() : reader.string().slice();
        reader.end();
        if (this.#isStarted || command.length > maxCommandBytes) { settle(false); return; }
        ask("start", { channel, kind: kinds[name] ?? 0, command }, (answer) => {
          settle(this.#started(answer, name, command));
        });
        return;
      }
      case "window-change": {
        const [columns, rows, widthPixels, heightPixels] = [
          reader.uint32(),
          reader.uint32(),
          reader.uint32(),
          reader.uint32(),
        ];
        reader.end();
        host.tell("windowChange", { channel, columns, rows, widthPixels, heightPixels });
        settle(true); return;
      }
      case "signal": {
        const signal = reader.string().slice();
        reader.end();
        if (signal.length > 32) { settle(false); return; }
        ask("signal", { channel, name: signal }, simply);
        return;
      }
      case "break": {
        const milliseconds = reader.uint32();
        reader.end();
        ask("break", { channel, milliseconds }, simply);
        return;
      }
      case "eow@openssh.com":
        // The client reads no more of our output.
        reader.end();
        for (const output of this.#outputs) output.close();
        settle(true);
        this.#closeWhenDone();
        return;
      default:
        // x11-req, auth-agent-req@openssh.com and whatever else: not here.
        settle(false);
    }
  }

  #output(fd: number, isError: boolean): ChannelOutput {
    const { remote, sender, poller } = this.#options;
    return new ChannelOutput({
      fd,
      isError,
      recipient: remote,
      window: this.#window,
      sender,
      poller,
      ended: () => {
        this.#closeWhenDone();
      },
    });
  }

  #started({ message, fds }: ProgramAnswer, name: string, command: Uint8Array): boolean {
    if (message.name !== "startedOnPty" && message.name !== "startedOnPipes") {
      fds.forEach(closeFd);
      const why = message.name === "refused" ? message.body.why : message.name;
      if (name === "subsystem") {
        const what = Buffer.from(command.subarray(0, 100)).toString("latin1");
        this.#options.log("subsystem.failed", `subsystem request for ${what} failed, ${why}`);
      } else this.#options.log("session.refused", `${name} refused: ${why}`);
      return false;
    }
    if (this.#hasReceivedClose) {
      fds.forEach(closeFd);
      return false;
    }
    this.#isStarted = true;
    this.#options.log("start", message.body.description);
    const [input = -1, output = -1, error] = message.name === "startedOnPty" ? this.#ptyFds : fds;
    this.#ptyFds = [];
    this.#inputFd = input;
    this.#outputs = [
      this.#output(output, false),
      ...(error === undefined ? [] : [this.#output(error, true)]),
    ];
    this.#input.attach(this.#write);
    this.#afterInput();
    this.resume();
    return true;
  }
}
