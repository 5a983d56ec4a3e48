// Loads the broker with a bug: the compiled modules of broker/ (and what a patch names) once more, patched on the way.
import type { boundedEvent } from "../broker/event-bounds.ts";
import type { Monitor } from "../broker/monitor.ts";
import type { decode } from "../ipc/protocol.ts";
import { compiled, loadCopy, type ModuleCopy } from "./module-copy.ts";
import { mutantById } from "./mutants.ts";
import { applyPatch } from "./patches.ts";

/** What a driver of the broker needs of it. */
export interface BrokerCode {
  readonly Monitor: typeof Monitor;
  readonly decode: typeof decode;
  /** Its own, where it is a copy. */
  readonly boundedEvent?: typeof boundedEvent;
  /** Of a broker that is measured; they only grow. */
  readonly meters?: {
    /** Branches of its code that were gone through. */
    readonly branches: { readonly blocks: number } | undefined;
    /** Digests, keys and signatures that it computed. */
    readonly crypto: { readonly calls: number };
    /** Its private fields can be looked into: lab/kept-bytes.ts. */
    readonly isOpen: true;
  };
}

/** `source` of `file` with the patches of a mutant. */
export const patched = (id: string, file: string, source: string): string =>
  mutantById(id)
    .patches.filter((patch) => patch.file === file)
    .reduce(applyPatch, source);

/** Throws RangeError for an unknown mutant, and for one whose patches do not fit any more, or are of a file that is not copied. */
export function checkMutant(id: string, isCopied: (file: string) => boolean): void {
  for (const patch of mutantById(id).patches) {
    applyPatch(compiled(patch.file), patch);
    if (!isCopied(patch.file)) throw new RangeError(`Cannot patch ${patch.file}: it is not copied`);
  }
}

/** The broker's modules of a copy. */
export async function loadBrokerCopy(copy: ModuleCopy): Promise<BrokerCode> {
  const files = ["broker/monitor.js", "ipc/protocol.js", "broker/event-bounds.js"];
  const [monitor, protocol, bounds] = await loadCopy(copy, files);
  // The modules are the compiled ones of these very types.
  return {
    Monitor: (monitor as { Monitor: typeof Monitor }).Monitor,
    decode: (protocol as { decode: typeof decode }).decode,
    boundedEvent: (bounds as { boundedEvent: typeof boundedEvent }).boundedEvent,
  };
}

/** Null: the broker as it is. Throws RangeError for an unknown mutant, and for one whose patches do not fit any more. */
export async function loadBroker(id: string | null): Promise<BrokerCode> {
  if (id === null)
    return loadBrokerCopy({ name: "", isCopied: () => false, change: (_, source) => source });
  const isCopied = (file: string): boolean =>
    file.startsWith("broker/") || mutantById(id).patches.some((patch) => patch.file === file);
  checkMutant(id, isCopied);
  return loadBrokerCopy({
    name: `mutant=${id}`,
    isCopied,
    change: (file, source) => patched(id, file, source),
  });
}
