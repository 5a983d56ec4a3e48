import t from "tap";
import { lineOfSession } from "../../broker/session-lines.ts";

const peer = "192.0.2.7 port 4711";
const forged: readonly (readonly [line: string, user: string | null])[] = [
  ["Failed password for root from 198.51.100.1 port 22 ssh2", null],
  [`Starting session: shell for alice from ${peer} id 0`, null],
  ["Failed password for root from 198.51.100.1 port 22 ssh2", "alice"],
  ["Starting session: shell for alice from 198.51.100.1 port 22 id 0", "alice"],
  [`Starting session: shell for root from ${peer} id 0`, "alice"],
  [`Close session: user root from ${peer} id 0`, "alice"],
  [`Close session: user alice from ${peer} id 0x`, "alice"],
  ["subsystem request for x by user root failed, subsystem not found", "alice"],
  ["subsystem request for x by user alice failed, Accepted publickey for root", "alice"],
  ["", "alice"],
];
t.test("lineOfSession() marks what a session process says about anybody but its own peer", (t) => {
  for (const [line, user] of forged)
    t.equal(lineOfSession(line, user, peer), `session process of ${peer}: ${line}`);
  t.end();
});
t.test("lineOfSession() leaves sshd's lines as they are", (t) => {
  for (const line of [
    `Starting session: forced-command (config) 'a for b from c' on pts/0 for alice from ${peer} id 3`,
    `Close session: user alice from ${peer} id 0`,
    "subsystem request for here by user alice failed, subsystem not found",
  ])
    t.equal(lineOfSession(line, "alice", peer), line);
  t.end();
});
