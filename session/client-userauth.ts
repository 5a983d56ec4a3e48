// The client's side of user authentication (RFC 4252): publickey in all its forms, and none. For the rehearsal, the tests, the fuzzer.
import { PeerFault } from "../ipc/peer-fault.ts";
import type { PayloadReceiver } from "./ssh/layers.ts";
import * as msg from "./ssh/message-numbers.ts";
import type { Transport } from "./ssh/transport.ts";
import { hostBoundMethod } from "./ssh/userauth-request.ts";
import { WireReader, WireWriter } from "./ssh/wire.ts";

/** A user's key pair. */
export interface ClientKey {
  readonly algorithm: string;
  readonly blob: Uint8Array;
  /** The whole signature blob: string algorithm, string signature. */
  sign(data: Uint8Array): Uint8Array;
}
export interface ClientUserauthEvents {
  /** The service was accepted: attempts may be made. */
  readonly ready: () => void;
  readonly banner?: (text: Uint8Array) => void;
  readonly failed: (methods: readonly string[], isPartial: boolean) => void;
  readonly keyAcceptable?: (blob: Uint8Array) => void;
  readonly succeeded: () => void;
}

const service = "ssh-connection";

/** What a publickey request consists of before its signature (RFC 4252 section 7, OpenSSH PROTOCOL section 3.1). */
export function publicKeyRequest(
  user: Uint8Array | string,
  key: Pick<ClientKey, "algorithm" | "blob">,
  isSigned: boolean,
  hostKey: Uint8Array | null,
): Uint8Array {
  const writer = new WireWriter(512)
    .byte(msg.SSH_MSG_USERAUTH_REQUEST)
    .string(user)
    .string(service)
    .string(hostKey === null ? "publickey" : hostBoundMethod)
    .bool(isSigned)
    .string(key.algorithm)
    .string(key.blob);
  return (hostKey === null ? writer : writer.string(hostKey)).finish();
}

/** What the signature is over. */
export const signedData = (sessionId: Uint8Array, request: Uint8Array): Uint8Array =>
  new WireWriter(request.length + 128).string(sessionId).bytes(request).finish();

export class ClientUserauth implements PayloadReceiver {
  readonly #transport: Transport;
  readonly #user: string;
  readonly #events: ClientUserauthEvents;

  constructor(transport: Transport, user: string, events: ClientUserauthEvents) {
    this.#transport = transport;
    this.#user = user;
    this.#events = events;
  }

  /** Asks for the service. */
  begin(): void {
    this.#transport.send(
      new WireWriter().byte(msg.SSH_MSG_SERVICE_REQUEST).string("ssh-userauth").finish(),
    );
  }

  none(): void {
    this.#transport.send(
      new WireWriter()
        .byte(msg.SSH_MSG_USERAUTH_REQUEST)
        .string(this.#user)
        .string(service)
        .string("none")
        .finish(),
    );
  }
  /** May this key be used? */
  query(key: ClientKey): void {
    this.#transport.send(publicKeyRequest(this.#user, key, false, null));
  }
  sign(key: ClientKey, isHostBound: boolean): void {
    const { sessionId, hostKeyBlob } = this.#transport;
    const request = publicKeyRequest(this.#user, key, true, isHostBound ? hostKeyBlob : null);
    const signature = key.sign(signedData(sessionId, request));
    this.#transport.send(request, new WireWriter(256).string(signature).finish());
  }

  receive(payload: Uint8Array): boolean {
    const reader = new WireReader(payload);
    const type = reader.byte();
    switch (type) {
      case msg.SSH_MSG_SERVICE_ACCEPT:
        this.#events.ready();
        return true;
      case msg.SSH_MSG_USERAUTH_BANNER:
        this.#events.banner?.(reader.string());
        return true;
      case msg.SSH_MSG_USERAUTH_FAILURE: {
        const methods = reader.nameList();
        const isPartial = reader.bool();
        reader.end();
        this.#events.failed(methods, isPartial);
        return true;
      }
      case msg.SSH_MSG_USERAUTH_PK_OK: {
        reader.name();
        const blob = reader.string();
        reader.end();
        this.#events.keyAcceptable?.(blob);
        return true;
      }
      case msg.SSH_MSG_USERAUTH_SUCCESS:
        reader.end();
        this.#events.succeeded();
        return true;
      default:
        throw new PeerFault("OUT_OF_PHASE", `Cannot take message ${type} while authenticating`);
    }
  }
  roomAvailable(): void {
    // Nothing here is large.
  }
}
