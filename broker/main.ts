// The broker of one connection, from its fork to its end. It is the monitor: it forks the session process, looks at it from outside, hands
// it the connection, and answers its requests.
import type { Config } from "../config/load.ts";
import { answers, requests } from "../ipc/monitor.ts";
import {
  brokerOrders,
  brokerReports,
  type BrokerOrder,
  type ConnectionEnd,
} from "../ipc/listener.ts";
import { PeerFault } from "../ipc/peer-fault.ts";
import { closeFd, pipeFds, setNonBlocking } from "../native/descriptors.ts";
import { MessageSocket, type MessageHandlers } from "../native/message-socket.ts";
import type { PagesOfPair } from "../native/prefault.ts";
import { Poller } from "../native/poller.ts";
import { currentPid, exitNow, setTitle } from "../native/process.ts";
import { seqpacketPair } from "../native/sockets.ts";
import { confineBroker, type BrokerConfinement } from "../sandbox/confine-broker.ts";
import type { SessionConfinement } from "../sandbox/confine-session.ts";
import { longestTimerMs } from "./authentication.ts";
import { Monitor, type HostKeyFacts } from "./monitor.ts";
import { Recording } from "./recording.ts";
import { judgeSessionEnd, readViolation } from "./session-end.ts";
import { forkSessionProcess, type SessionProcess } from "./session-process.ts";
import {
  endNumber,
  report,
  SignerClient,
  systemWorld,
  type ListenerSocket,
  type SessionSocket,
} from "./system-world.ts";

export interface BrokerInheritance {
  /** Socket to the listener, channel to the signer: both become the broker's. */
  readonly listenerFd: number;
  readonly signerFd: number;
  readonly config: Config;
  readonly hostKeys: readonly HostKeyFacts[];
  readonly privsep: SessionConfinement;
  /** Its own. */
  readonly confinement: BrokerConfinement;
  /** What it and its session process are going to write: daemon/zygote/page-habits.ts. */
  readonly pages: PagesOfPair;
  /** The same for the life of the server: see failure-delay.ts. */
  readonly delaySecret: Uint8Array;
  /** The listener asked for a recording of every conversation: recording.ts. */
  readonly isRecorded: boolean;
  /** -d: the session process's filter names the call that it stops, instead of killing. */
  readonly namesViolations: boolean;
  /** session/main.ts, in the process forked for it; `monitorFd` is all that it gets, and with -d the pipe for what its filter stops. */
  runSession(monitorFd: number, violationsFd: number | undefined): void;
}

/** In the process that the zygote has just forked: one thread, no Poller yet. Returns at once; the event loop goes on. */
export function runBroker(inherited: BrokerInheritance): void {
  setTitle("sallyportd: broker [warm]");
  const [brokerEnd, sessionEnd] = seqpacketPair();
  const [sessionsWorkerFd, loginsWorkerFd] = seqpacketPair();
  const [readEnd, writeEnd] = inherited.namesViolations ? pipeFds() : [];
  const child = forkSessionProcess(inherited.privsep, inherited.pages);
  if (child === null) {
    for (const fd of [
      brokerEnd,
      sessionsWorkerFd,
      loginsWorkerFd,
      inherited.listenerFd,
      inherited.signerFd,
    ])
      closeFd(fd);
    inherited.runSession(sessionEnd, writeEnd);
    return;
  }
  closeFd(sessionEnd);
  if (writeEnd !== undefined) closeFd(writeEnd);
  new Broker(inherited, child, brokerEnd, [sessionsWorkerFd, loginsWorkerFd], readEnd);
}

class Broker {
  readonly #inherited: BrokerInheritance;
  readonly #child: SessionProcess;
  readonly #listener: ListenerSocket;
  readonly #session: SessionSocket;
  readonly #signer: SignerClient;
  readonly #monitor: Monitor;
  readonly #recording: Recording | undefined;
  /** Both ends of the worker's socket, until they are given away. */
  #workerFds: [number, number] | undefined;
  #grace: NodeJS.Timeout | undefined;
  #connection: Extract<BrokerOrder, { name: "connection" }>["body"] | undefined;
  readonly #violationsFd: number | undefined;
  #isOver = false;

