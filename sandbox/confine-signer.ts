// The signer is exec'd, so it has the runtime's threads: here the lock and the handshake of native/threads.ts are in daily use.
import { setDumpable, setIds, setMdwe } from "../native/confine.ts";
import { closeFd } from "../native/descriptors.ts";
import {
  installSeccompFilter,
  lockRuntimeThreads,
  runtimeThreadsHandshake,
  setNoNewPrivs,
} from "../native/threads.ts";
import { assemble } from "./bpf.ts";
import { compile } from "./bpf-compiler.ts";
import { capabilitySet, lockedSecurebits } from "./constants.ts";
import { landlockRulesetOf } from "./landlock.ts";
import { layerSteps } from "./layer-steps.ts";
import type { LayerName } from "./layers.ts";
import { limitResources } from "./limit-resources.ts";
import { signer } from "./policies/signer.ts";
import { proveThreads } from "./prove-threads.ts";

export interface SignerConfinement {
  readonly uid: number;
  readonly gid: number;
  /** False when the server does not run as root: there is no identity to leave. */
  readonly changeIdentity: boolean;
  /** Layers without which nothing is signed. */
  readonly required: ReadonlySet<LayerName>;
}

/**
 * Confines the whole process: every layer on every thread. Keys are read and the Poller exists. Returns the layers that could not be had, as
 * `NAME: reason`. Throws when one of them is required, or when a thread is left out, so that nothing is signed by a half-confined process.
 * Cannot be undone. `without` is for `sallyport sandbox prove` and tests, as in confine-session.ts.
 */
export function confineSigner(
  { uid, gid, changeIdentity, required }: SignerConfinement,
  without: ReadonlySet<LayerName> = new Set(),
): string[] {
  const steps = layerSteps("signer", required, without);
  const { layer } = steps;
  lockRuntimeThreads();
  if (changeIdentity) {
    layer("securebits", () => {
      runtimeThreadsHandshake({ operation: "securebits", bits: lockedSecurebits });
    });
    layer("capabilities", () => {
      runtimeThreadsHandshake({
        operation: "capabilities",
        permitted: capabilitySet("setuid", "setgid", "setpcap"),
        bounding: 0n,
      });
    });
    layer("identity", () => {
      setIds(uid, gid, []); // glibc's wrappers reach every thread
    });
    layer("capabilities", () => {
      // Leaving uid 0 has emptied them on every thread already; where it stays 0 (`prove` without that layer) this does.
      runtimeThreadsHandshake({ operation: "capabilities", permitted: 0n, bounding: 0n });
    });
  }
  layer("undumpable", () => {
    setDumpable(false);
  });
  layer("rlimits", limitResources);
  layer("noNewPrivs", setNoNewPrivs);
  layer("mdwe", setMdwe);
  // Of the filters there is the lock against new threads by now.
  proveThreads("signer", steps, { kept: changeIdentity ? 0n : undefined, filters: 1 });
  // Last: from here on /proc cannot be read. That every thread has these is the word of the handshake and of the kernel (TSYNC), and the
  // listener looks from outside.
  layer("landlock", () => {
    const rulesetFd = landlockRulesetOf({});
    try {
      runtimeThreadsHandshake({ operation: "landlock", rulesetFd });
    } finally {
      closeFd(rulesetFd);
    }
  });
  layer("seccomp", () => {
    installSeccompFilter(assemble(compile(signer)));
  });
  return steps.missing;
}
