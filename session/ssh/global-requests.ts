// Global requests (RFC 4254 section 4, OpenSSH PROTOCOL sections 2.2 and 2.5), answered in the order in which they came.
import type { HostPublicKey, PacketSender } from "./layers.ts";
import {
  SSH_MSG_GLOBAL_REQUEST,
  SSH_MSG_REQUEST_FAILURE,
  SSH_MSG_REQUEST_SUCCESS,
} from "./message-numbers.ts";
import { ReplyQueue } from "./reply-queue.ts";
import { WireReader, WireWriter } from "./wire.ts";

export interface GlobalRequestOptions {
  readonly sender: PacketSender;
  readonly hostKeys: readonly HostPublicKey[];
  /** The host key algorithm of the key exchange: an RSA key proves itself by the same where it is one of its own. */
  readonly hostKeyAlgorithm: string;
  /** Asks the broker, which grants each key once a connection. */
  proveHostKey(blob: Uint8Array, algorithm: string, done: (signature: Uint8Array) => void): void;
}

/** Requests that may wait behind a proof. */
const maxPendingRequests = 64;
/** As the broker's table has it. */
const maxProofs = 16;
const nothing = new Uint8Array(0);

export class GlobalRequests {
  readonly #options: GlobalRequestOptions;
  readonly #proved = new Set<HostPublicKey>();
  /** Null: REQUEST_FAILURE; else what follows in REQUEST_SUCCESS. */
  readonly #replies: ReplyQueue<Uint8Array | null>;
  /** no-more-sessions@openssh.com: what opens one afterwards is not the client any more. */
  noMoreSessions = false;

  constructor(options: GlobalRequestOptions) {
    this.#options = options;
    this.#replies = new ReplyQueue<Uint8Array | null>(maxPendingRequests, (content) => {
      const type = content === null ? SSH_MSG_REQUEST_FAILURE : SSH_MSG_REQUEST_SUCCESS;
      options.sender.send(Uint8Array.of(type), content ?? nothing);
    });
  }

  /** All our host keys, for clients that keep more than one (PROTOCOL section 2.5). */
  announceHostKeys(): void {
    const writer = new WireWriter(1024)
      .byte(SSH_MSG_GLOBAL_REQUEST)
      .string("hostkeys-00@openssh.com")
      .bool(false);
    for (const { blob } of this.#options.hostKeys) writer.string(blob);
    this.#options.sender.send(writer.finish());
  }

  /** Throws PeerFault. */
  receive(payload: Uint8Array): void {
    const reader = new WireReader(payload, 1);
    const name = reader.name();
    const wantReply = reader.bool();
    const settle = this.#replies.expect(wantReply);
    switch (name) {
      case "no-more-sessions@openssh.com":
        reader.end();
        this.noMoreSessions = true;
        settle(nothing);
        return;
      case "hostkeys-prove-00@openssh.com":
        this.#prove(wantReply ? this.#provable(reader) : null, settle);
        return;
      default:
        // Forwarding is not offered; keepalive@openssh.com wants any answer, and sshd gives this one.
        settle(null);
    }
  }

  /** The keys that are asked about; null unless each is ours and has not been proved yet: the request fails as a whole, as with sshd. */
  #provable(reader: WireReader): HostPublicKey[] | null {
    const asked: HostPublicKey[] = [];
    while (reader.remaining > 0) {
      const blob = reader.string();
      const key = this.#options.hostKeys.find((own) => Buffer.compare(own.blob, blob) === 0);
      if (key === undefined || asked.includes(key) || this.#proved.has(key)) return null;
      asked.push(key);
    }
    return asked.length === 0 || this.#proved.size + asked.length > maxProofs ? null : asked;
  }

  /** One proof after the other: string signature, in the order of the keys. */
  #prove(keys: HostPublicKey[] | null, settle: (content: Uint8Array | null) => void): void {
    if (keys === null) {
      settle(null);
      return;
    }
    for (const key of keys) this.#proved.add(key);
    const writer = new WireWriter(1024);
    const proveNext = (at: number): void => {
      const key = keys[at];
      if (key === undefined) {
        settle(writer.finish());
        return;
      }
      const { hostKeyAlgorithm: negotiated } = this.#options;
      const algorithm = key.algorithms.includes(negotiated)
        ? negotiated
        : (key.algorithms[0] ?? "");
      this.#options.proveHostKey(key.blob, algorithm, (signature) => {
        writer.string(signature);
        proveNext(at + 1);
      });
    };
    proveNext(0);
  }
}
