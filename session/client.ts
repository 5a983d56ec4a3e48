// An SSH client on the same transport: the other end of the zygote's rehearsal, of the tests and of the fuzzer. Driven by callbacks, without
// an opinion of its own about what to do; what it sends can be replaced by anything through `transport`.
import { PeerFault } from "../ipc/peer-fault.ts";
import {
  ClientChannel,
  defaultChannelOptions,
  type ClientChannelEvents,
  type ClientChannelOptions,
} from "./client-channel.ts";
import { ClientUserauth, type ClientKey } from "./client-userauth.ts";
import type { ByteStream, PayloadReceiver } from "./ssh/layers.ts";
import * as msg from "./ssh/message-numbers.ts";
import { Transport } from "./ssh/transport.ts";
import type { AlgorithmPreferences, EndReason } from "./ssh/transport-options.ts";
import { WireReader, WireWriter } from "./ssh/wire.ts";

export interface ClientEvents {
  /** Keys are agreed on and userauth may begin. */
  readonly ready: () => void;
  readonly banner?: (text: Uint8Array) => void;
  readonly authFailed?: (methods: readonly string[], isPartial: boolean) => void;
  readonly keyAcceptable?: (blob: Uint8Array) => void;
  readonly authenticated?: () => void;
  /** A global request of the server's; the reader stands behind want_reply. */
  readonly globalRequest?: (name: string, reader: WireReader) => void;
  readonly kex?: (inProgress: boolean) => void;
  readonly ended?: (end: EndReason) => void;
}
export interface ClientOptions {
  readonly stream: ByteStream;
  readonly user: string;
  readonly algorithms: AlgorithmPreferences;
  readonly verifyHostKey: (blob: Uint8Array) => boolean;
  readonly events: ClientEvents;
  readonly version?: string;
}

export class Client implements PayloadReceiver {
  readonly transport: Transport;
  readonly #events: ClientEvents;
  readonly #channels = new Map<number, ClientChannel>();
  readonly #globalReplies: ((content: Uint8Array | null) => void)[] = [];
  readonly #userauth: ClientUserauth;

  constructor({ stream, user, algorithms, verifyHostKey, events, version }: ClientOptions) {
    this.#events = events;
    const transport = new Transport({
      role: { side: "client", verifyHostKey },
      stream,
      version: version ?? "SSH-2.0-sallyport_client",
      algorithms,
      onEstablished: () => {
        transport.setReceiver(this.#userauth);
        this.#userauth.begin();
      },
      onKex: (inProgress) => events.kex?.(inProgress),
      onEnd: (end) => events.ended?.(end),
    });
    this.transport = transport;
    this.#userauth = new ClientUserauth(transport, user, {
      ready: events.ready,
      banner: (text) => events.banner?.(text),
      failed: (methods, isPartial) => events.authFailed?.(methods, isPartial),
      keyAcceptable: (blob) => events.keyAcceptable?.(blob),
      succeeded: () => {
        transport.setReceiver(this);
        transport.markAuthenticated();
        events.authenticated?.();
      },
    });
  }

  start(): void {
    this.transport.start();
  }
  authenticateNone(): void {
    this.#userauth.none();
  }
  queryKey(key: ClientKey): void {
    this.#userauth.query(key);
  }
  authenticate(key: ClientKey, isHostBound = true): void {
    this.#userauth.sign(key, isHostBound);
  }

  openChannel(
    events: ClientChannelEvents,
    options: Partial<ClientChannelOptions> = {},
  ): ClientChannel {
    let local = 0;
    while (this.#channels.has(local)) local += 1;
    const channel = new ClientChannel(this.transport, local, events, {
      ...defaultChannelOptions,
      ...options,
    });
    this.#channels.set(local, channel);
    channel.open();
    return channel;
  }

  /** `done` gets what REQUEST_SUCCESS holds, or null; without it no reply is asked for. */
  globalRequest(
    name: string,
    content: Uint8Array = new Uint8Array(0),
    done?: (content: Uint8Array | null) => void,
  ): void {
    if (done !== undefined) this.#globalReplies.push(done);
    const writer = new WireWriter().byte(msg.SSH_MSG_GLOBAL_REQUEST).string(name);
    this.transport.send(
      writer
        .bool(done !== undefined)
        .bytes(content)
        .finish(),
    );
  }

  receive(payload: Uint8Array): boolean {
    const reader = new WireReader(payload);
    const type = reader.byte();
    switch (type) {
      case msg.SSH_MSG_GLOBAL_REQUEST: {
        const name = reader.name();
        if (reader.bool()) this.transport.send(Uint8Array.of(msg.SSH_MSG_REQUEST_FAILURE));
        this.#events.globalRequest?.(name, reader);
        return true;
      }
      case msg.SSH_MSG_REQUEST_SUCCESS:
      case msg.SSH_MSG_REQUEST_FAILURE: {
        const isGranted = type === msg.SSH_MSG_REQUEST_SUCCESS;
        this.#globalReplies.shift()?.(isGranted ? reader.rest() : null);
        return true;
      }
      default:
        if (type < msg.SSH_MSG_CHANNEL_OPEN || type > msg.SSH_MSG_CHANNEL_FAILURE) return false;
        this.#channelMessage(type, reader);
        return true;
    }
  }
  roomAvailable(): void {
    for (const channel of this.#channels.values()) channel.roomAvailable();
  }

  #channelMessage(type: number, reader: WireReader): void {
    const number = reader.uint32();
    const channel = this.#channels.get(number);
    if (channel === undefined)
      throw new PeerFault("UNKNOWN_CHANNEL", `Cannot take message ${type}: no channel ${number}`);
    channel.receive(type, reader);
    if (channel.hasReceivedClose || type === msg.SSH_MSG_CHANNEL_OPEN_FAILURE)
      this.#channels.delete(number);
  }
}
