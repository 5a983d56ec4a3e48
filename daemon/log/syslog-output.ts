// The system log: datagrams to /dev/log, as glibc's syslog(3) writes them (RFC 3164 section 4.1, without a host name).
import type { SyslogFacility } from "../../config/options.ts";
import type { LogLevel } from "../../ipc/listener.ts";
import { closeFd, writeFd, WOULD_BLOCK } from "../../native/descriptors.ts";
import { connectDatagram } from "../../native/sockets.ts";
import type { LogLine, LogOutput } from "./line.ts";

/** <syslog.h>, facilities not shifted yet. */
// prettier-ignore
const facilities: Readonly<Record<SyslogFacility, number>> = {
  user: 1, daemon: 3, auth: 4, authpriv: 10,
  local0: 16, local1: 17, local2: 18, local3: 19, local4: 20, local5: 21, local6: 22, local7: 23,
};
/** LOG_CRIT, LOG_ERR, LOG_INFO, LOG_DEBUG, as do_log of sshd maps its levels. */
// prettier-ignore
const severities: Readonly<Record<LogLevel, number>> = {
  quiet: 6, fatal: 2, error: 3, info: 6, verbose: 6, debug1: 7, debug2: 7, debug3: 7,
};
const prefixes: Readonly<Record<LogLevel, string>> = {
  quiet: "",
  fatal: "fatal: ",
  error: "error: ",
  info: "",
  verbose: "",
  debug1: "debug1: ",
  debug2: "debug2: ",
  debug3: "debug3: ",
};
// prettier-ignore
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Mmm dd hh:mm:ss` in local time, the day padded with a blank. */
function stamp(time: Date): string {
  const two = (value: number, fill = "0"): string => String(value).padStart(2, fill);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((n) => two(n))
    .join(":");
  return `${months[time.getMonth()] ?? ""} ${two(time.getDate(), " ")} ${clock}`;
}

export function syslogLine(line: LogLine, facility: SyslogFacility): string {
  const priority = facilities[facility] * 8 + severities[line.level];
  const { program, pid, text } = line;
  return `<${priority}>${stamp(line.time)} ${program}[${pid}]: ${prefixes[line.level]}${text}`;
}

export class SyslogOutput implements LogOutput {
  readonly #facility: SyslogFacility;
  readonly #path: string;
  #fd: number | undefined;
  #lost = 0;

  constructor(facility: SyslogFacility, path = "/dev/log") {
    this.#facility = facility;
    this.#path = path;
  }

  write(line: LogLine): void {
    if (this.#lost > 0) {
      const text = `${this.#lost} lines could not be written to the system log`;
      if (this.#send({ ...line, level: "error", text })) this.#lost = 0;
    }
    if (!this.#send(line)) this.#lost += 1;
  }

  close(): void {
    if (this.#fd !== undefined) closeFd(this.#fd);
    this.#fd = undefined;
  }

  /** Twice at most: syslogd may have been restarted since the last line, and then the old socket is dead. */
  #send(line: LogLine): boolean {
    const bytes = Buffer.from(syslogLine(line, this.#facility), "utf8");
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        this.#fd ??= connectDatagram(this.#path);
        return writeFd(this.#fd, bytes, 0, bytes.length) !== WOULD_BLOCK;
      } catch {
        this.close();
      }
    }
    return false;
  }
}
