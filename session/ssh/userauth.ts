// User authentication (RFC 4252, RFC 8332, OpenSSH PROTOCOL section 3.1) as the process sees it that decides nothing: it reads the
// client's requests, asks the broker, and writes the answer.
import { disconnectReasons, PeerFault, quote } from "../../ipc/peer-fault.ts";
import type { AuthOutcome } from "../../ipc/monitor.ts";
import { maxKeyBlobBytes, maxSignatureBytes, maxUserBytes } from "../../ipc/limits.ts";
import type { PacketSender, PayloadReceiver } from "./layers.ts";
import * as msg from "./message-numbers.ts";
import { WireReader, WireWriter } from "./wire.ts";

/** One attempt, in the words of the broker's protocol. */
export type Attempt =
  | { readonly method: "none" }
  | { readonly method: "unsupported"; readonly name: Uint8Array }
  | { readonly method: "publickeyQuery"; readonly algorithm: string; readonly blob: Uint8Array }
  | {
      readonly method: "publickeySign";
      readonly algorithm: string;
      readonly blob: Uint8Array;
      readonly signature: Uint8Array;
      /** Present for publickey-hostbound-v00@openssh.com. */
      readonly hostKey?: Uint8Array;
    };
export interface AuthAnswer {
  readonly outcome: AuthOutcome;
  readonly methods: string;
}
/** Who decides. Each function calls back once, or never when the connection ends; `success` is told to the layer's owner instead. */
export interface Authenticator {
  lookupUser(user: Uint8Array, service: Uint8Array, done: (banner: Uint8Array) => void): void;
  attempt(attempt: Attempt, done: (answer: AuthAnswer) => void): void;
}

