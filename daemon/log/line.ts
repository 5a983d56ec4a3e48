// One line of the log before it is written: what every way out shares.
import type { LogLevel } from "../../ipc/listener.ts";

export interface LogLine {
  readonly level: LogLevel;
  /** Stable name of the event. */
  readonly code: string;
  /** Escaped, `[preauth]` included, no prefix. */
  readonly text: string;
  /** As sshd names it in the system log: the listener, or a process of one connection. */
  readonly program: "sshd" | "sshd-session";
  readonly pid: number;
  readonly time: Date;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}
/** Writes, or loses the line: a log that cannot be written never stops the server. */
export interface LogOutput {
  write(line: LogLine): void;
  close(): void;
}
