// What is left of the permits of the phase we are in. Only entering a phase gives new ones.
import { PeerFault } from "../ipc/peer-fault.ts";
import type { RequestName } from "../ipc/monitor.ts";
import { leadsTo, permits, type Permit, type Phase } from "./permits.ts";

const uses = (permit: Permit): number => {
  if (permit === "never") return 0;
  if (permit === "once") return 1;
  if (permit === "open") return Infinity;
  return permit.atMost;
};

export class PermitState {
  #phase: Phase = "confining";
  /** Uses in this phase. */
  readonly #spent = new Map<RequestName, number>();

  get phase(): Phase {
    return this.#phase;
  }
  /** Uses left of a request in this phase. */
  left(request: RequestName): number {
    return uses(permits[this.#phase][request]) - (this.#spent.get(request) ?? 0);
  }

  /** Takes one permit. Throws PeerFault NOT_PERMITTED (never in this phase) or SPENT. */
  spend(request: RequestName): void {
    if (this.left(request) <= 0) {
      const code = permits[this.#phase][request] === "never" ? "NOT_PERMITTED" : "SPENT";
      throw new PeerFault(
        code,
        `Cannot answer ${request}: ${code === "SPENT" ? "its permits are spent" : "not permitted"} in phase ${this.#phase}`,
      );
    }
    this.#spent.set(request, (this.#spent.get(request) ?? 0) + 1);
  }

  /** Enters a phase that the table lets `by` lead to from the present one; anything else is our own bug. */
  enter(phase: Phase, by: RequestName): void {
    if (leadsTo[this.#phase][by]?.includes(phase) !== true)
      throw new Error(`Cannot enter phase ${phase}: ${by} does not lead there`);
    this.#phase = phase;
    this.#spent.clear();
  }
  /** The broker itself ends the conversation, whatever the phase. */
  end(): void {
    this.#phase = "ended";
    this.#spent.clear();
  }
}