/** Requests that a client may send ahead of our answers. */
const maxQueued = 16;
/** sshd's cap on attempts, whatever they are. */
const maxAttempts = 1024;
const service = Buffer.from("ssh-connection");
const hostBoundMethod = "publickey-hostbound-v00@openssh.com";
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export class Userauth implements PayloadReceiver {
  readonly #sender: PacketSender;
  readonly #authenticator: Authenticator;
  readonly #fail: (fault: PeerFault) => void;
  #isServiceAccepted = false;
  #user: Uint8Array | undefined;
  readonly #queue: Uint8Array[] = [];
  #isBusy = false;
  #attempts = 0;

  /** `fail` ends the connection for a fault found outside `receive`. */
  constructor(
    sender: PacketSender,
    authenticator: Authenticator,
    fail: (fault: PeerFault) => void,
  ) {
    this.#sender = sender;
    this.#authenticator = authenticator;
    this.#fail = fail;
  }

  receive(payload: Uint8Array): boolean {
    const type = payload[0] ?? 0;
    if (type === msg.SSH_MSG_SERVICE_REQUEST) {
      this.#serviceRequest(payload);
      return true;
    }
    if (type !== msg.SSH_MSG_USERAUTH_REQUEST) return false;
    if (!this.#isServiceAccepted) {
      throw new PeerFault("OUT_OF_PHASE", "Cannot authenticate: the service was not asked for");
    }
    if (this.#isBusy) {
      if (this.#queue.length >= maxQueued)
        throw new PeerFault("FLOOD", "Cannot queue another authentication request");
      this.#queue.push(payload.slice());
    } else this.#request(payload);
    return true;
  }
  roomAvailable(): void {
    // Nothing here is sent without being asked for.
  }

  #serviceRequest(payload: Uint8Array): void {
    const reader = new WireReader(payload, 1);
    const name = reader.name();
    reader.end();
    if (this.#isServiceAccepted || name !== "ssh-userauth") {
      throw new PeerFault("OUT_OF_PHASE", `bad service request ${quote(name)}`, {
        disconnectReason: disconnectReasons.serviceNotAvailable,
        tell: `bad service request ${name.slice(0, 64)}`,
      });
    }
    this.#isServiceAccepted = true;
    this.#sender.send(new WireWriter().byte(msg.SSH_MSG_SERVICE_ACCEPT).string(name).finish());
  }

  #request(payload: Uint8Array): void {
    this.#attempts += 1;
    if (this.#attempts > maxAttempts)
      throw new PeerFault("FLOOD", "Cannot take another authentication request");
    const reader = new WireReader(payload, 1);
    const user = reader.string();
    const asked = reader.string();
    const method = reader.name();
    const attempt = readAttempt(method, reader);
    if (!same(asked, service)) {
      throw new PeerFault("OUT_OF_PHASE", `Cannot authenticate for service ${quote(asked)}`, {
        disconnectReason: disconnectReasons.serviceNotAvailable,
      });
    }
    this.#isBusy = true;
    const known = this.#user;
    if (known === undefined) {
      if (user.length > maxUserBytes)
        throw new PeerFault("OUT_OF_BOUNDS", `Cannot take a user name of ${user.length} bytes`);
      this.#user = user.slice();
      this.#authenticator.lookupUser(this.#user, service, (banner) => {
        if (banner.length > 0) {
          this.#sender.send(
            new WireWriter().byte(msg.SSH_MSG_USERAUTH_BANNER).string(banner).string("").finish(),
          );
        }
        this.#ask(attempt);
      });
      return;
    }
    if (!same(known, user)) {
      const text = `Change of username or service not allowed: (${printable(known)},ssh-connection) -> (${printable(user)},ssh-connection)`;
      throw new PeerFault("MISMATCH", text, { tell: text });
    }
    this.#ask(attempt);
  }

  #ask(attempt: Attempt): void {
    this.#authenticator.attempt(attempt, (answer) => {
      this.#answer(attempt, answer);
    });
  }

  #answer(attempt: Attempt, { outcome, methods }: AuthAnswer): void {
    switch (outcome) {
      case "keyAcceptable":
        if (attempt.method !== "publickeyQuery")
          throw new Error("Cannot answer: no key was asked about");
        this.#sender.send(
          new WireWriter()
            .byte(msg.SSH_MSG_USERAUTH_PK_OK)
            .string(attempt.algorithm)
            .string(attempt.blob)
            .finish(),
        );
        break;
      case "failure":
      case "partial":
        this.#sender.send(
          new WireWriter()
            .byte(msg.SSH_MSG_USERAUTH_FAILURE)
            .string(methods)
            .bool(outcome === "partial")
            .finish(),
        );
        break;
      case "tooMany":
        this.#sender.disconnect(
          disconnectReasons.protocolError,
          "Too many authentication failures",
        );
        return;
    }
    this.#isBusy = false;
    const next = this.#queue.shift();
    if (next === undefined) return;
    try {
      this.#request(next);
    } catch (fault) {
      if (!(fault instanceof PeerFault)) throw fault;
      this.#fail(fault);
    }
  }
}

const printable = (bytes: Uint8Array): string =>
  Buffer.from(bytes.subarray(0, 100))
    .toString("latin1")
    .replace(/[^ -~]/g, "?");

/** The method's own fields. What is well formed but beyond our bounds is a method that we do not have: it fails. */
function readAttempt(method: string, reader: WireReader): Attempt {
  const unsupported: Attempt = { method: "unsupported", name: Buffer.from(method.slice(0, 64)) };
  if (method === "none") {
    reader.end();
    return { method };
  }
  if (method !== "publickey" && method !== hostBoundMethod) return unsupported;
  const isSigned = reader.bool();
  const algorithm = reader.name();
  const blob = reader.string().slice();
  const hostKey = method === hostBoundMethod ? reader.string().slice() : undefined;
  const signature = isSigned ? reader.string().slice() : undefined;
  reader.end();
  const isTooLong =
    algorithm.length > 64 ||
    blob.length > maxKeyBlobBytes ||
    (hostKey?.length ?? 0) > maxKeyBlobBytes ||
    (signature?.length ?? 0) > maxSignatureBytes;
  if (isTooLong) return unsupported;
  if (signature === undefined) return { method: "publickeyQuery", algorithm, blob };
  return {
    method: "publickeySign",
    algorithm,
    blob,
    signature,
    ...(hostKey === undefined ? {} : { hostKey }),
  };
}
