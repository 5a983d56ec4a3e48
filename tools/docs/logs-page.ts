// docs/logs.md, made from the catalogue of events.
import { eventCodes } from "../../daemon/log/event-codes.ts";
import { logLevels } from "../../ipc/listener.ts";
import { table } from "./markdown.ts";

const fields: readonly (readonly string[])[] = [
  ["`level`", `${logLevels.slice(1).join(", ")}: as LogLevel names them, most important first`],
  ["`time`", "RFC 3339, UTC, milliseconds"],
  [
    "`v`",
    "Version of this schema, 1. A field that goes or changes its meaning is a new version; a new field or code is not",
  ],
  ["`code`", "Stable name of the event, below. Decide on this, not on `msg`"],
  ["`program`, `pid`", "`sshd` for the listener, `sshd-session` for the processes of a connection"],
  [
    "`connection`",
    "Number of the connection, from 1 up for the life of the listener; absent where there is none",
  ],
  ["`fields`", "What else belongs to the event; values from a broker are strings, numbers too"],
  ["`msg`", "sshd's line, as in the text log, without its level"],
];

/** The whole page. */
export function logsPage(): string {
  const codes = Object.entries(eventCodes).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return (
    [
      "# Logs",
      "<!-- Made by `npm run docs` from daemon/log/event-codes.ts; a test fails when it is not current. -->",
      "Every event is written twice: as a line in sshd's words, and as one JSON object where `EventLog` names a file (or `stderr`).",
      "## Lines",
      "To the system log (`/dev/log`, facility of `SyslogFacility`) as glibc writes them, with `fatal: `, `error: ` or `debugN: ` in front; " +
        "with `-E FILE`, `-e` or `-d` to that file or stderr, as sshd does: only `debugN: ` in front, CR LF at the end. ` [preauth]` behind a line: " +
        "what it tells was said by a client not authenticated yet. `LogLevel` says what is written, `-q` nothing, `-d` more.",
      "All but printable ASCII is spelled as vis(3) spells it (`\\n`, `\\033`, `\\303\\251`; a backslash is two), so a peer cannot make a second " +
        "line or move a terminal's cursor. sshd leaves some controls alone with `-e` and `-E`; here they are spelled there too. A line is cut at 4096 characters. " +
        "When the system log cannot be reached lines are lost, and the next one that gets through is preceded by their number.",
      "## Events",
      "One object a line, by pino, written at once. Everything from `fatal` to `debug1` is in it whatever `LogLevel` says; `debug2` and `debug3` when it says so. " +
        "Files are opened anew at SIGHUP. DEL, C1 controls and U+2028/9 are escaped, too. Keys under `fields` never collide with the outer ones.",
      table(["key", "meaning"], fields),
      "Events about a connection have `user`, `remoteAddress`, `remotePort` in `fields` as far as they are known.",
      table(["code", "meaning"], codes),
    ].join("\n\n") + "\n"
  );
}
