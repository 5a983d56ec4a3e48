// A user as the databases have him: passwd, groups, shadow, and whether his shell can be run.
import { statSync } from "node:fs";
import { groupName, groupsOf, shadowOf, userByName } from "../native/users.ts";
import type { UserRecord } from "./world.ts";

const dayMs = 86_400_000;
const defaultShell = "/bin/sh";

/** sshd's lines (auth.c, allowed_user; auth-shadow.c), without PAM. */
function whyUnusable(
  name: string,
  passwd: string,
  shell: string,
  nowMs: number,
): string | undefined {
  const because = (reason: string): string => `User ${name} not allowed because ${reason}`;
  const shadow = shadowOf(name);
  // The last day still counts whole.
  if (shadow !== null && shadow.expires >= 0 && Math.floor(nowMs / dayMs) > shadow.expires)
    return `Account ${name} has expired`;
  if ((shadow?.hash ?? passwd).startsWith("!")) return because("account is locked");
  const found = statSync(shell, { throwIfNoEntry: false });
  if (found === undefined) return because(`shell ${shell} does not exist`);
  if (!found.isFile() || (found.mode & 0o111) === 0)
    return because(`shell ${shell} is not executable`);
  return undefined;
}

/** Null when there is no such user. Throws what the databases or the file system throw. */
export function lookupUser(name: string, nowMs: number): UserRecord | null {
  const entry = userByName(name);
  if (entry === null) return null;
  const groups = groupsOf(entry.name, entry.gid);
  const shell = entry.shell === "" ? defaultShell : entry.shell;
  const unusable = whyUnusable(entry.name, entry.password, shell, nowMs);
  return {
    name: entry.name,
    uid: entry.uid,
    gid: entry.gid,
    groups,
    groupNames: groups.map((gid) => groupName(gid)).filter((group) => group !== null),
    home: entry.home === "" ? "/" : entry.home,
    shell,
    ...(unusable === undefined ? {} : { unusable }),
  };
}
