// The session process, from its fork to the end of its connection. It parses every byte of the network, and holds nothing but its two
// sockets: what it wants, it must ask for.
import type { Config } from "../config/load.ts";
import { answers, requests } from "../ipc/monitor.ts";
import { workerAnswers, workerRequests } from "../ipc/worker.ts";
import { closeFd } from "../native/descriptors.ts";
import { MessageSocket } from "../native/message-socket.ts";
import { Poller } from "../native/poller.ts";
import { exitNow, retitle, setTitle } from "../native/process.ts";
import { confineSessionProcess, type SessionConfinement } from "../sandbox/confine-session.ts";
import { ending } from "./end.ts";
import { MonitorClient, type AnswerBody, type Ending } from "./monitor-client.ts";
import { keepOnly, occupyStandardDescriptors } from "./own-descriptors.ts";
import { PipeStream } from "./pipe-stream.ts";
import { algorithmPreferences, ServedConnection } from "./served-connection.ts";
import type { HostPublicKey } from "./ssh/layers.ts";
import { prepareKex, type PreparedKex } from "./ssh/prepared-kex.ts";
import { DescriptorStream } from "./ssh/stream.ts";

export interface SessionInheritance {
  /** The socket to the broker: all that is kept. */
  readonly monitorFd: number;
  /** With -d: where the filter's handler writes the call that it stopped; nothing else ever does. */
  readonly violationsFd?: number | undefined;
  readonly config: Config;
  readonly hostKeys: readonly HostPublicKey[];
  readonly confinement: SessionConfinement;
}

/** For a broker that does not read our last request. */
const lastRequestMs = 5000;
const abnormalStatus = 1;
const program = "sallyportd: session";

/** In the process that the broker has just forked: one thread, no Poller yet. Returns at once; the event loop goes on. */
export function runSession(inherited: SessionInheritance): void {
  setTitle(`${program} [warm]`);
  const { monitorFd, violationsFd } = inherited;
  keepOnly(
    violationsFd === undefined ? [monitorFd] : [monitorFd, violationsFd],
    inherited.confinement.namespaces,
  );
  occupyStandardDescriptors();
  // The last descriptors that are opened here; whatever comes later comes from the broker or the worker.
  const poller = new Poller();
  const session = new SessionProcess(inherited, poller);
  process.on("uncaughtException", (error) => {
    session.fail(error);
  });
  session.prepare();
  session.confine();
  // From here on it serves: connection, go, and what the client wants.
}

class SessionProcess {
  readonly #inherited: SessionInheritance;
  readonly #poller: Poller;
  readonly #monitor: MonitorClient;
  #prepared: PreparedKex | undefined;
  #peer: AnswerBody<"connection"> | null = null;
  /** The connection's, until it is served. */
  readonly #fds: number[] = [];
  #served: ServedConnection | null = null;
  #isOver = false;

  constructor(inherited: SessionInheritance, poller: Poller) {
    this.#inherited = inherited;
    this.#poller = poller;
    const connect = (
      handlers: ConstructorParameters<typeof MessageSocket<typeof answers, typeof requests>>[4],
    ) => new MessageSocket(poller, inherited.monitorFd, answers, requests, handlers);
    this.#monitor = new MonitorClient(connect, {
      connection: (body, fd) => {
        this.#peer = body;
        this.#adopt(fd, !body.separateOutput);
      },
      connectionOutput: (fd) => {
        this.#adopt(fd, true);
      },
      go: () => {
        this.#serve();
      },
      authenticated: (body, workerFd) => {
        if (this.#served === null) throw new Error("Cannot log in: nothing is served");
        this.#served.authenticated(body, workerFd);
      },
      stop: (body) => {
        if (this.#served === null) exitNow(0);
        this.#served.stop(body);
      },
      gone: () => exitNow(this.#isOver ? 0 : abnormalStatus),
    });
  }

  /** What costs time and needs no connection is done while nobody waits. */
  prepare(): void {
    const { config, hostKeys } = this.#inherited;
    this.#prepared = prepareKex("server", algorithmPreferences(config.global), hostKeys);
  }

  /** Says which layers could not be had; the broker, who looks for itself, decides whether one may be missing. */
  confine(): void {
    const { confinement, violationsFd } = this.#inherited;
    const missing = confineSessionProcess({ ...confinement, required: new Set() }, violationsFd);
    this.#monitor.confined(missing);
  }

  #adopt(fd: number, isLast: boolean): void {
    this.#fds.push(fd);
    if (isLast) this.#monitor.adopted();
  }

  #serve(): void {
    const { config, hostKeys } = this.#inherited;
    const [inputFd = -1, outputFd = inputFd] = this.#fds;
    const poller = this.#poller;
    if (this.#peer === null) throw new Error("Cannot serve: no connection has come");
    this.#served = new ServedConnection({
      stream: new DescriptorStream(poller, inputFd, outputFd),
      peer: this.#peer,
      options: config.global,
      hostKeys,
      ...(this.#prepared === undefined ? {} : { prepared: this.#prepared }),
      monitor: this.#monitor,
      workerConnection: (fd) => ({
        connect: (handlers) =>
          new MessageSocket(poller, fd, workerAnswers, workerRequests, handlers),
        stream: (streamFd) => new PipeStream(poller, streamFd),
        close: closeFd,
      }),
      setTitle: (title) => {
        retitle(`${program} ${title}`);
      },
      ended: (end, bytesReceived, bytesSent) => {
        this.#end(end, bytesReceived, bytesSent, 0);
      },
    });
    this.#prepared = undefined;
    this.#served.start();
  }

  /** A bug of ours: the connection ends in the open, and the zygote that this process is a copy of retires. */
  fail(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#end(ending("internal-error", 0, text), 0, 0, abnormalStatus);
  }

  #end(end: Ending, bytesReceived: number, bytesSent: number, status: number): void {
    if (this.#isOver) exitNow(abnormalStatus);
    this.#isOver = true;
    if (this.#monitor.ended(end, bytesReceived, bytesSent)) exitNow(status);
    // The broker ends us when it has read it.
    setTimeout(() => exitNow(status), lastRequestMs);
  }
}
