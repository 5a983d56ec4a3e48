// Reading a user's file as that user, with sshd's StrictModes checks (misc.c, safe_path): nobody else may have been able to write it.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
  type Stats,
} from "node:fs";
import { dirname } from "node:path";
import { asUser } from "../native/confine.ts";
import type { UserRecord } from "./world.ts";

/** More than any real file; sshd has no bound, a broker must. */
const maxFileBytes = 4 * 1024 * 1024;

export type KeyFile =
  | { readonly text: string }
  /** The next file is tried, and nothing said. */
  | { readonly absent: true }
  /** Not read; the text is sshd's line. */
  | { readonly refused: string };

const openErrors: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  ENOTDIR: "Not a directory",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
};

const writableByOthers = (stats: Stats, uid: number): boolean =>
  (stats.uid !== 0 && stats.uid !== uid) || (stats.mode & 0o22) !== 0;

/** The file and every folder up to the home (or the root) belong to the user or root, and nobody else may write them. */
function checkPath(path: string, opened: Stats, user: UserRecord): string | undefined {
  const real = realpathSync(path);
  // What is checked by its path must be what was opened.
  const { dev, ino } = statSync(real);
  if (dev !== opened.dev || ino !== opened.ino) return `${real} changed while it was checked`;
  if (writableByOthers(opened, user.uid)) return `bad ownership or modes for file ${real}`;
  let home = "";
  try {
    home = realpathSync(user.home);
  } catch {
    // No home: the walk goes up to the root.
  }
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if (writableByOthers(statSync(folder), user.uid))
      return `bad ownership or modes for directory ${folder}`;
    if (folder === home || folder === "/") return undefined;
  }
}

function readOpened(fd: number, bytes: number): string {
  const buffer = Buffer.alloc(Math.min(bytes + 1, maxFileBytes));
  let length = 0;
  for (;;) {
    const got = readSync(fd, buffer, length, buffer.length - length, null);
    if (got === 0) break;
    length += got;
    if (length === buffer.length) break;
  }
  return buffer.toString("latin1", 0, length);
}

/** Opens without blocking (a FIFO would), regular files only. Runs with the user's effective ids and groups. */
export function readKeyFile(path: string, user: UserRecord, strict: boolean): KeyFile {
  const read = (): KeyFile => {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException; // fs throws no other kind
      if (code === "ENOENT") return { absent: true };
      const why = openErrors[code] ?? code;
      return { refused: `Could not open user '${user.name}' authorized keys '${path}': ${why}` };
    }
    try {
      const opened = fstatSync(fd);
      if (!opened.isFile())
        return { refused: `User '${user.name}' authorized keys '${path}' is not a regular file` };
      if (opened.size >= maxFileBytes)
        return { refused: `Authentication refused: ${path} is too large` };
      const why = strict ? checkPath(path, opened, user) : undefined;
      if (why !== undefined) return { refused: `Authentication refused: ${why}` };
      return { text: readOpened(fd, opened.size) };
    } catch (error) {
      return {
        refused: `Authentication refused: ${error instanceof Error ? error.message : String(error)}`,
      };
    } finally {
      closeSync(fd);
    }
  };
  if (process.getuid?.() !== 0) return read();
  try {
    return asUser(user.uid, user.gid, [...user.groups], read);
  } catch (error) {
    // Nothing was read: the identity was refused (more groups than the kernel takes), and is ours again.
    const why = error instanceof Error ? error.message : String(error);
    return { refused: `Could not become user '${user.name}' to read '${path}': ${why}` };
  }
}

/** %h, %u, %U and %% (sshd_config(5), TOKENS); a relative path is under the home. */
export function expandKeyPath(pattern: string, user: UserRecord): string {
  const tokens: Readonly<Record<string, string>> = {
    "%%": "%",
    "%h": user.home,
    "%u": user.name,
    "%U": String(user.uid),
  };
  const path = pattern.replace(/%./g, (token) => {
    const value = tokens[token];
    if (value === undefined) throw new RangeError(`AuthorizedKeysFile: unknown token ${token}`);
    return value;
  });
  return path.startsWith("/") ? path : `${user.home}/${path}`;
}
