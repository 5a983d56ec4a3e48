// The monitor: answers the session process's requests one at a time and decides authentication. It believes nothing that it can recompute,
// and does no I/O of its own: the world (broker/world.ts) is handed to it.
import type { Config } from "../config/load.ts";
import { PeerFault } from "../ipc/peer-fault.ts";
import type { Request } from "../ipc/monitor.ts";
import { Authentication } from "./authentication.ts";
import { endEvents } from "./end-lines.ts";
import { lineOfSession } from "./session-lines.ts";
import { PermitState } from "./permit-state.ts";
import type { Phase } from "./permits.ts";
import type { World } from "./world.ts";

export interface ConnectionFacts {
  /** The listener's number of it. */
  readonly connection: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}
export interface HostKeyFacts {
  readonly blob: Uint8Array;
  readonly algorithms: readonly string[];
}

type BodyOf<K extends Request["name"]> = Extract<Request, { name: K }>["body"];
const logLevels = ["error", "info", "verbose", "debug1", "debug2", "debug3"] as const;
/** RFC 8308 and we know one service only; sshd likewise. */
const service = Buffer.from("ssh-connection");

export class Monitor {
  readonly #world: World;
  readonly #config: Config;
  readonly #hostKeys: readonly HostKeyFacts[];
  readonly #permits = new PermitState();
  readonly #proved = new Set<string>();
  #facts: ConnectionFacts | undefined;
  #authentication: Authentication | undefined;
  #sessionId: Uint8Array | undefined;
  #initialHostKey: Uint8Array | undefined;
  #ended = false;
  /** A request whose answer is still to come (signer, failure delay): the next one is not read before. */
  #busy = false;

  constructor(world: World, config: Config, hostKeys: readonly HostKeyFacts[]) {
    this.#world = world;
    this.#config = config;
    this.#hostKeys = hostKeys;
  }

  get phase(): Phase {
    return this.#permits.phase;
  }
  /** Uses left of a request in this phase. */
  left(request: Request["name"]): number {
    return this.#permits.left(request);
  }
  /** True while no further request may be handed in. */
  get isBusy(): boolean {
    return this.#busy;
  }
  /** Called when `isBusy` has become false again. */
  onIdle: () => void = () => undefined;