  constructor(
    inherited: BrokerInheritance,
    child: SessionProcess,
    sessionFd: number,
    workerFds: [number, number],
    violationsFd: number | undefined,
  ) {
    this.#inherited = inherited;
    this.#child = child;
    this.#workerFds = workerFds;
    this.#violationsFd = violationsFd;
    if (violationsFd !== undefined) setNonBlocking(violationsFd, true);
    const poller = new Poller();
    this.#recording = inherited.isRecorded ? new Recording() : undefined;
    const orders: MessageHandlers<typeof brokerOrders> = {
      message: (order, fds) => {
        this.#order(order, fds);
      },
      drained: () => {
        if (this.#isOver) exitNow(0);
        this.#readOn();
      },
      closed: () => {
        if (this.#isOver) exitNow(0);
        // A daemon that restarts leaves its sessions alone, as sshd does; who has not logged in has nobody left to log him in.
        if (!this.#monitor.isAuthenticated) this.#end("refused", 0, 0);
        this.#readOn();
      },
      fault: (fault) => {
        this.#fail(fault);
      },
    };
    this.#listener = new MessageSocket(
      poller,
      inherited.listenerFd,
      brokerOrders,
      brokerReports,
      orders,
      this.#recording?.listenerTap,
    );
    const asked: MessageHandlers<typeof requests> = {
      message: (request) => {
        this.#request(request);
      },
      drained: () => {
        this.#readOn();
      },
      closed: () => {
        this.#sessionGone();
      },
      fault: (fault) => {
        this.#violation(fault);
      },
    };
    this.#session = new MessageSocket(
      poller,
      sessionFd,
      requests,
      answers,
      asked,
      this.#recording?.sessionTap,
    );
    this.#signer = new SignerClient(poller, inherited.signerFd, this.#recording?.signerTap);
    this.#monitor = new Monitor(
      systemWorld({
        listener: this.#listener,
        session: this.#session,
        signer: this.#signer,
        delaySecret: inherited.delaySecret,
        authenticated: (id, identity, body) => {
          this.#authenticated(id, identity, body);
        },
        end: (end, received, sent) => {
          this.#end(end, received, sent);
        },
      }),
      inherited.config,
      inherited.hostKeys,
    );
    this.#monitor.onIdle = () => {
      this.#readOn();
    };
    this.#recording?.attach(this.#listener, this.#monitor);
    this.#recording?.forked(child.pid);
  }

  /** From the listener. */
  #order(order: BrokerOrder, fds: readonly number[]): void {
    const [fd = -1] = fds;
    switch (order.name) {
      case "connection": {
        const { connection, separateOutput, ...addresses } = order.body;
        this.#connection = order.body;
        this.#monitor.begin({ connection, ...addresses });
        this.#session.send("connection", 0, { ...addresses, separateOutput }, fds);
        return;
      }
      case "connectionOutput":
        this.#session.send("connectionOutput", 0, {}, fds);
        return;
      case "signer":
        this.#signer.replace(fd);
        return;
      case "stop":
        this.#session.send("stop", 0, { reason: 0, text: "" });
        this.#end("refused", 0, 0);
    }
  }

  /** From the session process. */
  #request(request: Parameters<Monitor["handle"]>[0]): void {
    try {
      this.#monitor.handle(request);
      if (request.name === "confined") this.#verify(request.body.missing);
      if (request.name === "adopted") this.#go();
      if (this.#mustWait) this.#session.pause();
    } catch (error) {
      // Anything else is a bug of ours and ends this broker in the open.
      if (!(error instanceof PeerFault)) throw error;
      this.#violation(error);
    }
  }

  /** One answer at a time: who does not read them is not read; nor who says more than the listener can write down. */
  get #mustWait(): boolean {
    return this.#monitor.isBusy || !this.#session.isDrained || this.#listener.isCrowded;
  }
  #readOn(): void {
    if (!this.#mustWait) this.#session.resume();
  }

  #verify(claimedMissing: readonly string[]): void {
    const verification = this.#child.verify(claimedMissing);
    this.#recording?.verified(verification);
    const { missing, fatal } = verification;
    if (fatal.length > 0) {
      this.#monitor.abort(
        "violation",
        "sandbox.layer-missing",
        `session process is not confined: ${fatal.join("; ")}`,
      );
      return;
    }
    // It has looked; from here on it may do what a conversation needs, and nothing else.
    const ownMissing = confineBroker(this.#inherited.confinement, this.#child.pid);
    const missingLayers = [...missing, ...ownMissing]
      .map((line) => line.slice(0, 200))
      .slice(0, 32);
    this.#listener.send("ready", 0, {
      brokerPid: currentPid(),
      sessionPid: this.#child.pid,
      missingLayers,
    });
  }

  /** The connection is the session process's; from now on nothing else can become so. */
  #go(): void {
    this.#child.forbidDescriptors();
    this.#session.send("go", 0, {});
    setTitle("sallyportd: broker [accepted]");
    const { loginGraceTime } = this.#inherited.config.global;
    if (loginGraceTime === 0) return;
    this.#grace = setTimeout(
      () => {
        const { remoteAddress = "UNKNOWN", localAddress = "UNKNOWN" } = this.#connection ?? {};
        this.#monitor.abort(
          "grace-exceeded",
          "connection.grace-exceeded",
          `Timeout before authentication for connection from ${remoteAddress} to ${localAddress}, pid = ${currentPid()}`,
        );
      },
      Math.min(loginGraceTime * 1000, longestTimerMs),
    );
  }

  readonly #authenticated: Parameters<typeof systemWorld>[0]["authenticated"] = (
    id,
    identity,
    body,
  ) => {
    if (this.#workerFds === undefined)
      throw new Error("Cannot log in: the worker's socket is given away");
    const [sessionsEnd, loginsEnd] = this.#workerFds;
    this.#workerFds = undefined;
    clearTimeout(this.#grace);
    setTitle(`sallyportd: broker ${identity.user} [priv]`);
    this.#listener.send("login", 0, identity, [loginsEnd]);
    this.#child.permitDescriptors(body.maxSessions);
    this.#session.send("authenticated", id, body, [sessionsEnd]);
  };

  #violation(fault: PeerFault): void {
    this.#recording?.refused(fault);
    this.#monitor.abort(
      "violation",
      "monitor.violation",
      `session process of ${this.#monitor.peerText} broke the protocol: ${fault.message}`,
    );
  }
  #fail(fault: PeerFault): void {
    report(this.#listener, { level: "error", code: "broker.order", text: fault.message });
    this.#end("refused", 0, 0);
  }

  /** Its socket is closed and it never said `ended`: it died, or was killed. */
  #sessionGone(): void {
    if (this.#isOver) return;
    const { end, code, what, fields } = judgeSessionEnd(
      this.#child.end(),
      readViolation(this.#violationsFd),
    );
    const who = `session process ${this.#child.pid} of ${this.#monitor.peerText}`;
    this.#monitor.abort(end, code, `${who} ${what}`, fields);
  }

  #end(end: ConnectionEnd, bytesReceived: number, bytesSent: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#grace);
    this.#session.close();
    const ended = this.#child.end();
    this.#recording?.reaped(ended);
    this.#listener.send("ended", 0, { end: endNumber(end), bytesReceived, bytesSent });
    this.#recording?.flush();
    // What a recording has to say can be more than the socket holds.
    if (this.#recording === undefined || this.#listener.isDrained) exitNow(0);
  }
}
