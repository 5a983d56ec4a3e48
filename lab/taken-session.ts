// What an attacker does who has taken a session process over: in the real process, behind the real filter, with nothing but its two sockets.
// The client's connection carries orders; the broker's socket gets whatever they say. lab/take-over.ts puts this into a copy of the server.
import { mkdirSync } from "node:fs";
import { closeFd, readFd, WOULD_BLOCK, writeFd } from "../native/descriptors.ts";
import type { Poller } from "../native/poller.ts";
import { exitNow } from "../native/process.ts";
import { receiveMessage, sendMessage } from "../native/sockets.ts";
import { maxMessageBytes } from "../ipc/limits.ts";
import { encodeFrame, FrameReader, orders, reports, type Frame } from "./relay.ts";

const chunkBytes = 64 * 1024;

class TakenSession {
  readonly #poller: Poller;
  readonly #monitorFd: number;
  readonly #clientFd: number;
  readonly #frames = new FrameReader();
  readonly #buffer = new Uint8Array(maxMessageBytes + 1);
  /** To the broker, which may not read. */
  readonly #orders: Frame[] = [];
  /** To the client. */
  readonly #reports: Uint8Array[] = [];
  #reads = true;
  #isMonitorOpen = true;

  constructor(poller: Poller, monitorFd: number, clientFd: number) {
    this.#poller = poller;
    this.#monitorFd = monitorFd;
    this.#clientFd = clientFd;
    this.#report(reports.taken, 0, new Uint8Array());
    this.#interest();
  }

  #interest(): void {
    const hasOrders = this.#orders.length > 0;
    if (this.#isMonitorOpen)
      this.#poller.set(this.#monitorFd, this.#reads, hasOrders, this.#monitorReady);
    // One order at a time: what cannot be sent yet is not read yet.
    this.#poller.set(this.#clientFd, !hasOrders, this.#reports.length > 0, this.#clientReady);
  }

  readonly #monitorReady = (readable: boolean, _writable: boolean, hungUp: boolean): void => {
    if (readable && this.#reads) this.#receive();
    if (hungUp && this.#isMonitorOpen) this.#monitorGone();
    this.#obey();
    this.#interest();
  };
  readonly #clientReady = (readable: boolean): void => {
    if (readable) this.#listen();
    this.#obey();
    this.#flush();
    this.#interest();
  };

  #listen(): void {
    const chunk = new Uint8Array(chunkBytes);
    const got = readFd(this.#clientFd, chunk, 0, chunk.length);
    if (got === 0) exitNow(0);
    if (got !== WOULD_BLOCK) this.#orders.push(...this.#frames.take(chunk.subarray(0, got)));
  }

  #obey(): void {
    for (let order = this.#orders[0]; order !== undefined; order = this.#orders[0]) {
      if (order.kind === orders.send && !this.#send(order)) return;
      if (order.kind === orders.closeMonitor) this.#monitorGone();
      if (order.kind === orders.stopReading) this.#reads = false;
      if (order.kind === orders.forbiddenCall) mkdirSync("/taken");
      this.#orders.shift();
    }
  }

  /** False: the broker does not read now. */
  #send({ bytes, descriptors }: Frame): boolean {
    if (!this.#isMonitorOpen) return true;
    try {
      // Nothing at all, as one packet: our own sendMessage does not do that.
      if (bytes.length === 0 && descriptors === 0)
        return writeFd(this.#monitorFd, bytes, 0, 0) !== WOULD_BLOCK;
      const fds = new Array<number>(descriptors).fill(this.#clientFd);
      return sendMessage(this.#monitorFd, bytes, 0, bytes.length, fds);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException; // errors of native/ carry it
      this.#report(reports.sendFailed, 0, Buffer.from(code));
      return true;
    }
  }

  #receive(): void {
    for (;;) {
      const received = receiveMessage(this.#monitorFd, this.#buffer);
      if (received === null) return;
      if (received.length === 0 && received.fds.length === 0) {
        this.#monitorGone();
        return;
      }
      this.#report(reports.message, received.fds.length, this.#buffer.slice(0, received.length));
    }
  }

  #monitorGone(): void {
    if (!this.#isMonitorOpen) return;
    this.#isMonitorOpen = false;
    this.#poller.remove(this.#monitorFd);
    closeFd(this.#monitorFd);
    this.#report(reports.monitorClosed, 0, new Uint8Array());
  }

  #report(kind: number, descriptors: number, bytes: Uint8Array): void {
    this.#reports.push(encodeFrame({ kind, descriptors, bytes }));
    this.#flush();
  }
  #flush(): void {
    for (let next = this.#reports[0]; next !== undefined; next = this.#reports[0]) {
      const wrote = writeFd(this.#clientFd, next, 0, next.length);
      if (wrote === WOULD_BLOCK) return;
      this.#reports.shift();
      if (wrote < next.length) this.#reports.unshift(next.subarray(wrote));
    }
  }
}

/** From now on this process is the attacker's. Both descriptors are its own. */
export function takeOver(poller: Poller, monitorFd: number, clientFd: number): void {
  new TakenSession(poller, monitorFd, clientFd);
}
