// The listener: sockets, pool and supervisor put together, and the signals that end or reload them.
import { constants } from "node:os";
import { loadSettings, type Settings } from "../settings.ts";
import { closeFd } from "../../native/descriptors.ts";
import type { Poller } from "../../native/poller.ts";
import { setTitle, waitPid } from "../../native/process.ts";
import type { Flags } from "../../config/flags.ts";
import type { EventSink } from "../events.ts";
import { PidFile } from "../pid-file.ts";
import { sayMissingLayer } from "../say-missing-layer.ts";
import { relayEvent, sayEnded, sayPairFailed } from "./say.ts";
import type { Connection } from "../pool/pair.ts";
import { Pool } from "../pool/pool.ts";
import { Supervisor } from "../pool/supervisor.ts";
import { notifyServiceManager } from "../service-manager.ts";
import { Acceptor } from "./acceptor.ts";
import { Spawner } from "../spawner/client.ts";
import { openListeningSockets, type ListeningSocket } from "./listening-sockets.ts";

export interface ServerOptions {
  readonly poller: Poller;
  readonly events: EventSink;
  readonly nullFd: number;
  readonly stderrFd: number;
  readonly flags: Flags;
  /** For the process title: the command line. */
  readonly commandLine: string;
  /** It listens: called once. */
  readonly listening: () => void;
  /** It cannot, or does not any more. The pid file is removed; nothing runs on. */
  readonly exit: (status: number) => void;
  /** LogLevel and its like have changed. */
  readonly reloaded: (settings: Settings) => void;
}

/** sshd's exit status for everything but wrong flags and a missing host key. */
const failure = 255;

export class Server {
  readonly #options: ServerOptions;
  readonly #pool: Pool;
  readonly #supervisor: Supervisor;
  readonly #acceptor: Acceptor;
  readonly #pidFile: PidFile;
  readonly #spawner: Spawner | undefined;
  /** Numbers of connections that have not authenticated: what MaxStartups counts. */
  readonly #startups = new Set<number>();
  #settings: Settings;
  #sockets: ListeningSocket[] = [];
  #isListening = false;
  #isOver = false;

