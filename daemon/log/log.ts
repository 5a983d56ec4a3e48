// The log of the listener: sshd's lines to the system log, a file or stderr, and the same events as JSON where EventLog says so.
import type { Flags } from "../../config/flags.ts";
import type { ServerOptions, SyslogFacility } from "../../config/options.ts";
import { logLevels, type LogLevel } from "../../ipc/listener.ts";
import { openFd } from "../../native/descriptors.ts";
import type { EventDetails, EventSink } from "../events.ts";
import { escapeText } from "./escape.ts";
import { EventOutput } from "./event-output.ts";
import type { LogLine, LogOutput } from "./line.ts";
import { StreamOutput } from "./stream-output.ts";
import { SyslogOutput } from "./syslog-output.ts";

export interface LogSettings {
  /** Least important level written as text. */
  readonly level: LogLevel;
  /** Text: "syslog", "stderr" or a path. */
  readonly output: string;
  readonly facility: SyslogFacility;
  /** JSON: "none", "stderr" or a path. */
  readonly eventLog: string;
}

/** What flags and configuration together say, as sshd combines them. */
export function logSettings(flags: Flags, options: ServerOptions): LogSettings {
  const debug: LogLevel = logLevels[logLevels.indexOf("verbose") + flags.debug] ?? "debug3";
  const isStderr = flags.logToStderr || flags.debug > 0;
  return {
    level: flags.quiet ? "quiet" : flags.debug > 0 ? debug : options.logLevel,
    output: flags.logFile ?? (isStderr ? "stderr" : "syslog"),
    facility: options.syslogFacility,
    eventLog: options.eventLog,
  };
}

const O_WRONLY = 1;
const O_CREAT = 0o100;
const O_APPEND = 0o2000;
const O_NOCTTY = 0o400;
const stderrFd = 2;
/** Events of these levels are in the JSON log whatever LogLevel says: among them the one that ends each connection's story. */
const eventLevel = logLevels.indexOf("debug1");

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
  EROFS: "Read-only file system",
};

/** The caller's. Throws in sshd's words. */
function openLogFile(path: string): number {
  try {
    return openFd(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0o600);
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException; // native/ sets it
    throw new Error(`Couldn't open logfile ${path}: ${reasons[code] ?? code}`, { cause });
  }
}

function textOutput({ output, facility }: LogSettings): LogOutput {
  if (output === "syslog") return new SyslogOutput(facility);
  if (output === "stderr") return new StreamOutput(stderrFd, false);
  return new StreamOutput(openLogFile(output), true);
}

function eventOutput({ eventLog }: LogSettings): EventOutput | undefined {
  if (eventLog === "none") return undefined;
  if (eventLog === "stderr") return new EventOutput(stderrFd, false);
  return new EventOutput(openLogFile(eventLog), true);
}

interface Outputs {
  readonly text: LogOutput;
  readonly events: LogOutput | undefined;
  /** Index in `logLevels`. */
  readonly threshold: number;
}

function open(settings: LogSettings): Outputs {
  const text = textOutput(settings);
  try {
    return { text, events: eventOutput(settings), threshold: logLevels.indexOf(settings.level) };
  } catch (error) {
    text.close();
    throw error;
  }
}

export class Log implements EventSink {
  #outputs: Outputs;

  /** Throws Error when a file cannot be opened. */
  constructor(settings: LogSettings) {
    this.#outputs = open(settings);
  }

  /** After SIGHUP: new settings, and files opened anew (they may have been rotated). Throws, and stays as it was, when one cannot be. */
  reconfigure(settings: LogSettings): void {
    const outputs = open(settings);
    this.close();
    this.#outputs = outputs;
  }

  event(level: LogLevel, code: string, text: string, details: EventDetails = {}): void {
    const { text: out, events, threshold } = this.#outputs;
    const rank = logLevels.indexOf(level);
    const isText = rank <= threshold && rank > 0;
    const isEvent = events !== undefined && rank <= Math.max(threshold, eventLevel);
    if (!isText && !isEvent) return;
    const own = process.pid;
    const line: LogLine = {
      level,
      code,
      text: `${escapeText(text)}${details.preauth === true ? " [preauth]" : ""}`,
      program: details.pid === undefined || details.pid === own ? "sshd" : "sshd-session",
      pid: details.pid ?? own,
      time: new Date(),
      fields: details.fields ?? {},
    };
    if (isText) out.write(line);
    if (isEvent) events.write(line);
  }

  close(): void {
    this.#outputs.text.close();
    this.#outputs.events?.close();
  }
}
