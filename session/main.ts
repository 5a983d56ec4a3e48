// The session process, from its fork to the end of its connection. It parses every byte of the network, and holds nothing but its two
// sockets: what it wants, it must ask for.
import type { Config } from "../config/load.ts";
import type { EndReason } from "../ipc/monitor.ts";
import { closeAllExcept } from "../native/descriptors.ts";
import { Poller } from "../native/poller.ts";
import { exitNow, loopFds, retitle, setTitle } from "../native/process.ts";
import { confineSessionProcess, type SessionConfinement } from "../sandbox/confine-session.ts";
import { endingOf } from "./end.ts";
import { Keepalive } from "./keepalive.ts";
import { MonitorClient } from "./monitor-client.ts";
import { Connection } from "./ssh/connection.ts";
import type { HostPublicKey } from "./ssh/layers.ts";
import { prepareKex, type PreparedKex } from "./ssh/prepared-kex.ts";
import { DescriptorStream } from "./ssh/stream.ts";
import { Transport } from "./ssh/transport.ts";
import type { AlgorithmPreferences } from "./ssh/transport-options.ts";
import { Userauth } from "./ssh/userauth.ts";
import { WorkerClient } from "./worker-client.ts";

export interface SessionInheritance {
  /** The socket to the broker: all that is kept. */
  readonly monitorFd: number;
  readonly config: Config;
  readonly hostKeys: readonly HostPublicKey[];
  readonly confinement: SessionConfinement;
}

const softwareVersion = "SSH-2.0-sallyport_0.1";

/** In the process that the broker has just forked: one thread, no Poller yet. Returns at once; the event loop goes on. */
export function runSession(inherited: SessionInheritance): void {
  setTitle("sallyportd: session [warm]");
  const namespaceFds = Object.values(inherited.confinement.namespaces) as (number | undefined)[];
  closeAllExcept([
    inherited.monitorFd,
    ...loopFds(),
    ...namespaceFds.filter((fd) => fd !== undefined),
  ]);
  new Session(inherited);
}

type ConnectionBody = Parameters<ConstructorParameters<typeof MonitorClient>[2]["connection"]>[0];

class Session {
  readonly #inherited: SessionInheritance;
  readonly #poller = new Poller();
  readonly #monitor: MonitorClient;
  readonly #algorithms: AlgorithmPreferences;
  readonly #prepared: PreparedKex;
  #peer: ConnectionBody | undefined;
  readonly #fds: number[] = [];
  #transport: Transport | undefined;
  #connection: Connection | undefined;
  #keepalive: Keepalive | undefined;
  #endsAs: EndReason | undefined;

