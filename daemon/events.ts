// What the listener says: one line in sshd's words and one JSON event, both from one call.
import type { LogLevel } from "../ipc/listener.ts";

export interface EventDetails {
  /** The process that says it; the listener itself when absent. */
  readonly pid?: number;
  readonly preauth?: boolean;
  readonly fields?: Readonly<Record<string, string | number>>;
}
export interface EventSink {
  /** `code` is the event's stable name; `text` the line, which the sink escapes. */
  event(level: LogLevel, code: string, text: string, details?: EventDetails): void;
}
