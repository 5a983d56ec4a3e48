// The connection layer (RFC 4254): channels and global requests. It begins with authentication's success and lasts to the end.
import { PeerFault } from "../../ipc/peer-fault.ts";
import type { Poller } from "../../native/poller.ts";
import { initialWindow, maxPacketBytes } from "./channel-input.ts";
import type { HostPublicKey, PacketSender, PayloadReceiver } from "./layers.ts";
import * as msg from "./message-numbers.ts";
import type { ProgramHost } from "./program-host.ts";
import { SessionChannel, type ExitFacts } from "./session-channel.ts";
import { WireReader, WireWriter } from "./wire.ts";

/** Reasons of CHANNEL_OPEN_FAILURE (section 5.1). */
const openFailure = {
  administrativelyProhibited: 1,
  connectFailed: 2,
  unknownType: 3,
  resourceShortage: 4,
} as const;
/** Global requests that may wait for a host key proof before them. */
const maxQueuedGlobals = 64;
const maxProofs = 16;

export interface ConnectionOptions {
  readonly sender: PacketSender;
  readonly poller: Poller;
  readonly host: ProgramHost;
  readonly hostKeys: readonly HostPublicKey[];
  readonly maxSessions: number;
  readonly peerVersion: Uint8Array;
  proveHostKey(blob: Uint8Array, algorithm: string, done: (signature: Uint8Array) => void): void;
  log(code: string, text: string, channel: number): void;
  /** For a fault found outside `receive`. */
  fail(fault: PeerFault): void;
}

