// A session process's end of a conversation with a broker, and what it sees: frames go in as they would over the socket, and everything that
// the broker does about them comes out. The broker is the real one, in this process, or one with a bug.
import { loadConfig, type Config } from "../config/load.ts";
import { PeerFault } from "../ipc/peer-fault.ts";
import { maxMessageBytes } from "../ipc/limits.ts";
import { requests, type RequestName } from "../ipc/monitor.ts";
import { permits, type Permit, type Phase } from "../broker/permits.ts";
import type { Monitor } from "../broker/monitor.ts";
import type { BrokerCode } from "./mutant-loader.ts";
import { hostKey, LabWorld, type Told } from "./lab-world.ts";
import type { Work } from "./judged-work.ts";
import { keptBytes } from "./kept-bytes.ts";
import type { Scenario } from "./scenario.ts";

export type Seen =
  | Told
  /** The broker refused, and ends the connection. */
  | { readonly kind: "refused"; readonly code: string; readonly text: string }
  /** An error of the broker's own: it would have died. */
  | { readonly kind: "crashed"; readonly text: string }
  | { readonly kind: "phase"; readonly from: Phase; readonly to: Phase }
  /** Nothing is there to send to. */
  | { readonly kind: "over" };

/** As the listener tells the broker. */
const addresses = {
  remoteAddress: "192.0.2.66",
  remotePort: 50_000,
  localAddress: "192.0.2.1",
  localPort: 22,
} as const;

/** A broker to talk to, in this process or outside. */
export interface Talk {
  readonly phase: Phase;
  readonly isBusy: boolean;
  readonly isOver: boolean;
  /** Late answers stay late until `settle`; a broker outside does not wait for us. */
  isHeld: boolean;
  readonly hostKey: Uint8Array;
  /** Uses left in this phase by the table (a broker with a bug may grant more). */
  left(name: RequestName): number;
  send(bytes: Uint8Array, descriptors: number): Seen[] | Promise<Seen[]>;
  settle(): Seen[] | Promise<Seen[]>;
  close(): void;
}

export const uses = (permit: Permit): number => {
  if (permit === "never") return 0;
  if (permit === "once") return 1;
  return permit === "open" ? Infinity : permit.atMost;
};

/** Read once of each scenario. */
const configs = new WeakMap<Scenario, Config>();
function configOf(scenario: Scenario): Config {
  const known = configs.get(scenario);
  if (known !== undefined) return known;
  const config = loadConfig({ file: "none", overrides: [...scenario.config] });
  configs.set(scenario, config);
  return config;
}
const hostKeys = [{ blob: hostKey.blob, algorithms: ["ssh-ed25519"] }];

export class Conversation implements Talk {
  readonly hostKey = hostKey.blob;
  readonly #code: BrokerCode;
  readonly #world: LabWorld;
  readonly #monitor: Monitor;
  readonly #spent = new Map<RequestName, number>();
  /** What every connection has in common. */
  readonly #shared: ReadonlySet<object>;
  #crypto = 0;
  #branches = 0;
  #phase: Phase;
  #hasBegun = false;
  isOver = false;
  /** Late answers stay late until `settle`. */
  isHeld = false;
  /** The listener gives this pair its connection when it is verified; a test may let it wait. */
  isGivenConnection = true;

  constructor(code: BrokerCode, scenario: Scenario) {
    this.#code = code;
    this.#world = new LabWorld(scenario, code.boundedEvent);
    this.#shared = new Set<object>([
      this.#world,
      configOf(scenario),
      configOf(scenario).global,
      hostKeys,
      hostKey.blob,
      ...scenario.users,
    ]);
    this.#monitor = new code.Monitor(this.#world, configOf(scenario), hostKeys);
    this.#phase = this.#monitor.phase;
  }

  get phase(): Phase {
    return this.#phase;
  }
  /** Of the world: milliseconds since its start. */
  get elapsedMs(): number {
    return this.#world.elapsedMs();
  }
  get hasBegun(): boolean {
    return this.#hasBegun;
  }
  /** What the broker did since the last call. */
  takeWork(): Work {
    const { crypto = { calls: 0 }, branches = { blocks: 0 } } = this.#code.meters ?? {};
    const work = {
      ...this.#world.takeAsked(),
      crypto: crypto.calls - this.#crypto,
      branches: branches.blocks - this.#branches,
    };
    this.#markMeters();
    return work;
  }
  /** Others use them too. */
  #markMeters(): void {
    this.#crypto = this.#code.meters?.crypto.calls ?? 0;
    this.#branches = this.#code.meters?.branches?.blocks ?? 0;
  }
  /** What the broker holds of this connection, about; 0 where nobody can look into it. */
  get keptBytes(): number {
    return this.#code.meters?.isOpen === true ? keptBytes(this.#monitor, this.#shared) : 0;
  }
  /** What the broker has still to do. */
  get pending(): number {
    return this.#world.pending;
  }
  get isBusy(): boolean {
    return this.#monitor.isBusy;
  }
  left(name: RequestName): number {
    return Math.max(0, uses(permits[this.#phase][name]) - (this.#spent.get(name) ?? 0));
  }

  /** One packet, with so many descriptors beside it. */
  send(bytes: Uint8Array, descriptors = 0): Seen[] {
    if (this.isOver) return [{ kind: "over" }];
    this.#markMeters();
    const seen: Seen[] = [];
    try {
      if (bytes.length > maxMessageBytes)
        throw new PeerFault("OUT_OF_BOUNDS", "Cannot read message: longer than its limit");
      const request = this.#code.decode(requests, bytes, descriptors);
      this.#spent.set(request.name, (this.#spent.get(request.name) ?? 0) + 1);
      this.#monitor.handle(request);
    } catch (error) {
      if (error instanceof PeerFault) {
        seen.push({ kind: "refused", code: error.code, text: error.message });
        // As broker/main.ts does.
        this.#monitor.abort("violation", "monitor.violation", `session process of ${this.#monitor.peerText} broke the protocol: ${error.message}`); // prettier-ignore
      } else {
        seen.push({ kind: "crashed", text: error instanceof Error ? error.message : String(error) }); // prettier-ignore
        this.isOver = true;
      }
    }
    if (!this.isHeld) this.#world.settle();
    return [...seen, ...this.#look()];
  }

  close(): void {
    this.isOver = true;
  }
  /** Lets time pass. */
  settle(): Seen[] {
    this.#markMeters();
    this.#world.settle();
    return this.#look();
  }

  #look(): Seen[] {
    const seen: Seen[] = this.#world.take();
    const phase = this.#monitor.phase;
    if (phase !== this.#phase) {
      seen.push({ kind: "phase", from: this.#phase, to: phase });
      this.#phase = phase;
      this.#spent.clear();
    }
    // A pair is given its connection once it is verified.
    if (phase === "handover" && !this.#hasBegun && this.isGivenConnection) {
      this.#hasBegun = true;
      this.#monitor.begin({ connection: 1, ...addresses });
      seen.push(...this.#world.take(), {
        kind: "answer",
        name: "connection",
        id: 0,
        body: addresses,
        atMs: 0,
      });
    }
    // After an end by the broker nothing is read any more; after `ended` a broker with a bug may still listen.
    if (phase === "ended") this.isOver = true;
    return seen;
  }
}