  constructor(inherited: SessionInheritance) {
    this.#inherited = inherited;
    const { config, hostKeys, confinement } = inherited;
    const options = config.global;
    this.#algorithms = {
      kex: options.kexAlgorithms,
      hostKey: options.hostKeyAlgorithms,
      ciphers: options.ciphers,
      macs: options.macs,
    };
    this.#monitor = new MonitorClient(this.#poller, inherited.monitorFd, {
      connection: (body, fd) => {
        this.#peer = body;
        this.#take(fd, !body.separateOutput);
      },
      connectionOutput: (fd) => {
        this.#take(fd, true);
      },
      go: () => {
        this.#go();
      },
      authenticated: (body, workerFd) => {
        this.#authenticated(body, workerFd);
      },
      stop: ({ reason, text }) => {
        this.#endsAs = "stopped";
        if (reason === 0) exitNow(0);
        this.#transport?.disconnect(reason, text);
      },
      gone: () => exitNow(1),
    });
    // What costs time and needs no connection is done while nobody waits.
    this.#prepared = prepareKex("server", this.#algorithms, hostKeys);
    this.#monitor.confined(confineSessionProcess(confinement));
  }

  #take(fd: number, isLast: boolean): void {
    this.#fds.push(fd);
    if (isLast) this.#monitor.adopted();
  }

  #go(): void {
    const { config, hostKeys } = this.#inherited;
    const [inputFd = -1, outputFd = inputFd] = this.#fds;
    const addendum =
      config.global.versionAddendum === "" ? "" : ` ${config.global.versionAddendum}`;
    const transport = new Transport({
      role: {
        side: "server",
        hostKeys,
        signExchange: (parts, done) => {
          this.#monitor.signExchange(parts, done);
        },
        serverSigAlgs: config.global.pubkeyAcceptedAlgorithms,
      },
      stream: new DescriptorStream(this.#poller, inputFd, outputFd),
      version: `${softwareVersion}${addendum}`,
      algorithms: this.#algorithms,
      prepared: this.#prepared,
      onIdentified: () => {
        retitle("sallyportd: session [preauth]");
      },
      onEstablished: () => {
        transport.setReceiver(
          new Userauth(transport, this.#monitor, (fault) => {
            transport.fail(fault);
          }),
        );
      },
      onEnd: (end) => {
        const { reason, code, text } = endingOf(end);
        this.#end(this.#endsAs ?? reason, code, text);
      },
    });
    this.#transport = transport;
    transport.start();
  }

  #authenticated(
    body: Parameters<ConstructorParameters<typeof MonitorClient>[2]["authenticated"]>[0],
    workerFd: number,
  ): void {
    const transport = this.#transport;
    if (transport === undefined) throw new Error("Cannot log in: no connection");
    retitle(`sallyportd: session ${body.user}`);
    const worker = new WorkerClient(this.#poller, workerFd, {
      exited: ({ channel, ...facts }) => {
        connection.exited(channel, facts);
      },
      gone: () => {
        connection.abandon();
        transport.disconnect(11, "The user's worker has ended");
      },
    });
    const connection = new Connection({
      sender: transport,
      poller: this.#poller,
      host: worker,
      hostKeys: this.#inherited.hostKeys,
      maxSessions: body.maxSessions,
      peerVersion: transport.peerVersion,
      proveHostKey: (blob, algorithm, done) => {
        this.#monitor.proveHostKey(blob, algorithm, done);
      },
      log: (code, text, channel) => {
        this.#log(body.user, code, text, channel);
      },
      fail: (fault) => {
        transport.fail(fault);
      },
    });
    this.#connection = connection;
    transport.setReceiver(connection);
    transport.send(Uint8Array.of(52)); // SSH_MSG_USERAUTH_SUCCESS
    transport.markAuthenticated({ bytes: body.rekeyBytes, seconds: body.rekeySeconds });
    connection.announceHostKeys();
    this.#keepalive = new Keepalive({
      sender: transport,
      intervalMs: body.clientAliveIntervalMs,
      countMax: body.clientAliveCountMax,
      bytesReceived: () => transport.bytesReceived,
      givenUp: () => {
        this.#end("client-not-responding", 0, new Uint8Array());
      },
    });
  }

  /** sshd's lines, in its words; the broker marks them as what they are: said by a process that is not believed. */
  #log(user: string, code: string, text: string, channel: number): void {
    const from = `from ${this.#peer?.remoteAddress ?? "UNKNOWN"} port ${this.#peer?.remotePort ?? 65_535} id ${channel}`;
    if (code === "start") {
      const [what = "", tty] = text.split(" on ");
      this.#monitor.log(
        2,
        code,
        `Starting session: ${what} ${tty === undefined ? "" : `on ${tty} `}for ${user} ${from}`,
      );
    } else if (code === "close") this.#monitor.log(2, code, `Close session: user ${user} ${from}`);
    else this.#monitor.log(1, code, `${text} (user ${user} ${from})`);
  }

  #end(reason: EndReason, code: number, text: Uint8Array): void {
    this.#keepalive?.stop();
    this.#connection?.release();
    this.#monitor.ended(
      reason,
      code,
      text,
      this.#transport?.bytesReceived ?? 0,
      this.#transport?.bytesSent ?? 0,
    );
    exitNow(0);
  }
}
