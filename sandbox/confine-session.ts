// The session process takes its layers on, in this order, before a byte of the network reaches it. What each step removes is what
// the next ones no longer need: docs/architecture.md, "Order of confinement".
import { setNoNewPrivs, installSeccompFilter } from "../native/threads.ts";
import {
  chrootTo,
  joinNamespace,
  reportViolations,
  setCapabilities,
  setDumpable,
  setIds,
  setMdwe,
  setParentDeathSignal,
  setSecurebits,
  type NamespaceFds,
} from "../native/confine.ts";
import { closeFd } from "../native/descriptors.ts";
import { assemble, verdict } from "./bpf.ts";
import { compile } from "./bpf-compiler.ts";
import { restrictByLandlock } from "./landlock.ts";
import { layerSteps } from "./layer-steps.ts";
import type { LayerName } from "./layers.ts";
import { limitResources } from "./limit-resources.ts";
import { session } from "./policies/session.ts";
import { capabilitySet, lockedSecurebits } from "./constants.ts";

/** Compiled when the zygote loads this, not in each session process. */
export const sessionFilter = assemble(compile(session));

/** SIGKILL: the session process must not outlive the broker that answers for it. */
const SIGKILL = 9;
const identityCapabilities = capabilitySet("setuid", "setgid", "setpcap");

export interface SessionConfinement {
  /** Made once by the listener; absent ones are layers that the kernel or the container refused. Closed here. */
  readonly namespaces: NamespaceFds;
  /** The privsep user's. */
  readonly uid: number;
  readonly gid: number;
  /** An empty directory, root's and not writable by others: the root where no mount namespace could be made. */
  readonly emptyRoot: string;
  /** Layers without which there is no session process. */
  readonly required: ReadonlySet<LayerName>;
}

/**
 * Confines the calling process, which must be single-threaded, root, and done with opening descriptors (its Poller exists).
 * Returns the layers that could not be had, as `name: reason`. Throws when one of them is required. Cannot be undone. With `violationsFd`
 * (the canary, and -d) a call that the filter stops is written there before the process ends; else the kernel kills it. `without` is
 * for `sallyport sandbox prove` and tests: layers left out, so that it shows what the others do. Nothing that a server reads leads to it.
 */
export function confineSessionProcess(
  confinement: SessionConfinement,
  violationsFd?: number,
  without: ReadonlySet<LayerName> = new Set(),
): string[] {
  const { layer, missing, holds } = layerSteps("session process", confinement.required, without);
  const { namespaces } = confinement;
  const join = (name: LayerName, fd: number | undefined): void => {
    layer(name, () => {
      if (fd === undefined) throw new Error("the listener could not make it");
      joinNamespace(fd);
      closeFd(fd);
    });
  };

  join("netns", namespaces.net);
  join("ipcns", namespaces.ipc);
  join("utsns", namespaces.uts);
  join("cgroupns", namespaces.cgroup);
  join("mntns", namespaces.mnt);
  layer("root", () => {
    // Inside the joined mount namespace the root is empty and read-only already.
    chrootTo(namespaces.mnt !== undefined && holds("mntns") ? "/" : confinement.emptyRoot);
  });
  layer("securebits", () => {
    setSecurebits(lockedSecurebits);
  });
  layer("capabilities", () => {
    // The bounding set wants CAP_SETPCAP, the change of identity the other two; leaving uid 0 then takes all three away.
    setCapabilities(identityCapabilities, 0n);
  });
  layer("identity", () => {
    setIds(confinement.uid, confinement.gid, []);
  });
  layer("capabilities", () => {
    setCapabilities(0n, 0n);
  });
  layer("undumpable", () => {
    setDumpable(false);
  });
  layer("deathSignal", () => {
    setParentDeathSignal(SIGKILL);
  });
  layer("rlimits", limitResources);
  layer("noNewPrivs", setNoNewPrivs);
  layer("landlock", restrictByLandlock);
  layer("mdwe", setMdwe);
  layer("seccomp", () => {
    if (violationsFd === undefined) {
      installSeccompFilter(sessionFilter);
      return;
    }
    reportViolations(violationsFd);
    installSeccompFilter(assemble(compile(session, verdict.trap)));
  });
  return missing;
}
