// What the zygote makes once so that its children need not: namespaces, the privsep user, databases and ciphers that have been used.
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import type { Config } from "../../config/load.ts";
import { makeNamespaces } from "../../native/confine.ts";
import { letHeapScatter, packHeap } from "../../native/prefault.ts";
import { turnLoop } from "../../native/process.ts";
import { groupsOf, shadowOf, userByName, userById } from "../../native/users.ts";
import { BrokerFilter, type BrokerConfinement } from "../../sandbox/confine-broker.ts";
import { usesDatabaseDaemons } from "../../sandbox/database-daemons.ts";
import { openFilesLimit, raiseOpenFilesLimit } from "../open-files.ts";
import type { SessionConfinement } from "../../sandbox/confine-session.ts";
import { isLayerName, requiredLayers, type LayerName } from "../../sandbox/layers.ts";

/** The root of session processes where no mount namespace can be made; ours alone, on a file system that a reboot empties. */
const emptyRoot = "/run/sallyport/empty";

export interface Prepared {
  readonly privsep: SessionConfinement;
  readonly confinement: BrokerConfinement;
  /** "" or why nobody can be served: a namespace that SandboxRequire names and that cannot be made. */
  readonly fault: string;
  /**
   * After the first rehearsal: garbage goes, so that children share what is left and need not collect it. The shapes of objects of which none is
   * alive go too, and with them what the interpreter has learned of them: then rehearse again.
   */
  collect(): void;
  /** After the last rehearsal, before the first fork: what it has left goes, what it has learned stays (only young objects are looked at). */
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
  if (readdirSync(emptyRoot).length > 0)
    throw new Error(`Cannot use ${emptyRoot}: it is not empty`);
  return emptyRoot;
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** Whose ids session processes take; without root there is only one identity to have, as with sshd. */
function privsepIds(config: Config): { uid: number; gid: number } {
  if (!isRoot()) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const user = userByName(config.global.privsepUser);
  if (user === null)
    throw new Error(`Privilege separation user ${config.global.privsepUser} does not exist`);
  return user;
}

/** No database has it: asked for, every service of nsswitch.conf is asked. */
const nobodysName = "sallyport:nobody";

/** Loads the service modules of the user databases: children share them, and a confined broker could not map their code any more. */
function loadDatabases(): void {
  groupsOf(userById(0)?.name ?? "root", 0);
  userByName(nobodysName);
  shadowOf(nobodysName);
}

/** `missing`: kind, as in /proc/PID/ns, to the errno's name. */
function requiredNamespaceFault(
  missing: Readonly<Record<string, string>>,
  required: ReadonlySet<LayerName>,
): string {
  for (const [kind, errno] of Object.entries(missing)) {
    const layer = `${kind}ns`;
    if (isLayerName(layer) && required.has(layer))
      return `layer ${layer} is required (SandboxRequire) and cannot be had here: ${errno}`;
  }
  return "";
}

/** Throws when the privsep user is gone or the empty root is not safe. */
export function prepare(config: Config): Prepared {
  const { uid, gid } = privsepIds(config);
  raiseOpenFilesLimit(openFilesLimit());
  const { fds: namespaces, missing } = makeNamespaces();
  loadDatabases();
  createHash("sha256").update("").digest();
  const required = requiredLayers(config.global.sandboxRequire, isRoot());
  return {
    fault: requiredNamespaceFault(missing, required),
    confinement: { filter: new BrokerFilter(usesDatabaseDaemons()), isRoot: isRoot(), required },
    privsep: {
      uid,
      gid,
      // Without root there is no changing to it.
      emptyRoot: isRoot() ? makeEmptyRoot() : "/",
      namespaces,
      required,
    },
    collect: () => {
      turnOver({ type: "major", execution: "sync" });
    },
    settle: () => {
      turnOver({ type: "minor", execution: "sync" });
      packHeap();
      letHeapScatter();
    },
  };
}

/**
 * Twice: the finalizers of native objects run in the loop, and what they let go is garbage too. Left over, each child would run them, and copy
 * every page that they touch.
 */
function turnOver(kind: NodeJS.GCOptions): void {
  for (let i = 0; i < 2; i += 1) {
    globalThis.gc?.(kind);
    turnLoop();
  }
}
