// The listener's side of one zygote: its socket, its children, and how it came to an end.
import { zygoteOrders, zygoteReports, type ZygoteReport } from "../../ipc/listener.ts";
import type { Identity } from "../../ipc/worker.ts";
import {
  MessageSocket,
  type MessageHandlers,
  type MessageTap,
} from "../../native/message-socket.ts";
import type { Poller } from "../../native/poller.ts";
import { seqpacketPair } from "../../native/sockets.ts";
import { spawnControlled, type StartControlled } from "../runtime.ts";
import { WaitingLogin } from "./waiting-login.ts";

export type ChildKind = "broker" | "login";
/** A forked process that has ended, as the zygote reaped it. */
export interface ChildEnd {
  readonly pid: number;
  readonly kind: ChildKind;
  /** Exit status, or the signal's number when `bySignal`. */
  readonly status: number;
  readonly bySignal: boolean;
  readonly cpuUs: number;
}
export interface ZygoteHandlers {
  /** The first it says: what the canary found. With a `fault` other than "" it ends, and must not be served with. */
  fitness(zygote: ZygoteProcess, fault: string, milliseconds: number): void;
  /** Rehearsed: it forks from now on. */
  ready(zygote: ZygoteProcess): void;
  childEnded(zygote: ZygoteProcess, end: ChildEnd): void;
  /** Its socket is closed: it has died, or could not start. Not called after `release`. */
  gone(zygote: ZygoteProcess): void;
}
export interface ZygoteOptions {
  readonly poller: Poller;
  /** The configuration in a memory file, stays the caller's. */
  readonly snapshotFd: number;
  /** Where it and its children write what no log line was made for; stays the caller's. */
  readonly stderrFd: number;
  readonly nullFd: number;
  /** V8's flags for its heap, which its children inherit. */
  readonly heapFlags: readonly string[];
  /** Who starts it, when this process does not. */
  readonly start?: StartControlled | undefined;
  /** For a recording. */
  readonly tap?: MessageTap | undefined;
}

interface PendingFork {
  readonly kind: ChildKind;
  readonly forked: (pid: number) => void;
}

export class ZygoteProcess {
  readonly pid: number;
  readonly #socket: MessageSocket<typeof zygoteReports, typeof zygoteOrders>;
  readonly #handlers: ZygoteHandlers;
  readonly #children = new Map<number, ChildKind>();
  readonly #poller: Poller;
  /** Forked ahead; no user yet. */
  readonly #logins = new Set<WaitingLogin>();
  /** Orders not answered yet: the zygote answers in order. */
  readonly #pending: PendingFork[] = [];
  #isReady = false;
  #isRetired = false;
  #forks = 0;

  constructor(options: ZygoteOptions, handlers: ZygoteHandlers) {
    this.#handlers = handlers;
    this.#poller = options.poller;
    const { pid, controlFd } = (options.start ?? spawnControlled)("zygote/start", {
      ...options,
      flags: ["--expose-gc", ...options.heapFlags],
      moreFds: [options.snapshotFd],
    });
    this.pid = pid;
    const reports: MessageHandlers<typeof zygoteReports> = {
      message: (report) => {
        this.#report(report);
      },
      closed: () => {
        this.#isReady = false;
        handlers.gone(this);
      },
      fault: (fault) => {
        // Our own program, trusted as much as this one: a message that cannot be read is a bug on one side.
        throw fault;
      },
    };
    const { poller, tap } = options;
    this.#socket = new MessageSocket(poller, controlFd, zygoteReports, zygoteOrders, reports, tap);
  }

  /** It takes orders. */
  get isReady(): boolean {
    return this.#isReady && !this.#isRetired;
  }
  /** Forked since it started. */
  get forks(): number {
    return this.#forks;
  }
  kindOf(pid: number): ChildKind | undefined {
    return this.#children.get(pid);
  }

  configure(hostKeys: Uint8Array[], debug: number): void {
    this.#socket.send("configure", 0, { hostKeys, debug });
  }

  /** The two descriptors become the broker's. `forked` gets its pid. */
  forkBroker(listenerFd: number, signerFd: number, forked: (pid: number) => void): void {
    this.#pending.push({ kind: "broker", forked });
    this.#socket.send("pair", 0, {}, [listenerFd, signerFd]);
  }

  /** Forks logins ahead, until so many wait. */
  keepLogins(count: number): void {
    while (this.#logins.size < count) this.#logins.add(this.#forkLogin());
  }

  /** A login for `identity`, one that waits where there is one. `sessionFd`, the worker's socket, becomes the login's. */
  login(identity: Identity, sessionFd: number, forked: (pid: number) => void): void {
    const [login = this.#forkLogin()] = this.#logins;
    this.#logins.delete(login);
    login.assign(identity, sessionFd, forked);
    this.#socket.send("look", 0, {});
  }

  /** No orders any more; it stays, to reap its children, until the last has ended. */
  retire(): void {
    this.#isRetired = true;
    this.#dismissLogins();
    this.#endIfIdle();
  }

  /** Ends it now; its children go on and become init's. */
  release(): void {
    this.#isRetired = true;
    this.#dismissLogins();
    this.#socket.close();
  }

  #forkLogin(): WaitingLogin {
    const [ours, loginEnd] = seqpacketPair();
    const login = new WaitingLogin(this.#poller, ours, () => {
      this.#logins.delete(login);
    });
    this.#pending.push({ kind: "login", forked: login.forked });
    this.#socket.send("login", 0, {}, [loginEnd]);
    return login;
  }

  #dismissLogins(): void {
    for (const login of this.#logins) login.dismiss();
    this.#logins.clear();
  }

  #report(report: ZygoteReport): void {
    switch (report.name) {
      case "fitness":
        this.#handlers.fitness(this, report.body.fault, report.body.milliseconds);
        break;
      case "ready":
        this.#isReady = true;
        this.#handlers.ready(this);
        break;
      case "forked": {
        const pending = this.#pending.shift();
        if (pending === undefined) throw new Error("Cannot place a fork: none was ordered");
        this.#forks += 1;
        this.#children.set(report.body.pid, pending.kind);
        pending.forked(report.body.pid);
        break;
      }
      case "childEnded": {
        const { pid, status, bySignal, cpuUs } = report.body;
        const kind = this.#children.get(pid) ?? "broker";
        this.#children.delete(pid);
        this.#handlers.childEnded(this, { pid, kind, status, bySignal, cpuUs });
        this.#endIfIdle();
        break;
      }
    }
  }

  #endIfIdle(): void {
    if (this.#isRetired && this.#children.size === 0 && this.#pending.length === 0)
      this.#socket.close();
  }
}
