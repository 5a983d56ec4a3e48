// A broker's stand-in in memory: answers as the real one does, about one user with one key. For the rehearsal and the tests; what
// decides for real is in broker/.
import { generateKeyPairSync, sign } from "node:crypto";
import { answers, authOutcomes, requests, type AuthOutcome, type Request } from "../ipc/monitor.ts";
import { decode, encode, type Body } from "../ipc/protocol.ts";
import type { MessageHandlers } from "../native/message-socket.ts";
import type { ClientKey } from "./client-userauth.ts";
import type { AnswerBody, MonitorPort } from "./monitor-client.ts";
import { exchangeHash } from "./ssh/exchange-hash.ts";
import { kexMethod } from "./ssh/kex-methods.ts";
import type { ExchangeParts, HostPublicKey } from "./ssh/layers.ts";
import { WireWriter } from "./ssh/wire.ts";

/** A key pair in memory, for a host or a user. */
export function makeKey(): ClientKey & HostPublicKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const algorithm = "ssh-ed25519";
  const raw = publicKey.export({ format: "raw-public" });
  return {
    algorithm,
    algorithms: [algorithm],
    blob: new WireWriter().string(algorithm).string(raw).finish().slice(),
    sign: (data) =>
      new WireWriter()
        .string(algorithm)
        .string(sign(null, data, privateKey))
        .finish()
        .slice(),
  };
}

export interface RehearsalMonitorOptions {
  readonly hostKey: ClientKey;
  readonly userKey: Pick<ClientKey, "blob">;
  readonly banner?: Uint8Array;
  readonly granted?: Partial<AnswerBody<"authenticated">>;
  /** Every failure is followed by this; "tooMany" ends the connection. */
  readonly failure?: AuthOutcome;
  /** The descriptor that comes with `authenticated`. */
  readonly workerFd: () => number;
}

const methods = "publickey";

/** Requests and answers go through their codecs, as on a socket; answers come later. */
export class RehearsalMonitor implements MonitorPort {
  readonly isDrained = true;
  readonly #handlers: MessageHandlers<typeof answers>;
  readonly #options: RehearsalMonitorOptions;
  /** Every request, in order. */
  readonly seen: Request[] = [];
  /** Answers that are held back while `isHolding`. */
  readonly #held: (() => void)[] = [];
  isHolding = false;
  #sessionId: Uint8Array = new Uint8Array(0);

  constructor(handlers: MessageHandlers<typeof answers>, options: RehearsalMonitorOptions) {
    this.#handlers = handlers;
    this.#options = options;
  }

  send<K extends keyof typeof requests>(
    name: K,
    id: number,
    body: Body<(typeof requests)[K]>,
  ): void {
    const request = decode(requests, encode(requests, name, id, body), 0);
    this.seen.push(request);
    this.#serve(request);
  }

  /** Lets held answers go. */
  release(): void {
    this.isHolding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  answer<K extends keyof typeof answers>(
    name: K,
    id: number,
    body: Body<(typeof answers)[K]>,
    fds: readonly number[] = [],
  ): void {
    const message = decode(answers, encode(answers, name, id, body), fds.length);
    const deliver = (): void => {
      queueMicrotask(() => {
        this.#handlers.message(message, fds);
      });
    };
    if (this.isHolding) this.#held.push(deliver);
    else deliver();
  }

  #serve(request: Request): void {
    const { id } = request;
    switch (request.name) {
      case "sign":
        this.answer("signed", id, this.#signExchange(request.body));
        return;
      case "lookupUser":
        this.answer("userAccepted", id, { banner: this.#options.banner ?? new Uint8Array(0) });
        return;
      case "authNone":
      case "authUnsupported":
        this.#outcome(id, this.#options.failure ?? "failure");
        return;
      case "publickeyQuery":
        this.#outcome(id, this.#isKnown(request.body.blob) ? "keyAcceptable" : "failure");
        return;
      case "publickeySign":
        if (this.#isKnown(request.body.blob)) this.#succeed(id);
        else this.#outcome(id, "failure");
        return;
      case "proveHostKey":
        this.answer("proved", id, { signature: this.#prove(request.body.blob) });
        return;
      case "confined":
      case "adopted":
      case "log":
      case "ended":
    }
  }

  #isKnown(blob: Uint8Array): boolean {
    return Buffer.compare(blob, this.#options.userKey.blob) === 0;
  }
  #outcome(id: number, outcome: AuthOutcome): void {
    this.answer("authResult", id, { outcome: authOutcomes.indexOf(outcome), methods });
  }
  #succeed(id: number): void {
    const { granted, workerFd } = this.#options;
    const body = {
      clientAliveIntervalMs: 0,
      clientAliveCountMax: 3,
      maxSessions: 10,
      rekeyBytes: 0,
      rekeySeconds: 0,
      user: "rehearsal",
      ...granted,
    };
    this.answer("authenticated", id, body, [workerFd()]);
  }

  #signExchange(parts: ExchangeParts): AnswerBody<"signed"> {
    const { hostKey } = this.#options;
    const hash = exchangeHash(kexMethod(parts.kex).hash, parts, hostKey.blob);
    if (this.#sessionId.length === 0) this.#sessionId = hash;
    return { exchangeHash: hash, signature: hostKey.sign(hash) };
  }
  #prove(blob: Uint8Array): Uint8Array {
    const name = "hostkeys-prove-00@openssh.com";
    const writer = new WireWriter(512).string(name).string(this.#sessionId).string(blob);
    return this.#options.hostKey.sign(writer.finish());
  }
}
