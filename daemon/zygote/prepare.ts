// What the zygote makes once so that its children need not: namespaces, the privsep user, databases and ciphers that have been used.
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import type { Config } from "../../config/load.ts";
import { makeNamespaces, setRlimit, type NamespaceFds } from "../../native/confine.ts";
import { groupsOf, userByName, userById } from "../../native/users.ts";
import { resource } from "../../sandbox/constants.ts";
import { isLayerName, requiredByDefault, type LayerName } from "../../sandbox/layers.ts";

/** The root of session processes where no mount namespace can be made; ours alone, on a file system that a reboot empties. */
const emptyRoot = "/run/sallyport/empty";

export interface Privsep {
  readonly uid: number;
  readonly gid: number;
  readonly emptyRoot: string;
  readonly namespaces: NamespaceFds;
  readonly required: ReadonlySet<LayerName>;
}
export interface Prepared {
  readonly privsep: Privsep;
  /** RLIMIT_NOFILE as it was, soft and hard: what a login gives back to its user. */
  readonly openFiles: readonly [number, number];
  /** Before the first fork: garbage goes, so that children share what is left and need not collect it. */
  settle(): void;
}

/** Makes it, or throws when somebody else could put something there. */
function makeEmptyRoot(): string {
  mkdirSync(emptyRoot, { recursive: true, mode: 0o755 });
  for (const path of ["/run/sallyport", emptyRoot]) {
    const { uid, mode } = lstatSync(path);
    if (uid !== 0 || (mode & 0o022) !== 0)
      throw new Error(`Cannot use ${path}: it must be root's, and not writable by others`);
  }
  if (readdirSync(emptyRoot).length > 0) throw new Error(`Cannot use ${emptyRoot}: it is not empty`);
  return emptyRoot;
}

function openFilesLimit(): [number, number] {
  const line = /^Max open files +(\d+|unlimited) +(\d+|unlimited)/m.exec(
    readFileSync("/proc/self/limits", "latin1"),
  );
  const number = (word = "1024"): number => (word === "unlimited" ? Infinity : Number(word));
  return [number(line?.[1]), number(line?.[2])];
}

function requiredLayers(config: Config): ReadonlySet<LayerName> {
  const { sandboxRequire } = config.global;
  return new Set(sandboxRequire.length === 0 ? requiredByDefault : sandboxRequire.filter(isLayerName));
}

/** As root. Throws when the privsep user is gone or the empty root is not safe. */
export function prepare(config: Config): Prepared {
  const user = userByName(config.global.privsepUser);
  if (user === null) throw new Error(`Privilege separation user ${config.global.privsepUser} does not exist`);
  const openFiles = openFilesLimit();
  // One pidfd a child; the soft limit of 1024 is for programs that use select(2).
  setRlimit(resource.nofile, openFiles[1], openFiles[1]);
  const { fds: namespaces } = makeNamespaces();
  // The service modules of these databases are loaded by their first use, and then shared by all children.
  groupsOf(user.name, user.gid);
  userById(0);
  createHash("sha256").update("").digest();
  return {
    privsep: {
      uid: user.uid,
      gid: user.gid,
      emptyRoot: makeEmptyRoot(),
      namespaces,
      required: requiredLayers(config),
    },
    openFiles,
    settle: () => {
      globalThis.gc?.();
    },
  };
}
