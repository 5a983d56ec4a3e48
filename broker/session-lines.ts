// The lines that a session process writes into the log. It is not believed: only sshd's forms, about the user and the peer that the broker knows
// itself, go unmarked; nothing that it says can be taken for a line about somebody else.

const number = /^\d{1,10}$/;

/** `line` as it is logged. `peer` is "ADDRESS port PORT", `user` null before authentication, when a session process has nothing to say. */
export function lineOfSession(line: string, user: string | null, peer: string): string {
  const marked = `session process of ${peer}: ${line}`;
  if (user === null) return marked;
  const from = `from ${peer} id `;
  const at = line.lastIndexOf(from);
  const about = at < 0 || !number.test(line.slice(at + from.length)) ? null : line.slice(0, at);
  const isOwn =
    (about?.startsWith("Starting session: ") === true && about.endsWith(` for ${user} `)) ||
    about === `Close session: user ${user} ` ||
    (line.startsWith("subsystem request for ") &&
      [" failed, subsystem not found", " failed, execution failed"].some((why) =>
        line.endsWith(` by user ${user}${why}`),
      ));
  return isOwn ? line : marked;
}
