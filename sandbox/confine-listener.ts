// The listener is exec'd and has the runtime's threads, as the signer; it is confined when it listens, before it has accepted anything.
import { statSync } from "node:fs";
import { closeFd } from "../native/descriptors.ts";
import { setDumpable, setMdwe, setRlimit } from "../native/confine.ts";
import {
  installSeccompFilter,
  lockRuntimeThreads,
  runtimeThreadsHandshake,
  setNoNewPrivs,
  threadReport,
} from "../native/threads.ts";
import { assemble } from "./bpf.ts";
import { compile } from "./bpf-compiler.ts";
import { capabilitySet, lockedSecurebits, resource, type CapabilityName } from "./constants.ts";
import { landlockRulesetOf } from "./landlock.ts";
import type { LayerName } from "./layers.ts";
import {
  listener,
  listenerCapabilities,
  listenerCapabilitiesForFolders,
  listenerOtherwise,
} from "./policies/listener.ts";

// Object.keys forgets the literal names.
export const listenerKeeps = capabilitySet(
  ...(Object.keys(listenerCapabilities) as CapabilityName[]),
);
/** Where a folder that it writes to is not root's. */
export const listenerKeepsForFolders =
  listenerKeeps |
  capabilitySet(...(Object.keys(listenerCapabilitiesForFolders) as CapabilityName[]));

const isRoots = (folder: string): boolean => {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found === undefined || found.uid === 0;
};

export interface ListenerConfinement {
  /** False when the server does not run as root: there are no capabilities to cut. */
  readonly isRoot: boolean;
  /** Layers without which there is no server. */
  readonly required: ReadonlySet<LayerName>;
  /** Folders of the pid file and of log files: what it can write to from here on. Those that do not exist are left out. */
  readonly writableFolders: readonly string[];
  /** The service manager's socket has an abstract name. */
  readonly usesAbstractSocket: boolean;
}

/**
 * Confines every thread of the calling process, which has started its spawner and whose loop was remade (`remakeLoop`) before it watched for signals: that throws away those under way. Returns the layers
 * that could not be had, as `NAME: reason`. Throws when one of them is required, or when threads differ. Cannot be undone.
 */
export function confineListener(confinement: ListenerConfinement): string[] {
  const { isRoot, required, writableFolders, usesAbstractSocket } = confinement;
  const missing: string[] = [];
  const layer = (name: LayerName, apply: () => void): void => {
    try {
      apply();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      if (required.has(name))
        throw new Error(`Cannot confine listener: layer ${name}: ${why}`, { cause });
      missing.push(`${name}: ${why}`);
    }
  };
  const kept = writableFolders.every(isRoots) ? listenerKeeps : listenerKeepsForFolders;
  lockRuntimeThreads();
  if (isRoot) {
    layer("securebits", () => {
      runtimeThreadsHandshake({ operation: "securebits", bits: lockedSecurebits });
    });
    layer("capabilities", () => {
      runtimeThreadsHandshake({
        operation: "capabilities",
        permitted: kept,
        bounding: 0n, // it matters to exec alone, which there is none of
      });
    });
  }
  layer("undumpable", () => {
    setDumpable(false);
  });
  layer("rlimits", () => {
    for (const limit of [resource.core, resource.memlock]) setRlimit(limit, 0, 0);
  });
  layer("noNewPrivs", setNoNewPrivs);
  layer("landlock", () => {
    const rulesetFd = landlockRulesetOf({
      readable: ["/"],
      writable: writableFolders,
      signals: true,
      bindsTcp: true,
      abstractSockets: usesAbstractSocket,
    });
    try {
      runtimeThreadsHandshake({ operation: "landlock", rulesetFd });
    } finally {
      closeFd(rulesetFd);
    }
  });
  layer("mdwe", setMdwe);
  layer("seccomp", () => {
    installSeccompFilter(assemble(compile(listener, listenerOtherwise)));
  });
  proveThreads(isRoot ? kept : undefined, missing);
  return missing;
}

/** Of each thread, as the kernel shows it: a half-confined process is worse than none, which says so. */
function proveThreads(kept: bigint | undefined, missing: readonly string[]): void {
  const holds = (name: LayerName): boolean => !missing.some((line) => line.startsWith(`${name}:`));
  const isCut = kept !== undefined && holds("capabilities");
  for (const { name, tid, noNewPrivs, seccompFilters, capabilities } of threadReport())
    if (
      (holds("noNewPrivs") && !noNewPrivs) ||
      // The lock against new threads is one of its own.
      (holds("seccomp") && seccompFilters < 2) ||
      (isCut && (capabilities.permitted !== kept || capabilities.effective !== kept))
    )
      throw new Error(`Cannot confine listener: thread ${name} (${tid}) is not confined`);
}
