// The server itself, in the foreground of whatever started it: log, poller, and then the listener or the one connection of -i.
import { appendFileSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../config/load.ts";
import type { Flags } from "../config/flags.ts";
import type { LogLevel } from "../ipc/listener.ts";
import { closeFd, openFd, writeFd } from "../native/descriptors.ts";
import { Poller } from "../native/poller.ts";
import { exitNow, remakeLoop } from "../native/process.ts";
import { collectOutput } from "./children-output.ts";
import { statusFd } from "./daemonize.ts";
import type { EventDetails, EventSink } from "./events.ts";
import { serveInetd } from "./inetd.ts";
import { KernelLog } from "./kernel-log.ts";
import { confineThisListener } from "./listener/confine.ts";
import { Server } from "./listener/server.ts";
import { Log, logSettings } from "./log/log.ts";
import { ViolationEvents } from "./log/violation-events.ts";
import { raiseOpenFilesLimit } from "./open-files.ts";
import { protectFromOutOfMemory } from "./out-of-memory.ts";
import { runtimeFault } from "./runtime.ts";
import { loadSettings, type Settings } from "./settings.ts";

const failure = 255;
const O_RDWR = 2;
const stderrFd = 2;

export interface RunOptions {
  readonly flags: Flags;
  /** For the process title. */
  readonly commandLine: string;
  /** Started by daemonize.ts, which waits on `statusFd`. */
  readonly isDaemon: boolean;
}

/** Before there is a log: to whom started us, and where -E says. */
function fail(text: string, status: number, flags?: Flags): never {
  process.stderr.write(`${text}\n`);
  if (flags?.logFile !== undefined) appendFileSync(flags.logFile, `${text}\n`);
  process.exit(status);
}

function settingsOrExit(flags: Flags): Settings {
  const fault = runtimeFault();
  if (fault !== undefined) fail(`sallyportd: ${fault}`, failure);
  try {
    return loadSettings(flags);
  } catch (error) {
    if (error instanceof ConfigError) fail(error.lines.join("\n"), failure, flags);
    const { code } = error as NodeJS.ErrnoException; // absent where no system call failed
    if (code === "ENOENT") fail(`${flags.file}: No such file or directory`, failure, flags);
    fail(error instanceof Error ? error.message : String(error), failure, flags);
  }
}

export function run({ flags: given, commandLine, isDaemon }: RunOptions): void {
  // A daemon leaves the folder that relative names start from, and reads them again after SIGHUP.
  const flags: Flags = {
    ...given,
    file: given.file === "none" ? given.file : resolve(given.file),
    logFile: given.logFile === undefined ? undefined : resolve(given.logFile),
  };
  const settings = settingsOrExit(flags);
  process.umask(process.umask(0o077) | 0o022);
  const poller = new Poller();
  // Before anything watches for signals: libuv would go on calling io_uring_enter, which the listener's filter stops.
  remakeLoop();
  const log = openLog(flags, settings);
  const toStderr = logSettings(flags, settings.config.global).output === "stderr";
  const violations = new ViolationEvents(log, new KernelLog(poller));
  process.once("exit", () => {
    violations.flush();
  });
  const events = new StartupLog(violations, !toStderr && !flags.inetd);
  for (const notice of settings.config.notices) events.event("info", "config.notice", notice);
  const nullFd = openFd("/dev/null", O_RDWR, 0);
  const options = { poller, events, nullFd, stderrFd: collectOutput(poller, events) };
  if (flags.inetd) {
    serveInetd(settings, options);
    return;
  }
  raiseOpenFilesLimit(settings.openFiles);
  const server = new Server(settings, {
    ...options,
    flags,
    commandLine,
    listening: () => {
      events.isStarting = false;
      if (isDaemon) {
        process.chdir("/");
        // The terminal that started us is not ours any more.
        closeFd(stderrFd);
        openFd("/dev/null", O_RDWR, 0); // takes the number that has just become free
      }
      // With -d it serves one connection to somebody who wants to look into it.
      if (settings.debug === 0 && !isConfined(settings, flags, events)) {
        server.end(failure);
        return;
      }
      if (!isDaemon) return;
      writeFd(statusFd, Uint8Array.of(0), 0, 1);
      closeFd(statusFd);
    },
    exit: (status) => {
      process.exit(status);
    },
    reloaded: ({ config }) => {
      try {
        log.reconfigure(logSettings(flags, config.global));
      } catch (error) {
        // The old outputs stay.
        events.event("error", "log.failed", error instanceof Error ? error.message : String(error));
      }
    },
  });
  // The server has started its spawner by now, which is not protected, nor what it starts.
  protectFromOutOfMemory();
  server.start();
}

/** False: a layer that is required cannot be had, and it is told. */
function isConfined(settings: Settings, flags: Flags, events: EventSink): boolean {
  try {
    confineThisListener(settings, flags, events);
    // The runtime's own way out would call what the filter refuses (io_uring of its platform's loop), and abort. Last of all listeners.
    process.on("exit", (status) => exitNow(status));
    process.on("uncaughtExceptionMonitor", (error) => {
      events.event("fatal", "listener.failed", error.stack ?? error.message);
    });
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    events.event("fatal", "sandbox.layer-missing", why);
    return false;
  }
}

function openLog(flags: Flags, settings: Settings): Log {
  try {
    return new Log(logSettings(flags, settings.config.global));
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), failure);
  }
}

/** Until it listens, what goes wrong is also said to who starts it, as sshd does before it has loaded its keys. */
class StartupLog implements EventSink {
  readonly #log: EventSink;
  isStarting: boolean;

  constructor(log: EventSink, isStarting: boolean) {
    this.#log = log;
    this.isStarting = isStarting;
  }

  event(level: LogLevel, code: string, text: string, details?: EventDetails): void {
    this.#log.event(level, code, text, details);
    if (this.isStarting && (level === "error" || level === "fatal" || code === "host-key.none"))
      process.stderr.write(`${text}\n`);
  }
}
