// The broker takes its layers on when it has looked at its session process for the last time, before it has a connection.
import { setCapabilities, setDumpable, setMdwe, setSecurebits } from "../native/confine.ts";
import { installSeccompFilter, setNoNewPrivs } from "../native/threads.ts";
import { assemble } from "./bpf.ts";
import { compile } from "./bpf-compiler.ts";
import { capabilitySet, lockedSecurebits, type CapabilityName } from "./constants.ts";
import { restrictByLandlock } from "./landlock.ts";
import { layerSteps } from "./layer-steps.ts";
import type { LayerName } from "./layers.ts";
import { limitResources } from "./limit-resources.ts";
import { broker, brokerCapabilities } from "./policies/broker.ts";

/** In place of the session process's pid until it is known; no pid is so high (PID_MAX_LIMIT is 2^22). */
const placeholder = 0x7ffe_dcba;
const instructionBytes = 8;
/** Of `k` in struct sock_filter. */
const constantOffset = 4;

/** The sets that a confined broker has, permitted and effective. */
export const keptCapabilities = capabilitySet(
  ...(Object.keys(brokerCapabilities) as CapabilityName[]), // Object.keys forgets the literal names
);

/** Compiled once, in the zygote; each broker writes its session process's pid into a copy. */
export class BrokerFilter {
  readonly #template: Uint8Array;
  readonly #placeholders: readonly number[];

  constructor(usesDatabaseDaemons: boolean) {
    this.#template = assemble(compile(broker({ sessionPid: placeholder, usesDatabaseDaemons })));
    const view = new DataView(this.#template.buffer);
    const found: number[] = [];
    for (let at = constantOffset; at < this.#template.length; at += instructionBytes)
      if (view.getUint32(at, true) === placeholder) found.push(at);
    this.#placeholders = found;
  }

  for(sessionPid: number): Uint8Array {
    const filter = this.#template.slice();
    const view = new DataView(filter.buffer);
    for (const at of this.#placeholders) view.setUint32(at, sessionPid, true);
    return filter;
  }
}

export interface BrokerConfinement {
  readonly filter: BrokerFilter;
  /** False when the server does not run as root: there are no capabilities to cut. */
  readonly isRoot: boolean;
  /** Layers without which there is no broker. */
  readonly required: ReadonlySet<LayerName>;
}

/**
 * Confines the calling process, which must be single-threaded, and done with forking and with /proc. Returns the layers that could not be
 * had, as `broker NAME: reason`. Throws when one of them is required. Cannot be undone. `without` is for `sallyport sandbox prove` and tests,
 * as in confine-session.ts.
 */
export function confineBroker(
  { filter, isRoot, required }: BrokerConfinement,
  sessionPid: number,
  without: ReadonlySet<LayerName> = new Set(),
): string[] {
  const { layer, missing } = layerSteps("broker", required, without);
  if (isRoot) {
    layer("securebits", () => {
      setSecurebits(lockedSecurebits);
    });
    layer("capabilities", () => {
      setCapabilities(keptCapabilities, 0n); // the bounding set matters to exec alone, which it has not
    });
  }
  layer("undumpable", () => {
    setDumpable(false);
  });
  layer("rlimits", limitResources);
  layer("noNewPrivs", setNoNewPrivs);
  layer("landlock", () => {
    // Signals are not scoped: its session process is in a domain of its own; the filter names the one process that it can signal. Every file can be
    // read, for authorized keys may be anywhere; none can be written, made, removed or executed.
    restrictByLandlock({ readable: ["/"], signals: true });
  });
  layer("mdwe", setMdwe);
  layer("seccomp", () => {
    installSeccompFilter(filter.for(sessionPid));
  });
  return missing.map((line) => `broker ${line}`);
}
