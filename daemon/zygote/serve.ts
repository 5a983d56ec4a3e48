// The zygote's whole life after its rehearsal: wait in poll(2), fork, report. No event loop, so that a forked child inherits no handle
// and no timer (docs/decisions/0006).
import { maxMessageBytes } from "../../ipc/limits.ts";
import { zygoteOrders, zygoteReports, type ZygoteOrder } from "../../ipc/listener.ts";
import { decode, encode, type Body } from "../../ipc/protocol.ts";
import { closeFd } from "../../native/descriptors.ts";
import { forkProcess, openPidFd, waitPid, waitReadable } from "../../native/process.ts";
import { populate, type PagesOfPair } from "../../native/prefault.ts";
import { receiveMessage, sendMessage } from "../../native/sockets.ts";
import { PageHabits } from "./page-habits.ts";

/** What a process is after `serve` returns: a forked child, or the zygote that nobody needs any more. */
export type Role =
  | {
      readonly role: "broker";
      readonly listenerFd: number;
      readonly signerFd: number;
      readonly pages: PagesOfPair;
    }
  /** Waits on `orderFd` to be told for whom: await-identity.ts. */
  | { readonly role: "login"; readonly orderFd: number }
  | { readonly role: "done" };

type Configure = Body<(typeof zygoteOrders)["configure"]>;

/** The listener always reads; this is for the moment in which its buffer is full. */
const fullBufferWaitMs = 5;
const forever = -1;
/**
 * An order leaves some 10 KB of garbage in V8's new space. A child begins where the zygote stood: were it full, each child would have to collect
 * it, and copy all pages that this touches.
 */
const ordersBetweenCollections = 16;

class Zygote {
  readonly #controlFd: number;
  readonly #buffer = new Uint8Array(maxMessageBytes + 1);
  /** pidfd -> every child not reaped yet. */
  readonly #children = new Map<
    number,
    { readonly pid: number; readonly kind: "broker" | "login" }
  >();
  readonly #habits = new PageHabits();
  #ordersUncollected = 0;
  #watched: Int32Array;

  constructor(controlFd: number) {
    this.#controlFd = controlFd;
    this.#watched = Int32Array.of(controlFd);
  }

  /** The next order with its descriptors; undefined when the listener has closed. Children that end meanwhile are reaped. */
  next(): { order: ZygoteOrder; fds: number[] } | undefined {
    for (;;) {
      this.#collect();
      const ready = waitReadable(this.#watched, forever);
      for (const fd of ready) if (fd !== this.#controlFd) this.#reap(fd);
      if (!ready.includes(this.#controlFd)) continue;
      const received = receiveMessage(this.#controlFd, this.#buffer);
      if (received === null) continue;
      if (received.length === 0) return undefined;
      const bytes = this.#buffer.subarray(0, received.length);
      if (received.truncated) throw new RangeError("Cannot read order: longer than its limit");
      return { order: decode(zygoteOrders, bytes, received.fds.length), fds: received.fds };
    }
  }

  report<K extends keyof typeof zygoteReports>(
    name: K,
    body: Body<(typeof zygoteReports)[K]>,
  ): void {
    const bytes = encode(zygoteReports, name, 0, body);
    while (!sendMessage(this.#controlFd, bytes, 0, bytes.length, []))
      waitReadable(new Int32Array(0), fullBufferWaitMs);
  }

  /** True in the child, which keeps `fds` and nothing else of what the zygote opened. In the zygote they are closed. */
  fork(kind: "broker" | "login", fds: readonly number[]): boolean {
    // A login is at work when the pool is filled again behind it.
    if (kind === "broker") this.look("login");
    const pid = forkProcess(false);
    if (pid === 0) {
      // A broker is about to fork, which would share again what it has copied: broker/session-process.ts.
      if (kind === "login") populate(this.#habits.of(kind));
      closeFd(this.#controlFd);
      for (const pidFd of this.#children.keys()) closeFd(pidFd);
      return true;
    }
    fds.forEach(closeFd);
    this.#children.set(openPidFd(pid), { pid, kind });
    this.#watch();
    this.report("forked", { pid });
    return false;
  }

  /** At the children of a kind that have work. */
  look(kind: "broker" | "login"): void {
    for (const child of this.#children.values())
      if (child.kind === kind && this.#habits.look(kind, child.pid))
        this.#ordersUncollected = ordersBetweenCollections;
  }

  /** Between two orders, when the child of the last one is on its way. */
  #collect(): void {
    this.#ordersUncollected += 1;
    if (this.#ordersUncollected < ordersBetweenCollections) return;
    this.#ordersUncollected = 0;
    globalThis.gc?.({ type: "minor", execution: "sync" });
  }

  get pagesOfPair(): PagesOfPair {
    return { broker: this.#habits.of("broker"), session: this.#habits.of("session") };
  }

  #reap(pidFd: number): void {
    const pid = this.#children.get(pidFd)?.pid;
    if (pid === undefined) return;
    const ended = waitPid(pid, true);
    if (ended === null) return;
    closeFd(pidFd);
    this.#children.delete(pidFd);
    this.#watch();
    const bySignal = ended.signal !== undefined;
    const status = ended.signal ?? ended.status ?? 0;
    this.report("childEnded", { pid, status, bySignal, cpuUs: ended.cpuUs });
  }

  #watch(): void {
    this.#watched = Int32Array.from([this.#controlFd, ...this.#children.keys()]);
  }
}

/**
 * Serves the listener on `controlFd` (a non-blocking SOCK_SEQPACKET socket). `configure` rehearses; it runs once, before any fork. Returns
 * in each child with its role, and in the zygote when the listener has closed. Orders come from our own listener: one that
 * cannot be read is a bug, and throws.
 */
export function serve(controlFd: number, configure: (order: Configure) => void): Role {
  const zygote = new Zygote(controlFd);
  for (;;) {
    const received = zygote.next();
    if (received === undefined) return { role: "done" };
    const { order, fds } = received;
    switch (order.name) {
      case "configure":
        configure(order.body);
        zygote.report("ready", {});
        break;
      case "pair": {
        const [listenerFd = -1, signerFd = -1] = fds;
        if (zygote.fork("broker", fds))
          return { role: "broker", listenerFd, signerFd, pages: zygote.pagesOfPair };
        break;
      }
      case "login": {
        const [orderFd = -1] = fds;
        if (zygote.fork("login", fds)) return { role: "login", orderFd };
        break;
      }
      case "look":
        zygote.look("broker");
        break;
    }
  }
}
