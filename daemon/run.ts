// The server itself, in the foreground of whatever started it: log, poller, and then the listener or the one connection of -i.
import { ConfigError } from "../config/load.ts";
import type { Flags } from "../config/flags.ts";
import { logLevels, type LogLevel } from "../ipc/listener.ts";
import { closeFd, openFd, writeFd } from "../native/descriptors.ts";
import { Poller } from "../native/poller.ts";
import { collectOutput } from "./children-output.ts";
import { statusFd } from "./daemonize.ts";
import type { EventSink } from "./events.ts";
import { serveInetd } from "./inetd.ts";
import { Server } from "./listener/server.ts";
import { MinimalLog } from "./minimal-log.ts";
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

/** Before there is a log: to whom started us. */
function fail(text: string, status: number): never {
  process.stderr.write(`${text}\n`);
  process.exit(status);
}

function settingsOrExit(flags: Flags): Settings {
  const fault = runtimeFault();
  if (fault !== undefined) fail(`sallyportd: ${fault}`, failure);
  try {
    return loadSettings(flags);
  } catch (error) {
    if (error instanceof ConfigError) fail(error.lines.join("\n"), failure);
    const { code } = error as NodeJS.ErrnoException; // absent where no system call failed
    if (code === "ENOENT") fail(`${flags.file}: No such file or directory`, failure);
    fail(error instanceof Error ? error.message : String(error), failure);
  }
}

export function run({ flags, commandLine, isDaemon }: RunOptions): void {
  const settings = settingsOrExit(flags);
  process.umask(process.umask(0o077) | 0o022);
  const poller = new Poller();
  const events = openLog(flags, settings);
  for (const notice of settings.config.notices) events.event("info", "config.notice", notice);
  const nullFd = openFd("/dev/null", O_RDWR, 0);
  const options = { poller, events, nullFd, stderrFd: collectOutput(poller, events) };
  if (flags.inetd) {
    serveInetd(settings, options);
    return;
  }
  const server = new Server(settings, {
    ...options,
    flags,
    commandLine,
    listening: () => {
      if (!isDaemon) return;
      process.chdir("/");
      writeFd(statusFd, Uint8Array.of(0), 0, 1);
      closeFd(statusFd);
      // The terminal that started us is not ours any more.
      closeFd(stderrFd);
      openFd("/dev/null", O_RDWR, 0); // takes the number that has just become free
    },
    exit: (status) => {
      process.exit(status);
    },
    reloaded: () => {
      // the log's level and facility
    },
  });
  server.start();
}

function openLog(flags: Flags, settings: Settings): EventSink {
  const configured = settings.config.global.logLevel.toLowerCase();
  const level = logLevels.find((name) => name === configured) ?? "info";
  const debug: LogLevel = flags.debug > 0 ? (logLevels[4 + flags.debug] ?? "debug3") : level;
  const O_APPEND_CREATE = 0o2000 | 0o100 | 1;
  const fd = flags.logFile === undefined ? 2 : openFd(flags.logFile, O_APPEND_CREATE, 0o600);
  return new MinimalLog(fd, flags.quiet ? "quiet" : debug);
}
