// User authentication (RFC 4252, RFC 8332, OpenSSH PROTOCOL section 3.1) as the process sees it that decides nothing: it reads the
// client's requests, asks the broker one at a time, and writes the answers.
import { maxAuthRequests, maxUserBytes } from "../../ipc/limits.ts";
import type { AuthOutcome } from "../../ipc/monitor.ts";
import { disconnectReasons, PeerFault, quote } from "../../ipc/peer-fault.ts";
import type { PacketSender, PayloadReceiver } from "./layers.ts";
import * as msg from "./message-numbers.ts";
import { readUserauthRequest, type Attempt, type UserauthRequest } from "./userauth-request.ts";
import { WireReader, WireWriter } from "./wire.ts";

export interface AuthAnswer {
  readonly outcome: AuthOutcome;
  /** As a name-list. */
  readonly methods: string;
}
/** Who decides. Each calls back once, or never when the connection ends; success is told to the layer's owner instead. */
export interface Authenticator {
  lookupUser(user: Uint8Array, service: Uint8Array, done: (banner: Uint8Array) => void): void;
  attempt(attempt: Attempt, done: (answer: AuthAnswer) => void): void;
}
export interface UserauthOptions {
  readonly sender: PacketSender;
  readonly authenticator: Authenticator;
  /** K_S of the first key exchange. */
  readonly hostKeyBlob: Uint8Array;
  /** Ends the connection for a fault that is found outside `receive`. */
  fail(fault: PeerFault): void;
}

/** Requests that a client may send ahead of our answers, and their bytes. */
const maxQueued = 8;
const maxQueuedBytes = 128 * 1024;
const service = Buffer.from("ssh-connection");
const tooMany = "Too many authentication failures";
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
/** For SSH_MSG_DISCONNECT: a peer's bytes, as far as they are fit to be printed. */
const printable = (bytes: Uint8Array): string =>
  Buffer.from(bytes.subarray(0, 128))
    .toString("latin1")
    .replace(/[^ -~]/g, "?");

export class Userauth implements PayloadReceiver {
  readonly #options: UserauthOptions;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isServiceAccepted = false;
  /** The user that the broker was asked to look up: there is one a connection. */
  #user: Uint8Array | null = null;
  /** A request waits for the broker. */
  #isBusy = false;
  #received = 0;

  constructor(options: UserauthOptions) {
    this.#options = options;
  }

  receive(payload: Uint8Array): boolean {
    const type = payload[0] ?? 0;
    // What is not ours the transport refuses: 80 to 255 too (RFC 4252 section 6), and what only a server says.
    if (type !== msg.SSH_MSG_SERVICE_REQUEST && type !== msg.SSH_MSG_USERAUTH_REQUEST) return false;
    this.#received += 1;
    if (this.#received > maxAuthRequests) {
      // sshd stops at 1024; the broker's permits end here.
      throw new PeerFault("FLOOD", "Cannot take message: too many before authentication", {
        tell: tooMany,
      });
    }
    if (type === msg.SSH_MSG_SERVICE_REQUEST) this.#serviceRequest(payload);
    else this.#userauthRequest(payload);
    return true;
  }

  roomAvailable(): void {
    // Nothing here is sent without being asked for.
  }

  /** Some clients ask anew before each method; sshd grants it as often as they like. */
  #serviceRequest(payload: Uint8Array): void {
    const reader = new WireReader(payload, 1);
    const name = reader.name();
    reader.end();
    if (name !== "ssh-userauth") {
      throw new PeerFault("OUT_OF_PHASE", `bad service request ${quote(name)}`, {
        tell: `bad service request ${name.slice(0, 64)}`,
      });
    }
    this.#isServiceAccepted = true;
    this.#options.sender.send(
      new WireWriter().byte(msg.SSH_MSG_SERVICE_ACCEPT).string(name).finish(),
    );
  }

  #userauthRequest(payload: Uint8Array): void {
    if (!this.#isServiceAccepted)
      throw new PeerFault("OUT_OF_PHASE", "Cannot authenticate: the service was not asked for");
    if (!this.#isBusy) {
      this.#serve(readUserauthRequest(payload));
      return;
    }
    this.#queuedBytes += payload.length;
    if (this.#queue.length >= maxQueued || this.#queuedBytes > maxQueuedBytes)
      throw new PeerFault("FLOOD", "Cannot queue authentication request: too many wait");
    this.#queue.push(payload.slice());
  }

  #serve({ user, service: asked, attempt, hostKey }: UserauthRequest): void {
    const { authenticator, hostKeyBlob, sender } = this.#options;
    const known = this.#user;
    if (known !== null && (!same(known, user) || !same(asked, service))) {
      const text =
        `Change of username or service not allowed: (${printable(known)},ssh-connection) -> ` +
        `(${printable(user)},${printable(asked)})`;
      throw new PeerFault("MISMATCH", text, { tell: text });
    }
    if (!same(asked, service)) {
      throw new PeerFault("OUT_OF_PHASE", `Cannot authenticate for service ${quote(asked)}`, {
        disconnectReason: disconnectReasons.serviceNotAvailable,
      });
    }
    if (hostKey !== null && !same(hostKey, hostKeyBlob))
      throw new PeerFault("MISMATCH", "Cannot authenticate: bound to a host key that is not ours");
    if (user.length > maxUserBytes)
      throw new PeerFault("OUT_OF_BOUNDS", `Cannot look up user: name of ${user.length} bytes`);
    this.#isBusy = true;
    if (known !== null) {
      this.#ask(attempt);
      return;
    }
    this.#user = user;
    authenticator.lookupUser(user, service, (banner) => {
      if (banner.length > 0) {
        sender.send(
          new WireWriter(banner.length + 16)
            .byte(msg.SSH_MSG_USERAUTH_BANNER)
            .string(banner)
            .string("")
            .finish(),
        );
      }
      this.#ask(attempt);
    });
  }

  #ask(attempt: Attempt): void {
    this.#options.authenticator.attempt(attempt, (answer) => {
      this.#answer(attempt, answer);
    });
  }

  #answer(attempt: Attempt, { outcome, methods }: AuthAnswer): void {
    const { sender } = this.#options;
    switch (outcome) {
      case "keyAcceptable":
        if (attempt.method !== "publickeyQuery")
          throw new TypeError("Cannot answer: no key was asked about");
        sender.send(
          new WireWriter(512)
            .byte(msg.SSH_MSG_USERAUTH_PK_OK)
            .string(attempt.algorithm)
            .string(attempt.blob)
            .finish(),
        );
        break;
      case "failure":
      case "partial":
        sender.send(
          new WireWriter()
            .byte(msg.SSH_MSG_USERAUTH_FAILURE)
            .string(methods)
            .bool(outcome === "partial")
            .finish(),
        );
        break;
      case "tooMany":
        sender.disconnect(disconnectReasons.protocolError, tooMany);
        return;
    }
    this.#isBusy = false;
    this.#serveNext();
  }

  #serveNext(): void {
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#queuedBytes -= next.length;
    try {
      this.#serve(readUserauthRequest(next));
    } catch (fault) {
      if (!(fault instanceof PeerFault)) throw fault;
      this.#options.fail(fault);
    } finally {
      // It may hold a password.
      next.fill(0);
    }
  }
}
