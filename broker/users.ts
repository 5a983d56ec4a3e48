// A user as the databases have him: passwd, groups, shadow, and whether his shell can be run.
import { accessSync, constants, statSync } from "node:fs";
import { groupName, groupsOf, shadowOf, userByName } from "../native/users.ts";
import type { UserRecord } from "./world.ts";

const dayMs = 86_400_000;
const defaultShell = "/bin/sh";

/** sshd's reasons (auth.c, allowed_user; auth-shadow.c), without PAM. */
function whyUnusable(
  name: string,
  passwd: string,
  shell: string,
  nowMs: number,
): string | undefined {
  const shadow = shadowOf(name);
  if ((shadow?.hash ?? passwd).startsWith("!")) return "account is locked";
  if (shadow !== null && shadow.expires >= 0 && nowMs / dayMs > shadow.expires)
    return "account has expired";
  try {
    if (!statSync(shell).isFile()) return `shell ${shell} does not exist`;
    accessSync(shell, constants.X_OK);
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT"; // fs throws no other kind
    return `shell ${shell} ${isAbsent ? "does not exist" : "is not executable"}`;
  }
  return undefined;
}

/** Null when there is no such user. */
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
