// A broker and its session process, as the listener sees them: one socket, and what has been heard over it.
import {
  brokerOrders,
  brokerReports,
  connectionEnds,
  type BrokerReport,
  type ConnectionEnd,
} from "../../ipc/listener.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import type { Body } from "../../ipc/protocol.ts";
import type { Identity } from "../../ipc/worker.ts";
import { closeFd } from "../../native/descriptors.ts";
import { MessageSocket } from "../../native/message-socket.ts";
import type { Poller } from "../../native/poller.ts";
import { unconfinedBroker } from "../../sandbox/verify-broker.ts";
import type { SignerProcess } from "./signer-process.ts";
import type { ZygoteProcess } from "./zygote-process.ts";

/** A client's connection on its way to a pair, or served by one. */
export interface Connection {
  /** From 1 up for the life of the listener. */
  readonly number: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Of a monotonic clock. */
  readonly acceptedMs: number;
}
/** How a connection ended; `bytes` are zero after a crash. */
export interface Ending {
  readonly end: ConnectionEnd;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}
export type BrokerTrace = Body<(typeof brokerReports)["trace"]>;
export type BrokerEvent = Body<(typeof brokerReports)["event"]>;

export interface PairHandlers {
  /** Forked, confined and verified. `missing`: layers that the kernel refused and the configuration does not require. */
  warm(pair: Pair, missing: readonly string[]): void;
  event(pair: Pair, event: BrokerEvent): void;
  /** Only from brokers that are recorded. */
  trace?(pair: Pair, report: BrokerTrace): void;
  /** Authenticated. `sessionFd` is the handler's to close or pass on. */
  login(pair: Pair, identity: Identity, sessionFd: number): void;
  /** The broker is gone, warm or serving; `fault` when it said what the contract does not know. */
  gone(pair: Pair, fault: PeerFault | undefined): void;
}

export class Pair {
  readonly zygote: ZygoteProcess;
  signer: SignerProcess;
  /** The broker's; 0 until the zygote has answered. */
  pid = 0;
  sessionPid = 0;
  connection: Connection | undefined;
  isWarm = false;
  hasLogin = false;
  ending: Ending | undefined;
  readonly #socket: MessageSocket<typeof brokerReports, typeof brokerOrders>;
  readonly #handlers: PairHandlers;

  /** Owns `fd`, the listener's end of the broker's socket. */
  constructor(
    poller: Poller,
    fd: number,
    from: { readonly zygote: ZygoteProcess; readonly signer: SignerProcess },
    handlers: PairHandlers,
  ) {
    this.zygote = from.zygote;
    this.signer = from.signer;
    this.#handlers = handlers;
    this.#socket = new MessageSocket(poller, fd, brokerReports, brokerOrders, {
      message: (report, fds) => {
        this.#report(report, fds);
      },
      closed: () => {
        handlers.gone(this, undefined);
      },
      fault: (fault) => {
        this.#fail(fault);
      },
    });
  }

  /** The descriptors become the broker's; `outputFd` where the connection has one of its own (-i on pipes). */
  serve(connection: Connection, fd: number, outputFd?: number): void {
    this.connection = connection;
    this.isWarm = false;
    const { number, remoteAddress, remotePort, localAddress, localPort } = connection;
    const separateOutput = outputFd !== undefined;
    const order = { connection: number, remoteAddress, remotePort, localAddress, localPort };
    this.#socket.send("connection", 0, { ...order, separateOutput }, [fd]);
    if (separateOutput) this.#socket.send("connectionOutput", 0, {}, [outputFd]);
  }

  /** A channel to a new signer, which becomes the broker's. */
  giveSigner(signer: SignerProcess, channelFd: number): void {
    this.signer = signer;
    this.#socket.send("signer", 0, {}, [channelFd]);
  }

  stop(): void {
    this.#socket.send("stop", 0, {});
  }

  /** A pair that is not needed: its broker sees the end and exits. No handler is called any more. */
  discard(): void {
    this.#socket.close();
  }

  #fail(fault: PeerFault): void {
    this.#socket.close();
    this.#handlers.gone(this, fault);
  }

  /** From outside, as the broker has looked at its session process. */
  #isBrokerConfined(claimedPid: number): boolean {
    // The zygote's word, where it has come already.
    const pid = this.pid === 0 ? claimedPid : this.pid;
    const seen = unconfinedBroker(pid, process.getuid?.() === 0);
    if (seen.length === 0) return true;
    this.#fail(
      new PeerFault("MISMATCH", `Cannot use broker ${pid}: not confined: ${seen.join("; ")}`),
    );
    return false;
  }

  #report(report: BrokerReport, fds: readonly number[]): void {
    switch (report.name) {
      case "ready":
        if (this.isWarm || this.connection !== undefined) break; // a second one changes nothing
        if (!this.#isBrokerConfined(report.body.brokerPid)) break;
        this.isWarm = true;
        this.sessionPid = report.body.sessionPid;
        this.#handlers.warm(this, report.body.missingLayers);
        break;
      case "event":
        this.#handlers.event(this, report.body);
        break;
      case "login": {
        const [sessionFd = -1] = fds;
        // One login a connection: a broker that asks twice is not ours any more.
        if (this.hasLogin || this.connection === undefined) {
          closeFd(sessionFd);
          const what = this.hasLogin ? "a second login" : "a login without a connection";
          this.#fail(new PeerFault("NOT_PERMITTED", `Cannot log in: ${what}`));
          break;
        }
        this.hasLogin = true;
        this.#handlers.login(this, report.body, sessionFd);
        break;
      }
      case "trace":
        this.#handlers.trace?.(this, report.body);
        break;
      case "ended": {
        const { end, bytesReceived, bytesSent } = report.body;
        this.ending ??= { end: connectionEnds[end] ?? "crash", bytesReceived, bytesSent };
        break;
      }
    }
  }
}