export class Connection implements PayloadReceiver {
  readonly #options: ConnectionOptions;
  readonly #channels = new Map<number, SessionChannel>();
  readonly #globals: Uint8Array[] = [];
  #isProving = false;
  #noMoreSessions = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** OpenSSH PROTOCOL section 2.5: all our host keys, for clients that keep more than one. */
  announceHostKeys(): void {
    const writer = new WireWriter()
      .byte(msg.SSH_MSG_GLOBAL_REQUEST)
      .string("hostkeys-00@openssh.com")
      .bool(false);
    for (const key of this.#options.hostKeys) writer.string(key.blob);
    this.#options.sender.send(writer.finish());
  }

  receive(payload: Uint8Array): boolean {
    const type = payload[0] ?? 0;
    switch (type) {
      case msg.SSH_MSG_USERAUTH_REQUEST:
        return true; // RFC 4252 section 5.1: silently ignored after success
      case msg.SSH_MSG_GLOBAL_REQUEST:
        this.#globalRequest(payload);
        return true;
      case msg.SSH_MSG_REQUEST_SUCCESS:
      case msg.SSH_MSG_REQUEST_FAILURE:
        return true; // answers to our keepalives: that they came is all that counts
      case msg.SSH_MSG_CHANNEL_OPEN:
        this.#open(new WireReader(payload, 1));
        return true;
      case msg.SSH_MSG_CHANNEL_WINDOW_ADJUST:
      case msg.SSH_MSG_CHANNEL_DATA:
      case msg.SSH_MSG_CHANNEL_EXTENDED_DATA:
      case msg.SSH_MSG_CHANNEL_EOF:
      case msg.SSH_MSG_CHANNEL_CLOSE:
      case msg.SSH_MSG_CHANNEL_REQUEST:
      case msg.SSH_MSG_CHANNEL_SUCCESS:
      case msg.SSH_MSG_CHANNEL_FAILURE: {
        const reader = new WireReader(payload, 1);
        const number = reader.uint32();
        const channel = this.#channels.get(number);
        if (channel === undefined)
          throw new PeerFault(
            "UNKNOWN_CHANNEL",
            `Cannot take message ${type}: no channel ${number}`,
          );
        channel.receive(type, payload, reader);
        return true;
      }
      case msg.SSH_MSG_CHANNEL_OPEN_CONFIRMATION:
      case msg.SSH_MSG_CHANNEL_OPEN_FAILURE:
        throw new PeerFault("UNKNOWN_CHANNEL", `Cannot take message ${type}: we opened no channel`);
      default:
        return false;
    }
  }

  roomAvailable(): void {
    for (const channel of this.#channels.values()) channel.resume();
  }

  exited(channel: number, facts: ExitFacts): void {
    this.#channels.get(channel)?.exited(facts);
  }
  /** The worker is gone: every program's channel ends. */
  abandon(): void {
    for (const channel of [...this.#channels.values()]) channel.abandon();
  }
  get hasChannels(): boolean {
    return this.#channels.size > 0;
  }
  release(): void {
    for (const channel of this.#channels.values()) channel.release();
    this.#channels.clear();
  }

  #open(reader: WireReader): void {
    const type = reader.name();
    const remote = reader.uint32();
    const window = reader.uint32();
    const maxPacket = reader.uint32();
    const refuse = (reason: number, text: string): void => {
      this.#options.sender.send(
        new WireWriter()
          .byte(msg.SSH_MSG_CHANNEL_OPEN_FAILURE)
          .uint32(remote)
          .uint32(reason)
          .string(text)
          .string("")
          .finish(),
      );
    };
    if (
      type === "direct-tcpip" ||
      type === "direct-streamlocal@openssh.com" ||
      type === "tun@openssh.com"
    ) {
      refuse(openFailure.administrativelyProhibited, "open failed");
      return;
    }
    if (type !== "session") {
      refuse(openFailure.unknownType, "unknown channel type");
      return;
    }
    reader.end();
    if (this.#noMoreSessions) {
      throw new PeerFault(
        "OUT_OF_PHASE",
        "Possible attack: attempt to open a session after additional sessions disabled",
      );
    }
    // A packet of no bytes would carry nothing for ever.
    if (maxPacket === 0) {
      refuse(openFailure.resourceShortage, "maximum packet size is 0");
      return;
    }
    if (this.#channels.size >= this.#options.maxSessions) {
      refuse(openFailure.connectFailed, "open failed");
      return;
    }
    this.#openSession(remote, window, maxPacket);
  }

  #openSession(remote: number, window: number, maxPacket: number): void {
    const { sender, poller, host, peerVersion } = this.#options;
    let local = 0;
    while (this.#channels.has(local)) local += 1;
    this.#channels.set(
      local,
      new SessionChannel({
        local,
        remote,
        window,
        maxPacket,
        sender,
        poller,
        host,
        takesEow: Buffer.from(peerVersion).includes("OpenSSH"),
        log: (code, text) => {
          this.#options.log(code, text, local);
        },
        gone: () => {
          this.#options.log("close", "", local);
          this.#channels.delete(local);
        },
      }),
    );
    sender.send(
      new WireWriter()
        .byte(msg.SSH_MSG_CHANNEL_OPEN_CONFIRMATION)
        .uint32(remote)
        .uint32(local)
        .uint32(initialWindow)
        .uint32(maxPacketBytes)
        .finish(),
    );
  }

  /** Answers have no number: a request behind one that waits, waits. */
  #globalRequest(payload: Uint8Array): void {
    if (!this.#isProving) this.#serveGlobal(payload);
    else if (this.#globals.length >= maxQueuedGlobals)
      throw new PeerFault("FLOOD", "Cannot queue another global request");
    else this.#globals.push(payload.slice());
  }

  #serveGlobal(payload: Uint8Array): void {
    const reader = new WireReader(payload, 1);
    const name = reader.name();
    const wantReply = reader.bool();
    switch (name) {
      case "no-more-sessions@openssh.com":
        reader.end();
        this.#noMoreSessions = true;
        if (wantReply) this.#reply(msg.SSH_MSG_REQUEST_SUCCESS);
        return;
      case "hostkeys-prove-00@openssh.com":
        if (wantReply) this.#prove(reader);
        return;
      default:
        // Forwarding is not offered; keepalive@openssh.com wants any answer, and sshd gives this one.
        if (wantReply) this.#reply(msg.SSH_MSG_REQUEST_FAILURE);
    }
  }
  #reply(type: number, content: Uint8Array = new Uint8Array()): void {
    this.#options.sender.send(new WireWriter().byte(type).bytes(content).finish());
  }

  /** One proof after another, by the broker's leave; keys that are not ours fail the whole request, as with sshd. */
  #prove(reader: WireReader): void {
    const keys: HostPublicKey[] = [];
    while (reader.remaining > 0) {
      const blob = reader.string();
      const key = this.#options.hostKeys.find((own) => Buffer.compare(own.blob, blob) === 0);
      if (key === undefined || keys.includes(key) || keys.length >= maxProofs) {
        this.#reply(msg.SSH_MSG_REQUEST_FAILURE);
        return;
      }
      keys.push(key);
    }
    this.#isProving = true;
    const writer = new WireWriter(1024);
    const proveNext = (): void => {
      const key = keys.shift();
      if (key === undefined) {
        this.#isProving = false;
        this.#reply(msg.SSH_MSG_REQUEST_SUCCESS, writer.finish());
        this.#serveQueued();
        return;
      }
      this.#options.proveHostKey(key.blob, key.algorithms[0] ?? "", (signature) => {
        writer.string(signature);
        proveNext();
      });
    };
    proveNext();
  }
  #serveQueued(): void {
    try {
      for (let next = this.#globals.shift(); next !== undefined; next = this.#globals.shift()) {
        this.#globalRequest(next);
        if (this.#isProving) return;
      }
    } catch (fault) {
      if (!(fault instanceof PeerFault)) throw fault;
      this.#options.fail(fault);
    }
  }
}
