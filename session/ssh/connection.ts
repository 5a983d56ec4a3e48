// The connection layer (RFC 4254), the server's side: channels and global requests, from authentication's success to the end.
import { PeerFault } from "../../ipc/peer-fault.ts";
import {
  maxDataBytes,
  narrowWindowBytes,
  SendWindow,
  sessionWindowBytes,
  wideChannels,
} from "./channel-window.ts";
import { GlobalRequests, type GlobalRequestOptions } from "./global-requests.ts";
import type { PacketSender, PayloadReceiver } from "./layers.ts";
import * as msg from "./message-numbers.ts";
import type { ProgramExit, ProgramHost } from "./program-host.ts";
import { isHarmlesslyLate, SessionChannel } from "./session-channel.ts";
import { WireReader, WireWriter } from "./wire.ts";

export interface ConnectionEvents {
  /** A program runs on channel `channel`; `description` as sshd's log has it. */
  readonly sessionStarted: (channel: number, description: string) => void;
  readonly sessionRefused: (channel: number, what: string, why: string) => void;
  readonly sessionClosed: (channel: number) => void;
  /** `terminalNames` has changed. */
  readonly terminalsChanged: () => void;
}
export interface ConnectionOptions extends Omit<GlobalRequestOptions, "sender"> {
  readonly sender: PacketSender;
  readonly host: ProgramHost;
  readonly maxSessions: number;
  /** The client's identification line. */
  readonly peerVersion: Uint8Array;
  readonly events: ConnectionEvents;
}

/** Reasons of CHANNEL_OPEN_FAILURE (section 5.1). */
const openFailures = { administrativelyProhibited: 1, connectFailed: 2, unknownChannelType: 3 };
type OpenFailure = keyof typeof openFailures;
/** Known, and not offered. */
const refusedTypes = new Set([
  "direct-tcpip",
  "direct-streamlocal@openssh.com",
  "tun@openssh.com",
  "x11",
  "forwarded-tcpip",
  "forwarded-streamlocal@openssh.com",
  "auth-agent@openssh.com",
]);

