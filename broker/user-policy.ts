// Who may log in at all (auth.c, allowed_user): decided before any method, told to nobody but the log.
import type { ServerOptions } from "../config/options.ts";
import { matchesPattern, matchesUserList } from "../config/patterns.ts";
import type { UserRecord } from "./world.ts";

/** Undefined: the user may. Else sshd's line. */
export function refusalOf(
  user: UserRecord,
  address: string,
  options: ServerOptions,
): string | undefined {
  const because = (reason: string): string =>
    `User ${user.name} from ${address} not allowed because ${reason}`;
  if (user.unusable !== undefined) return user.unusable;
  // As sshd's ga_match: each pattern by itself. A "!" would be a letter; read as a negation it would let in whom sshd denies.
  const inAny = (patterns: readonly string[]): boolean =>
    user.groupNames.some((group) => patterns.some((pattern) => matchesPattern(group, pattern)));
  if (matchesUserList(user.name, address, options.denyUsers)) return because("listed in DenyUsers");
  if (options.allowUsers.length > 0 && !matchesUserList(user.name, address, options.allowUsers)) {
    return because("not listed in AllowUsers");
  }
  if (options.denyGroups.length === 0 && options.allowGroups.length === 0) return undefined;
  if (user.groupNames.length === 0) return because("not in any group");
  if (inAny(options.denyGroups)) return because("a group is listed in DenyGroups");
  if (options.allowGroups.length > 0 && !inAny(options.allowGroups)) {
    return because("none of user's groups are listed in AllowGroups");
  }
  return undefined;
}

/** PermitRootLogin for a user who has proved a key (auth_root_allowed). */
export function mayBeRoot(uid: number, options: ServerOptions, hasForcedCommand: boolean): boolean {
  if (uid !== 0) return true;
  switch (options.permitRootLogin) {
    case "yes":
    case "prohibit-password":
      return true;
    case "forced-commands-only":
      return hasForcedCommand;
    case "no":
      return false;
  }
}
