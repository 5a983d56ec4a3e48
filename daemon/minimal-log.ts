// Until daemon/log is there: lines to a descriptor, as sshd's -e and -E write them.
import { writeFd } from "../native/descriptors.ts";
import { logLevels, type LogLevel } from "../ipc/listener.ts";
import type { EventDetails, EventSink } from "./events.ts";

export class MinimalLog implements EventSink {
  readonly #fd: number;
  readonly #threshold: number;

  constructor(fd: number, threshold: LogLevel) {
    this.#fd = fd;
    this.#threshold = logLevels.indexOf(threshold);
  }

  event(level: LogLevel, code: string, text: string, details: EventDetails = {}): void {
    if (logLevels.indexOf(level) > this.#threshold) return;
    const preauth = details.preauth === true ? " [preauth]" : "";
    const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
    const line = Buffer.from(`${level.startsWith("debug") ? `${level}: ` : ""}${escaped}${preauth}\r\n`);
    writeFd(this.#fd, line, 0, line.length);
    void code;
  }
}