export class Connection implements PayloadReceiver {
  readonly #options: ConnectionOptions;
  readonly #globals: GlobalRequests;
  readonly #takesEow: boolean;
  /** By our numbers, the lowest free one first: below maxSessions. */
  readonly #channels = new Map<number, SessionChannel>();
  /** Channels with lower numbers have existed. */
  #usedNumbers = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#globals = new GlobalRequests(options);
    this.#takesEow = /^SSH-[\d.]+-OpenSSH/.test(
      Buffer.from(options.peerVersion).toString("latin1"),
    );
  }

  announceHostKeys(): void {
    this.#globals.announceHostKeys();
  }

  /** Names of the terminals that are in use. */
  get terminalNames(): string[] {
    return [...this.#channels.values()].flatMap(({ terminalName }) => terminalName ?? []);
  }

  receive(payload: Uint8Array): boolean {
    const type = payload[0] ?? 0;
    switch (type) {
      case msg.SSH_MSG_USERAUTH_REQUEST:
        return true; // RFC 4252 section 5.1: silently ignored after success
      case msg.SSH_MSG_GLOBAL_REQUEST:
        this.#globals.receive(payload);
        return true;
      case msg.SSH_MSG_REQUEST_SUCCESS:
      case msg.SSH_MSG_REQUEST_FAILURE:
        return true; // to a keepalive, or to nothing
      case msg.SSH_MSG_CHANNEL_OPEN:
        this.#open(new WireReader(payload, 1));
        return true;
      case msg.SSH_MSG_CHANNEL_OPEN_CONFIRMATION:
      case msg.SSH_MSG_CHANNEL_OPEN_FAILURE:
        throw new PeerFault("WRONG_DIRECTION", `Cannot take message ${type}: we open no channels`);
      case msg.SSH_MSG_CHANNEL_WINDOW_ADJUST:
      case msg.SSH_MSG_CHANNEL_DATA:
      case msg.SSH_MSG_CHANNEL_EXTENDED_DATA:
      case msg.SSH_MSG_CHANNEL_EOF:
      case msg.SSH_MSG_CHANNEL_CLOSE:
      case msg.SSH_MSG_CHANNEL_REQUEST:
      case msg.SSH_MSG_CHANNEL_SUCCESS:
      case msg.SSH_MSG_CHANNEL_FAILURE:
        this.#channelMessage(type, payload);
        return true;
      default:
        return false;
    }
  }

  roomAvailable(): void {
    // Who comes first changes, so that no channel starves the others.
    const channels = [...this.#channels.values()];
    this.#turn += 1;
    const first = this.#turn % Math.max(1, channels.length);
    for (const channel of [...channels.slice(first), ...channels.slice(0, first)])
      channel.roomAvailable();
  }
  #turn = 0;

  /** The program of channel `channel` has ended. */
  exited(channel: number, exit: ProgramExit): void {
    this.#channels.get(channel)?.exited(exit);
  }

  /** Asks the client for a sign of life: any answer will do. sshd asks on a channel where there is one. */
  askIfAlive(): void {
    const name = "keepalive@openssh.com";
    const channel = [...this.#channels.values()].find(({ isOpen }) => isOpen);
    const writer =
      channel === undefined
        ? new WireWriter().byte(msg.SSH_MSG_GLOBAL_REQUEST)
        : new WireWriter().byte(msg.SSH_MSG_CHANNEL_REQUEST).uint32(channel.remote);
    this.#options.sender.send(writer.string(name).bool(true).finish());
  }

  /** The connection has ended: closes what the channels hold. */
  release(): void {
    for (const channel of this.#channels.values()) channel.release();
    this.#channels.clear();
  }

  #channelMessage(type: number, payload: Uint8Array): void {
    const reader = new WireReader(payload, 1);
    const number = reader.uint32();
    const channel = this.#channels.get(number);
    if (channel !== undefined) {
      channel.receive(type, payload, reader);
      return;
    }
    if (isHarmlesslyLate(type) && number < this.#usedNumbers) return;
    throw new PeerFault("UNKNOWN_CHANNEL", `Cannot take message ${type}: no channel ${number}`);
  }

  #open(reader: WireReader): void {
    const type = reader.name();
    const remote = reader.uint32();
    const windowBytes = reader.uint32();
    const maxPacket = reader.uint32();
    const refuse = (reason: OpenFailure, text: string): void => {
      const writer = new WireWriter().byte(msg.SSH_MSG_CHANNEL_OPEN_FAILURE).uint32(remote);
      writer.uint32(openFailures[reason]).string(text).string("");
      this.#options.sender.send(writer.finish());
    };
    if (type !== "session") {
      if (refusedTypes.has(type)) refuse("administrativelyProhibited", "open failed");
      else refuse("unknownChannelType", "unknown channel type");
      return;
    }
    reader.end();
    if (this.#globals.noMoreSessions) {
      const text = "Possible attack: attempt to open a session after additional sessions disabled";
      throw new PeerFault("OUT_OF_PHASE", text, { tell: text });
    }
    // It would carry nothing, for ever.
    if (maxPacket === 0) refuse("connectFailed", "maximum packet size is 0");
    else if (this.#channels.size >= this.#options.maxSessions)
      refuse("connectFailed", "open failed");
    else this.#openSession(remote, new SendWindow(windowBytes, maxPacket));
  }

  #openSession(remote: number, sendWindow: SendWindow): void {
    const { sender, host, events } = this.#options;
    const receiveWindowBytes =
      this.#channels.size < wideChannels ? sessionWindowBytes : narrowWindowBytes;
    let local = 0;
    while (this.#channels.has(local)) local += 1;
    const channel = new SessionChannel({
      local,
      remote,
      receiveWindowBytes,
      sendWindow,
      sender,
      host,
      takesEow: this.#takesEow,
      events: {
        started: (description) => {
          events.sessionStarted(local, description);
        },
        refused: (what, why) => {
          events.sessionRefused(local, what, why);
        },
        terminalOpened: events.terminalsChanged,
        gone: () => {
          this.#channels.delete(local);
          events.sessionClosed(local);
          if (channel.terminalName !== null) events.terminalsChanged();
        },
      },
    });
    this.#channels.set(local, channel);
    this.#usedNumbers = Math.max(this.#usedNumbers, local + 1);
    sender.send(
      new WireWriter()
        .byte(msg.SSH_MSG_CHANNEL_OPEN_CONFIRMATION)
        .uint32(remote)
        .uint32(local)
        .uint32(receiveWindowBytes)
        .uint32(maxDataBytes)
        .finish(),
    );
  }
}