  /** The connection that the listener gave to this pair. */
  begin(facts: ConnectionFacts): void {
    this.#facts = facts;
    const { remoteAddress, remotePort, localAddress, localPort } = facts;
    this.#world.log({
      level: "verbose",
      code: "connection.accepted",
      text: `Connection from ${remoteAddress} port ${remotePort} on ${localAddress} port ${localPort} rdomain ""`,
      fields: { remoteAddress, remotePort, localAddress, localPort },
    });
  }

  /** The name for titles and lines once it is certain. */
  get user(): string | undefined {
    return this.phase === "postauth" ? this.#authentication?.displayName : undefined;
  }

  /** One request. Throws PeerFault when the table, or what is known already, refuses it: the connection must end. */
  handle(request: Request): void {
    if (this.#busy)
      throw new PeerFault(
        "FLOOD",
        `Cannot answer ${request.name}: the request before it is not answered`,
      );
    this.#permits.spend(request.name);
    switch (request.name) {
      case "confined":
        this.#permits.enter("handover", "confined");
        return;
      case "adopted":
        if (this.#facts === undefined)
          throw new PeerFault("MISMATCH", "Cannot hand over: no connection was given");
        this.#permits.enter("kex", "adopted");
        return;
      case "sign":
        this.#sign(request.id, request.body);
        return;
      case "lookupUser":
        this.#lookupUser(request.id, request.body);
        return;
      case "authNone":
        this.#auth().none(request.id);
        this.#refuseAfterTooMany(request.name);
        return;
      case "authUnsupported":
        this.#auth().unsupported(request.id);
        this.#refuseAfterTooMany(request.name);
        return;
      case "publickeyQuery":
        this.#auth().query(request.id, request.body);
        this.#refuseAfterTooMany(request.name);
        return;
      case "publickeySign":
        this.#auth().signed(
          request.id,
          request.body,
          this.#sessionId ?? new Uint8Array(),
          this.#initialHostKey,
        );
        this.#refuseAfterTooMany(request.name);
        return;
      case "proveHostKey":
        this.#prove(request.id, request.body);
        return;
      case "log":
        this.#log(request.body);
        return;
      case "ended":
        this.#sessionEnded(request.body);
        return;
    }
  }

  /** The session process is gone, or broke the rules, or its time is up: one event, and the end. */
  abort(
    end: "crash" | "violation" | "grace-exceeded" | "refused",
    code: string,
    text: string,
    fields: Readonly<Record<string, string | number>> = {},
  ): void {
    if (this.#ended) return;
    this.#world.log({
      level: end === "violation" || end === "crash" ? "error" : "info",
      code,
      text,
      fields: { ...this.#peerFields(), ...fields },
    });
    this.#end(end, 0, 0);
  }
  /** `Connection closed by ...` when the session process ended without a word because the listener or user asked. */
  get peerText(): string {
    return this.#facts === undefined
      ? "UNKNOWN port 65535"
      : `${this.#facts.remoteAddress} port ${this.#facts.remotePort}`;
  }
  get isAuthenticated(): boolean {
    return this.phase === "postauth" || this.#authentication?.succeeded === true;
  }

  #peerFields(): Record<string, string | number> {
    return this.#facts === undefined
      ? {}
      : { remoteAddress: this.#facts.remoteAddress, remotePort: this.#facts.remotePort };
  }

  #auth(): Authentication {
    if (this.#authentication === undefined)
      throw new Error("Cannot authenticate: no user was looked up");
    return this.#authentication;
  }

  #wait(): () => void {
    this.#busy = true;
    return () => {
      this.#busy = false;
      if (!this.#ended) this.onIdle();
    };
  }

  /** MaxAuthTries is kept here too: the session process may not care for "too many". */
  #refuseAfterTooMany(by: Request["name"]): void {
    if (this.#auth().isExhausted) this.#permits.enter("refused", by);
  }

  #sign(id: number, body: BodyOf<"sign">): void {
    const key = this.#hostKeys.find(({ algorithms }) => algorithms.includes(body.hostKeyAlgorithm));
    if (key === undefined)
      throw new PeerFault("MISMATCH", "Cannot sign: no host key of ours serves that algorithm");
    const done = this.#wait();
    this.#world.sign("exchange", body, (signed) => {
      if (this.#ended) return;
      if (signed === null) {
        this.abort("refused", "signer.refused", "the signer refused an exchange hash");
        return;
      }
      if (this.#sessionId === undefined) {
        // The first exchange hash of a connection is its session id (RFC 4253 section 7.2).
        this.#sessionId = signed.exchangeHash;
        this.#initialHostKey = key.blob;
        this.#permits.enter("lookup", "sign");
      }
      this.#world.answer("signed", id, signed);
      done();
    });
  }

  #lookupUser(id: number, body: BodyOf<"lookupUser">): void {
    if (!Buffer.from(body.service).equals(service))
      throw new PeerFault("MISMATCH", "Cannot look up user: unknown service");
    const facts = this.#facts;
    if (facts === undefined) throw new Error("Cannot look up user: no connection yet");
    const authentication = new Authentication(this.#world, this.#config, facts, body, {
      wait: () => this.#wait(),
      isOver: () => this.#ended,
      succeeded: () => {
        this.#permits.enter("postauth", "publickeySign");
      },
    });
    this.#authentication = authentication;
    const { options } = authentication;
    if (options.refuseConnection) {
      this.abort(
        "refused",
        "connection.refused",
        `Connection from ${this.peerText} refused by RefuseConnection`,
      );
      return;
    }
    this.#permits.enter("authenticating", "lookupUser");
    const banner =
      options.banner === "" ? new Uint8Array() : this.#world.readBanner(options.banner);
    this.#world.answer("userAccepted", id, { banner });
  }

  #prove(id: number, body: BodyOf<"proveHostKey">): void {
    const name = Buffer.from(body.blob).toString("base64");
    const key = this.#hostKeys.find(({ blob }) => Buffer.from(blob).equals(body.blob));
    if (key?.algorithms.includes(body.algorithm) !== true)
      throw new PeerFault("MISMATCH", "Cannot prove host key: not ours");
    if (this.#proved.has(name))
      throw new PeerFault("SPENT", "Cannot prove host key: proved once already");
    this.#proved.add(name);
    const done = this.#wait();
    const sessionId = this.#sessionId ?? new Uint8Array();
    this.#world.sign("proof", { ...body, sessionId }, (signed) => {
      if (this.#ended) return;
      if (signed === null) {
        this.abort("refused", "signer.refused", "the signer refused a host key proof");
        return;
      }
      this.#world.answer("proved", id, { signature: signed.signature });
      done();
    });
  }

  #log({ level, code, text }: BodyOf<"log">): void {
    if (!/^[a-z][a-z0-9.-]{0,39}$/.test(code))
      throw new PeerFault("MALFORMED", "Cannot log: not the name of an event");
    const user = this.isAuthenticated ? (this.#authentication?.displayName ?? "") : null;
    this.#world.log({
      level: logLevels[level] ?? "info",
      code: `session.${code}`,
      text: lineOfSession(Buffer.from(text).toString("utf8"), user, this.peerText),
      preauth: !this.isAuthenticated,
      fields: this.#peerFields(),
    });
  }

  #sessionEnded(body: BodyOf<"ended">): void {
    const isPreauth = !this.isAuthenticated;
    const name = this.#authentication?.displayName;
    const who = ((): string => {
      if (name === undefined) return "";
      if (!isPreauth) return `user ${name} `;
      return this.#authentication?.isValid === true
        ? `authenticating user ${name} `
        : `invalid user ${name} `;
    })();
    for (const event of endEvents(body, { peer: this.peerText, who, isPreauth })) {
      this.#world.log({ ...event, fields: { ...this.#peerFields(), ...event.fields } });
    }
    this.#end(
      isPreauth ? (this.#authentication?.failureEnd ?? "no-auth") : "ok",
      body.bytesReceived,
      body.bytesSent,
    );
  }

  #end(end: Parameters<World["end"]>[0], bytesReceived: number, bytesSent: number): void {
    this.#ended = true;
    this.#permits.end();
    this.#world.end(end, bytesReceived, bytesSent);
  }
}
