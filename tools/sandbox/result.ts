// What the runner of `sallyport sandbox prove` is told, and what it says.
import type { LayerName } from "../../sandbox/layers.ts";
import type { ProvedRole } from "./proved-roles.ts";

export interface RunnerOrders {
  readonly role: ProvedRole;
  /** Empty, root's; removed by who made it. */
  readonly folder: string;
  /** sshd_config, or "none". */
  readonly config: string;
  readonly names: readonly string[];
  /** Without the depth pass. */
  readonly isQuick: boolean;
  /** Layers that even the production run goes without: to see that the tool can say no. */
  readonly without: readonly LayerName[];
}

/**
 * What stopped an attempt: a layer; the lock against new threads, which signer and listener have beside their layers (native/threads.ts); or the
 * machine, which refuses it to root without a layer as well.
 */
export type Stopper = LayerName | "thread lock" | "machine";

export interface AttemptResult {
  readonly role: string;
  readonly name: string;
  readonly family: string;
  readonly what: string;
  /** The same in a process of root's without a layer: an attempt that fails there proves nothing. */
  readonly control: { readonly works: boolean; readonly text: string };
  /** Under all layers. */
  readonly outcome: string;
  readonly isStopped: boolean;
  /** Which it was; null where it takes several together, or none could be told. */
  readonly layer: Stopper | null;
  /** With that layer gone, what stops it then; null: nothing does, or `layer` is not known. */
  readonly next: { readonly layer: Stopper | null; readonly outcome: string } | null;
  /** Every layer that stops it with all the others off. */
  readonly alone: readonly LayerName[];
}
export type RunnerLine =
  | { readonly kind: "begun"; readonly name: string }
  | { readonly kind: "result"; readonly result: AttemptResult }
  | { readonly kind: "failed"; readonly text: string };
