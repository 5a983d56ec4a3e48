// The listener is exec'd and has the runtime's threads, as the signer; it is confined when it listens, before it has accepted anything.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { closeFd } from "../native/descriptors.ts";
import { setDumpable, setMdwe, setRlimit } from "../native/confine.ts";
import {
  installSeccompFilter,
  lockRuntimeThreads,
  runtimeThreadsHandshake,
  setNoNewPrivs,
} from "../native/threads.ts";
import { assemble } from "./bpf.ts";
import { compile } from "./bpf-compiler.ts";
import { capabilitySet, lockedSecurebits, resource, type CapabilityName } from "./constants.ts";
import { landlockRulesetOf } from "./landlock.ts";
import { layerSteps } from "./layer-steps.ts";
import type { LayerName } from "./layers.ts";
import {
  listener,
  listenerCapabilities,
  listenerCapabilitiesForFolders,
  listenerOtherwise,
} from "./policies/listener.ts";
import { proveThreads } from "./prove-threads.ts";

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
  /** Folders of log files, which are made anew after a rotation. Those that do not exist are left out. */
  readonly writableFolders: readonly string[];
  /** Written anew after SIGHUP, and removed; never made: its folder is the machine's /run, below which units of systemd can be put. */
  readonly pidFile?: string | undefined;
  /** The service manager's socket has an abstract name. */
  readonly usesAbstractSocket: boolean;
}

/**
 * Confines every thread of the calling process, which has started its spawner and whose loop was remade (`remakeLoop`) before it watched for signals: that throws away those under way. Returns the layers
 * that could not be had, as `NAME: reason`. Throws when one of them is required, or when threads differ. Cannot be undone. `without` is for
 * `sallyport sandbox prove` and tests, as in confine-session.ts.
 */
export function confineListener(
  confinement: ListenerConfinement,
  without: ReadonlySet<LayerName> = new Set(),
): string[] {
  const { isRoot, required, writableFolders, pidFile, usesAbstractSocket } = confinement;
  const pidFolders = pidFile === undefined ? [] : [dirname(pidFile)];
  const steps = layerSteps("listener", required, without);
  const { layer, missing } = steps;
  const kept = [...writableFolders, ...pidFolders].every(isRoots)
    ? listenerKeeps
    : listenerKeepsForFolders;
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
      writable: [...writableFolders, ...(pidFile === undefined ? [] : [pidFile])],
      removable: pidFolders,
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
  // The lock against new threads is a filter of its own.
  proveThreads("listener", steps, {
    kept: isRoot ? kept : undefined,
    filters: steps.holds("seccomp") ? 2 : 0,
  });
  return missing;
}
