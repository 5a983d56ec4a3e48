// One client's connection, all layers of it: transport, userauth, connection, between the broker and the worker. It touches no
// descriptor itself, so that the rehearsal and the tests run it in memory.
import type { ServerOptions } from "../config/options.ts";
import { disconnectReasons, PeerFault } from "../ipc/peer-fault.ts";
import { ending, endingOf } from "./end.ts";
import { Keepalive, maxTimerMs } from "./keepalive.ts";
import type { AnswerBody, Ending, MonitorClient } from "./monitor-client.ts";
import { Connection } from "./ssh/connection.ts";
import type { ByteStream, HostPublicKey } from "./ssh/layers.ts";
import { SSH_MSG_USERAUTH_SUCCESS } from "./ssh/message-numbers.ts";
import type { PreparedKex } from "./ssh/prepared-kex.ts";
import { Transport } from "./ssh/transport.ts";
import type { AlgorithmPreferences } from "./ssh/transport-options.ts";
import { Userauth } from "./ssh/userauth.ts";
import { WorkerClient, type WorkerConnection } from "./worker-client.ts";

export interface Peer {
  readonly remoteAddress: string;
  readonly remotePort: number;
}
export interface ServedConnectionOptions {
  readonly stream: ByteStream;
  readonly peer: Peer;
  readonly options: ServerOptions;
  readonly hostKeys: readonly HostPublicKey[];
  readonly prepared?: PreparedKex;
  readonly monitor: MonitorClient;
  /** Takes the descriptor that came with `authenticated`. */
  readonly workerConnection: (fd: number) => WorkerConnection;
  readonly setTitle: (title: string) => void;
  /** Once; nothing happens after it. */
  readonly ended: (ending: Ending, bytesReceived: number, bytesSent: number) => void;
}

const softwareVersion = "SSH-2.0-sallyport_0.1";
/**
 * A key re-exchange that is not over by then ends the connection: meanwhile its output stands still. Long enough for full windows
 * and socket buffers on a slow line; before authentication LoginGraceTime is shorter.
 */
const maxRekeyMs = 15 * 60 * 1000;

export const algorithmPreferences = (options: ServerOptions): AlgorithmPreferences => ({
  kex: options.kexAlgorithms,
  hostKey: options.hostKeyAlgorithms,
  ciphers: options.ciphers,
  macs: options.macs,
});

export class ServedConnection {
  readonly #options: ServedConnectionOptions;
  readonly #transport: Transport;
  #connection: Connection | null = null;
  #keepalive: Keepalive | null = null;
  #rekeyTimer: NodeJS.Timeout | null = null;
  /** What is reported in the place of what the transport sees. */
  #endsAs: Ending | null = null;
  #isOver = false;

  /** Nothing is sent or read before `start`. */
  constructor(served: ServedConnectionOptions) {
    const { options, hostKeys, monitor, stream, prepared, setTitle } = served;
    this.#options = served;
    const { versionAddendum } = options;
    const transport = new Transport({
      role: {
        side: "server",
        hostKeys,
        signExchange: (parts, done) => {
          monitor.signExchange(parts, done);
        },
        serverSigAlgs: options.pubkeyAcceptedAlgorithms,
      },
      stream,
      version: softwareVersion + (versionAddendum === "" ? "" : ` ${versionAddendum}`),
      algorithms: algorithmPreferences(options),
      ...(prepared === undefined ? {} : { prepared }),
      onEstablished: () => {
        transport.setReceiver(
          new Userauth({
            sender: transport,
            authenticator: monitor,
            hostKeyBlob: transport.hostKeyBlob,
            fail: (fault) => {
              transport.fail(fault);
            },
          }),
        );
      },
      onKex: (inProgress) => {
        this.#watchRekey(inProgress);
      },
      onEnd: (end) => {
        this.#end(endingOf(end));
      },
    });
    this.#transport = transport;
    setTitle("[preauth]");
  }

  start(): void {
    this.#transport.start();
  }

