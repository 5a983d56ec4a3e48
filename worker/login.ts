// The root stage: from a fork of the zygote to the user. What is set here is inherited by the user's shell, so nothing of our own
// hardening may be; what sshd gives a login is.
import { writeFileSync } from "node:fs";
import type { Identity } from "../ipc/worker.ts";
import { setIds } from "../native/confine.ts";
import { setsid } from "../native/process.ts";
import { groupsOf } from "../native/users.ts";

/** As sshd: nothing that a login makes is writable by the group or others unless the user says so. */
const loginUmask = 0o022;

/** The listener protects itself from the kernel's out-of-memory killer; its users' programs are like any other. */
function restoreOomScore(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "0");
  } catch {
    // A container may forbid it; then the listener could not change it either.
  }
}

/** Becomes the user, and proves that there is no way back. Returns the message for the user when the home cannot be entered. */
export function becomeUser(identity: Identity): string | undefined {
  setsid();
  restoreOomScore();
  process.umask(loginUmask);
  if (process.getuid?.() === 0)
    setIds(identity.uid, identity.gid, groupsOf(identity.user, identity.gid));
  else if (process.getuid?.() !== identity.uid)
    throw new Error("Cannot become another user: the server does not run as root");
  const home = Buffer.from(identity.home).toString();
  try {
    process.chdir(home);
    return undefined;
  } catch (error) {
    process.chdir("/");
    const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT"; // chdir throws no other kind
    return `Could not chdir to home directory ${home}: ${isAbsent ? "No such file or directory" : "Permission denied"}\r\n`;
  }
}
