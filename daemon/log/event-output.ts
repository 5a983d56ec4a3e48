// EventLog: every event as one JSON object on a line, by pino, written at once (no thread, no queue to lose).
import { createRequire } from "node:module";
import type { Logger, pino as Pino } from "pino";
import { logLevels, type LogLevel } from "../../ipc/listener.ts";
import { closeFd } from "../../native/descriptors.ts";
import type { LogLine, LogOutput } from "./line.ts";
import { writeText } from "./stream-output.ts";

/** Version of what an event holds; docs/logs.md. A field that goes or changes its meaning is a new version; a new field is not. */
const schemaVersion = 1;

type EventLevel = Exclude<LogLevel, "quiet">;
// pino wants numbers that grow with importance; readers get the names.
const customLevels = Object.fromEntries(
  logLevels.filter((level) => level !== "quiet").map((level, i) => [level, 80 - i * 10]),
) as Record<EventLevel, number>; // fromEntries forgets the names

/** JSON leaves DEL, the C1 controls and two line separators alone; terminals and other readers do not. All are inside strings. */
const spellControls = (json: string): string =>
  json.replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

export class EventOutput implements LogOutput {
  readonly #fd: number;
  readonly #owned: boolean;
  readonly #logger: Logger<EventLevel>;

  /** Closes `fd` at the end when it is `owned`. */
  constructor(fd: number, owned: boolean) {
    this.#fd = fd;
    this.#owned = owned;
    // Loaded only here: 70 ms that a server without an event log, and every -i, would pay for nothing. The type is the package's own.
    const { pino } = createRequire(import.meta.url)("pino") as { pino: typeof Pino };
    this.#logger = pino(
      {
        base: null,
        customLevels,
        useOnlyCustomLevels: true,
        level: "debug3",
        formatters: { level: (label) => ({ level: label }) },
        // The event's own time, the same as in the text log.
        timestamp: false,
      },
      {
        write: (json) => {
          writeText(fd, spellControls(json));
        },
      },
    );
  }

  write({ level, code, text, program, pid, time, fields }: LogLine): void {
    // The numbered connection is in every event about one: it is what ties them together.
    const { connection, ...others } = fields;
    this.#logger[level === "quiet" ? "info" : level](
      {
        time: time.toISOString(),
        v: schemaVersion,
        code,
        program,
        pid,
        ...(connection === undefined ? {} : { connection }),
        // One object of their own, so that no field of a process that is not believed can be taken for one of ours.
        ...(Object.keys(others).length === 0 ? {} : { fields: others }),
      },
      // As data: pino would read % in a message as a format.
      "%s",
      text,
    );
  }

  close(): void {
    if (this.#owned) closeFd(this.#fd);
  }
}
