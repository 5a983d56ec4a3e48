// Taking layers on one after the other, as every process of ours does: what cannot be had is fatal or told, as the configuration says.
import type { LayerName } from "./layers.ts";

export interface LayerSteps {
  /** Runs `apply`. Throws when that throws and the layer is required. */
  readonly layer: (name: LayerName, apply: () => void) => void;
  /** So far: those that could not be had, as `name: reason`, or were left out. */
  readonly missing: string[];
  readonly holds: (name: LayerName) => boolean;
}

/** `who` is named when a required layer cannot be had. `without`: layers that are left out, for `sallyport sandbox prove` and tests. */
export function layerSteps(
  who: string,
  required: ReadonlySet<LayerName>,
  without: ReadonlySet<LayerName>,
): LayerSteps {
  const missing: string[] = [];
  return {
    missing,
    layer: (name, apply) => {
      if (without.has(name)) {
        missing.push(`${name}: left out`);
        return;
      }
      try {
        apply();
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        if (required.has(name))
          throw new Error(`Cannot confine ${who}: layer ${name}: ${why}`, { cause });
        missing.push(`${name}: ${why}`);
      }
    },
    holds: (name) => !missing.some((line) => line.startsWith(`${name}:`)),
  };
}
