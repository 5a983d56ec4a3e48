// Takes connections from the listening sockets: socket options, MaxStartups, and then to the pool. Not a byte of them is read here.
import { randomInt } from "node:crypto";
import type { ServerOptions } from "../../config/options.ts";
import { closeFd, writeFd } from "../../native/descriptors.ts";
import type { Poller } from "../../native/poller.ts";
import {
  accept,
  setKeepAlive,
  setNoDelay,
  setTypeOfService,
  type Accepted,
} from "../../native/sockets.ts";
import type { EventSink } from "../events.ts";
import type { Connection } from "../pool/pair.ts";
import type { ListeningSocket } from "./listening-sockets.ts";
import { isDropped, Throttle } from "./max-startups.ts";

/** Connections taken from one socket before the others, and everything else, have their turn. */
const acceptsATurn = 32;
/** Without a descriptor to spare, as sshd: a rest, in which connections end. */
const pauseMs = 100;
/** RFC 4253 section 4.2 lets a server send lines before its identification; clients show it. */
const refusal = new TextEncoder().encode("Not allowed at this time\r\n");

export interface AcceptorHandlers {
  /** Takes the descriptor. */
  accepted(connection: Connection, fd: number): void;
  /** Connections that have not authenticated. */
  startups(): number;
}

export class Acceptor {
  readonly #poller: Poller;
  readonly #events: EventSink;
  readonly #handlers: AcceptorHandlers;
  readonly #throttle = new Throttle();
  #options: ServerOptions;
  #sockets: readonly ListeningSocket[] = [];
  #pause: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(
    poller: Poller,
    events: EventSink,
    options: ServerOptions,
    handlers: AcceptorHandlers,
  ) {
    this.#poller = poller;
    this.#events = events;
    this.#options = options;
    this.#handlers = handlers;
  }

  get sockets(): readonly ListeningSocket[] {
    return this.#sockets;
  }

  /** Accepts from these from now on; they stay the caller's, who closes a socket only after this has let it go. */
  listen(sockets: readonly ListeningSocket[], options: ServerOptions): void {
    this.stop();
    this.#options = options;
    this.#sockets = sockets;
    for (const { fd } of sockets)
      this.#poller.set(fd, true, false, () => {
        this.#accept(fd);
      });
  }

  /** Accepts nothing any more. */
  stop(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    for (const { fd } of this.#sockets) this.#poller.remove(fd);
    this.#sockets = [];
  }

  #accept(listeningFd: number): void {
    for (let i = 0; i < acceptsATurn; i += 1) {
      if (!this.#sockets.some(({ fd }) => fd === listeningFd)) return; // a handler has stopped us
      let accepted: Accepted | null;
      try {
        accepted = accept(listeningFd);
      } catch (error) {
        this.#rest(error);
        return;
      }
      if (accepted === null) return;
      this.#take(accepted);
    }
  }

  #take(accepted: Accepted): void {
    const { fd, address, port, localAddress, localPort } = accepted;
    if (this.#isRefused(accepted)) {
      try {
        writeFd(fd, refusal, 0, refusal.length);
      } catch {
        // The client has gone already: that is what was wanted.
      }
      closeFd(fd);
      return;
    }
    try {
      setNoDelay(fd);
      if (this.#options.tcpKeepAlive) setKeepAlive(fd);
      const [, bulk] = this.#options.ipQos;
      if (bulk >= 0) setTypeOfService(fd, bulk);
    } catch {
      // A reset connection refuses options; its session process sees the reset.
    }
    this.#count += 1;
    const connection: Connection = {
      number: this.#count,
      remoteAddress: address,
      remotePort: port,
      localAddress,
      localPort,
      acceptedMs: performance.now(),
    };
    this.#handlers.accepted(connection, fd);
  }

  #isRefused({ address, port, localAddress, localPort }: Accepted): boolean {
    const { maxStartups } = this.#options;
    const startups = this.#handlers.startups();
    const now = performance.now();
    if (!isDropped(startups, maxStartups, randomInt(100))) {
      const line = this.#throttle.passed(startups, maxStartups, now);
      if (line !== undefined) this.#events.event("info", "startups.throttle-ended", line);
      return false;
    }
    const { summary, dropLevel } = this.#throttle.dropped(now);
    if (summary !== undefined) this.#events.event(summary.level, "startups.throttle", summary.text);
    this.#events.event(
      dropLevel,
      "connection.dropped",
      `drop connection #${startups} from [${address}]:${port} on [${localAddress}]:${localPort} Maxstartups`,
      { fields: { address, port, startups, reason: "MaxStartups" } },
    );
    return true;
  }

  /** accept(2) failed: out of descriptors or memory. */
  #rest(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#events.event("error", "accept.failed", `accept: ${why}`);
    for (const { fd } of this.#sockets) this.#poller.set(fd, false, false);
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      for (const { fd } of this.#sockets) this.#poller.set(fd, true, false);
    }, pauseMs);
  }
}