  /** The broker's success: the worker's descriptor is ours. */
  authenticated(body: AnswerBody<"authenticated">, workerFd: number): void {
    const { workerConnection, setTitle, hostKeys, monitor } = this.#options;
    const transport = this.#transport;
    const worker = new WorkerClient(workerConnection(workerFd), {
      exited: (channel, exit) => {
        connection.exited(channel, exit);
      },
      gone: () => {
        connection.release();
        transport.disconnect(disconnectReasons.byApplication, "The session's worker has ended");
      },
    });
    const log = this.#sessionLog(body.user);
    const connection = new Connection({
      sender: transport,
      host: worker,
      hostKeys,
      hostKeyAlgorithm: transport.negotiated?.hostKey ?? "",
      maxSessions: body.maxSessions,
      peerVersion: transport.peerVersion,
      proveHostKey: (blob, algorithm, done) => {
        monitor.proveHostKey(blob, algorithm, done);
      },
      events: {
        ...log,
        terminalsChanged: () => {
          const names = connection.terminalNames.map((name) => name.replace("/dev/", ""));
          setTitle(`${body.user}@${names.length === 0 ? "notty" : names.join(",")}`);
        },
      },
    });
    this.#connection = connection;
    transport.setReceiver(connection);
    transport.send(Uint8Array.of(SSH_MSG_USERAUTH_SUCCESS));
    transport.markAuthenticated({
      bytes: body.rekeyBytes,
      seconds: Math.min(body.rekeySeconds, Math.floor(maxTimerMs / 1000)),
    });
    setTitle(`${body.user}@notty`);
    connection.announceHostKeys();
    this.#keepalive = new Keepalive({
      intervalMs: body.clientAliveIntervalMs,
      countMax: body.clientAliveCountMax,
      bytesReceived: () => transport.bytesReceived,
      ask: () => {
        connection.askIfAlive();
      },
      giveUp: () => {
        this.#end(ending("client-not-responding"));
      },
    });
    this.#keepalive.start();
  }

  /** The broker wants it over: with words for the client, or with none when `reason` is 0. */
  stop({ reason, text }: AnswerBody<"stop">): void {
    const stopped = ending("stopped", reason, text);
    this.#endsAs = stopped;
    if (reason === 0) this.#end(stopped);
    else this.#transport.disconnect(reason, text);
  }

  #watchRekey(inProgress: boolean): void {
    if (this.#rekeyTimer !== null) clearTimeout(this.#rekeyTimer);
    this.#rekeyTimer = null;
    if (!inProgress || this.#connection === null) return;
    this.#rekeyTimer = setTimeout(() => {
      const text = "Key exchange was not completed in time";
      this.#transport.fail(new PeerFault("OUT_OF_PHASE", text, { tell: text }));
    }, maxRekeyMs);
  }

  /** sshd's lines, in its words (session.c). */
  #sessionLog(user: string) {
    const { monitor, peer } = this.#options;
    const from = `from ${peer.remoteAddress} port ${peer.remotePort}`;
    return {
      sessionStarted: (channel: number, description: string): void => {
        const text = `Starting session: ${description} for ${user} ${from} id ${channel}`;
        monitor.log("verbose", "start", text);
      },
      sessionRefused: (channel: number, what: string, why: string): void => {
        const text = what.startsWith("subsystem ")
          ? `${what} by user ${user} failed, ${why}`
          : `${what} of user ${user} ${from} id ${channel} refused: ${why}`;
        monitor.log("info", "refused", text);
      },
      sessionClosed: (channel: number): void => {
        monitor.log("verbose", "close", `Close session: user ${user} ${from} id ${channel}`);
      },
    };
  }

  #end(seen: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#keepalive?.stop();
    this.#watchRekey(false);
    this.#connection?.release();
    const { bytesReceived, bytesSent } = this.#transport;
    this.#options.ended(this.#endsAs ?? seen, bytesReceived, bytesSent);
  }
}