  constructor(settings: Settings, options: ServerOptions) {
    this.#settings = settings;
    this.#options = options;
    const { poller, events } = options;
    this.#pidFile = new PidFile(events);
    this.#pool = new Pool(poller, {
      event: (pair, event) => {
        relayEvent(events, pair, event);
      },
      login: (pair, identity, sessionFd) => {
        this.#authenticated(pair.connection);
        this.#supervisor.login(identity, sessionFd, (pid) => {
          events.event("verbose", "login.forked", `User child is on pid ${pid}`, { pid: pair.pid });
        });
      },
      ended: (pair, connection, ending, fault) => {
        sayEnded(events, pair, connection, ending, fault);
        if (ending.end === "crash" || ending.end === "violation")
          this.#supervisor.suspect(pair.zygote);
        this.#ended(connection);
      },
      failed: (pair, fault) => {
        sayPairFailed(events, pair, fault);
      },
      refused: (connection) => {
        events.event("error", "connection.refused", "no session process could be had");
        this.#ended(connection);
      },
      missingLayer: (layer) => {
        sayMissingLayer(events, "session processes lack", layer);
      },
    });
    const isAlone = settings.debug > 0; // one connection, nothing confined: who debugs it attaches to it
    this.#spawner = isAlone ? undefined : this.#startSpawner();
    this.#supervisor = new Supervisor({ ...options, start: this.#spawner?.start }, this.#pool, {
      unfit: () => {
        this.#unfit();
      },
      loaded: (loaded, keys, errors) => this.#loaded(loaded, keys, errors),
      ready: (ready) => {
        this.#ready(ready);
      },
    });
    this.#acceptor = new Acceptor(poller, events, settings.config.global, {
      accepted: (connection, fd) => {
        this.#accepted(connection, fd);
      },
      startups: () => this.#startups.size,
    });
  }

  start(): void {
    process.on("SIGCHLD", () => {
      this.#reap();
    });
    for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const)
      process.on(signal, () => {
        const { [signal]: number } = constants.signals;
        this.#options.events.event(
          "info",
          "terminating",
          `Received signal ${number}; terminating.`,
        );
        this.end(signal === "SIGTERM" ? 0 : failure);
      });
    process.on("SIGHUP", () => {
      this.#reload();
    });
    this.#supervisor.apply(this.#settings);
  }

  /** Stops listening and starting; connections that are served go on without it. */
  end(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    notifyServiceManager("STOPPING=1");
    this.#acceptor.stop();
    this.#pidFile.remove();
    this.#pool.close();
    this.#supervisor.close();
    this.#options.exit(status);
  }

  #startSpawner(): Spawner {
    return new Spawner(this.#options, {
      ended: (pid, end) => {
        this.#supervisor.reaped(pid, end);
      },
      gone: () => {
        if (this.#isOver) return;
        // Nothing can be started any more; who started us starts us anew, and connections that are served go on.
        this.#options.events.event("fatal", "spawner.gone", "the spawner is gone; ending.");
        this.end(failure);
      },
    });
  }

  /** False: these keys are not enough. */
  #loaded(settings: Settings, keys: readonly Uint8Array[], errors: readonly string[]): boolean {
    const { events } = this.#options;
    for (const error of errors) events.event("error", "host-key.failed", error);
    if (keys.length === 0) {
      if (this.#isListening) {
        events.event(
          "error",
          "reload.failed",
          "no hostkeys available -- the old configuration stays.",
        );
      } else {
        events.event("info", "host-key.none", "sshd: no hostkeys available -- exiting.");
        this.end(1);
      }
      return false;
    }
    if (!this.#isListening) this.#listen(settings);
    return true;
  }

  /** It has been told why. At a reload the processes that serve are those that were proved before. */
  #unfit(): void {
    if (this.#isListening)
      this.#options.events.event(
        "error",
        "reload.failed",
        "no sandbox for the new configuration; the old one stays.",
      );
    else this.end(failure);
  }

  /** A configuration has taken over. */
  #ready(settings: Settings): void {
    if (settings === this.#settings) return;
    this.#settings = settings;
    this.#options.reloaded(settings);
    this.#listen(settings);
  }

  #listen(settings: Settings): void {
    const { events, listening } = this.#options;
    const { global } = settings.config;
    const before = this.#acceptor.sockets;
    this.#acceptor.stop();
    this.#sockets = openListeningSockets(global, before, events);
    if (this.#sockets.length === 0) {
      events.event("fatal", "listen.none", "Cannot bind any address.");
      this.end(failure);
      return;
    }
    this.#acceptor.listen(this.#sockets, global);
    if (settings.debug === 0) this.#pidFile.write(global.pidFile, process.pid);
    this.#title();
    notifyServiceManager("READY=1");
    if (this.#isListening) return;
    this.#isListening = true;
    listening();
  }

  #reload(): void {
    const { events, flags } = this.#options;
    if (!this.#isListening) return;
    let settings: Settings;
    try {
      settings = loadSettings(flags);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      for (const line of why.split("\n")) events.event("error", "config.error", line);
      events.event("error", "reload.failed", "Received SIGHUP; the old configuration stays.");
      return;
    }
    notifyServiceManager("RELOADING=1");
    events.event("info", "restarting", "Received SIGHUP; restarting.");
    this.#supervisor.apply(settings);
  }

  #accepted(connection: Connection, fd: number): void {
    this.#startups.add(connection.number);
    this.#supervisor.checkAge();
    if (this.#settings.debug > 0) {
      // sshd -d: this one connection, and then the end.
      this.#acceptor.stop();
      for (const socket of this.#sockets) closeFd(socket.fd);
    }
    this.#pool.serve(connection, fd);
    this.#title();
  }

  #authenticated(connection: Connection | undefined): void {
    if (connection !== undefined && this.#startups.delete(connection.number)) this.#title();
  }

  #ended(connection: Connection): void {
    this.#authenticated(connection);
    this.#pool.settled();
    if (this.#settings.debug > 0) this.end(failure);
  }

  #reap(): void {
    for (;;) {
      let ended;
      try {
        ended = waitPid(-1, true);
      } catch {
        return; // ECHILD: no child is left
      }
      if (ended === null) return;
      const bySignal = ended.signal !== undefined;
      this.#supervisor.reaped(ended.pid, {
        status: ended.signal ?? ended.status ?? 0,
        bySignal,
      });
    }
  }

  #title(): void {
    const { maxStartups } = this.#settings.config.global;
    const startups = `${this.#startups.size} of ${maxStartups.begin}-${maxStartups.full} startups`;
    setTitle(`sallyportd: ${this.#options.commandLine} [listener] ${startups}`);
  }
}
