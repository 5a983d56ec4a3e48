// The signer is exec'd, so it has the runtime's threads: here the lock and the handshake of native/threads.ts are in daily use.
import { setCapabilities, setDumpable, setIds, setMdwe, setRlimit } from "../native/confine.ts";
import {
  installSeccompFilter,
  lockRuntimeThreads,
  runtimeThreadsHandshake,
  setNoNewPrivs,
  threadReport,
} from "../native/threads.ts";
import { assemble } from "./bpf.ts";
import { compile } from "./bpf-compiler.ts";
import { capabilitySet, lockedSecurebits, resource } from "./constants.ts";
import { signer } from "./policies/signer.ts";

export interface SignerConfinement {
  readonly uid: number;
  readonly gid: number;
  /** False when the server does not run as root: there is no identity to leave. */
  readonly changeIdentity: boolean;
}

/**
 * Confines the whole process: identity, limits, no_new_privs and filter on every thread. Keys are read and the Poller exists. Throws when
 * a thread is left out, so that nothing is signed by a half-confined process. Returns what the kernel lacks. Cannot be undone.
 */
export function confineSigner(confinement: SignerConfinement): string[] {
  const missing: string[] = [];
  lockRuntimeThreads();
  if (confinement.changeIdentity) {
    runtimeThreadsHandshake({ operation: "securebits", bits: lockedSecurebits });
    runtimeThreadsHandshake({
      operation: "capabilities",
      permitted: capabilitySet("setuid", "setgid", "setpcap"),
      bounding: 0n,
    });
    setIds(confinement.uid, confinement.gid, []); // glibc's wrappers reach every thread
    setCapabilities(0n, 0n);
  }
  setDumpable(false);
  for (const limit of [resource.fsize, resource.core]) setRlimit(limit, 0, 0);
  setNoNewPrivs();
  try {
    setMdwe();
  } catch (cause) {
    missing.push(`mdwe: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  for (const thread of threadReport()) {
    if (
      !thread.noNewPrivs ||
      (confinement.changeIdentity && thread.capabilities.effective !== 0n)
    ) {
      throw new Error(
        `Cannot confine signer: thread ${thread.name} (${thread.tid}) is not confined`,
      );
    }
  }
  // Last: from here on /proc cannot be read. That every thread has it is the kernel's word (TSYNC), and the listener looks from outside.
  installSeccompFilter(assemble(compile(signer)));
  return missing;
}
