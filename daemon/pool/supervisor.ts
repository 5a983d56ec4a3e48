// Starts signer and zygote for a configuration, replaces what dies or has served long enough, and points the pool at what is current.
import type { Identity } from "../../ipc/worker.ts";
import type { MessageTap } from "../../native/message-socket.ts";
import type { Poller } from "../../native/poller.ts";
import type { EventSink } from "../events.ts";
import type { StartControlled } from "../runtime.ts";
import type { Settings } from "../settings.ts";
import { classifyEnd, describeEnd, type ProcessEnd } from "./child-end.ts";
import { Generation } from "./generation.ts";
import type { Pool } from "./pool.ts";
import { sayMissingLayer } from "../say-missing-layer.ts";
import { sayFitness } from "./say-fitness.ts";
import { SignerProcess } from "./signer-process.ts";
import { ZygoteProcess, type ChildEnd } from "./zygote-process.ts";

/** An address-space layout serves so many forks, and so long. */
const maxForks = 4096;
const maxZygoteAgeMs = 6 * 3600 * 1000;
/** Between starts of a process that dies before it is ready: doubled from the first to the last. */
const firstRetryMs = 100;
const lastRetryMs = 10_000;
/** Failed starts in a row after which connections are refused, not kept waiting. */
const patience = 5;

export interface SupervisorHandlers {
  /** The filter does not fit this runtime, and it is told: this configuration must not be served. */
  unfit?(settings: Settings): void;
  /** The signer has read its keys. False: this configuration is not used (there are none). */
  loaded(settings: Settings, keys: readonly Uint8Array[], errors: readonly string[]): boolean;
  /** Forks with these settings from now on. */
  ready(settings: Settings): void;
}
export interface SupervisorOptions {
  readonly poller: Poller;
  readonly events: EventSink;
  readonly nullFd: number;
  /** Where children write what no log line was made for. */
  readonly stderrFd: number;
  /** Who starts signers and zygotes, when this process does not. */
  readonly start?: StartControlled | undefined;
  /** Of the sockets to its zygotes, for a recording. */
  readonly zygoteTap?: MessageTap;
}

const sameKeys = (one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean =>
  one.length === other.length &&
  one.every((key, i) => Buffer.from(key).equals(other[i] ?? new Uint8Array()));

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #pool: Pool;
  readonly #handlers: SupervisorHandlers;
  #current: Generation | undefined;
  /** A configuration whose keys are there; takes over when its zygote is ready. */
  #next: Generation | undefined;
  /** A configuration whose keys are being read. Until they are, what was before it stays. */
  #candidate: Generation | undefined;
  /** Logins asked for while no zygote is ready. */
  readonly #logins: ((zygote: ZygoteProcess) => void)[] = [];
  readonly #signerPids = new Map<number, SignerProcess>();
  /** Reaped, and their brokers not yet given a channel to another. */
  readonly #deadSigners: SignerProcess[] = [];
  readonly #zygotePids = new Set<number>();
  readonly #retries = new Set<NodeJS.Timeout>();

  constructor(options: SupervisorOptions, pool: Pool, handlers: SupervisorHandlers) {
    this.#options = options;
    this.#pool = pool;
    this.#handlers = handlers;
  }

  /** Starts signer and zygote for `settings`; they replace the current ones when they are ready. */
  apply(settings: Settings): void {
    this.#candidate?.close();
    const generation = new Generation(settings);
    this.#candidate = generation;
    this.#startZygote(generation); // first: it has most to load, and needs the keys last
    this.#startSigner(generation);
  }

  /** A login of the zygote of the day, or of the next one. `sessionFd` becomes the login's. */
  login(identity: Identity, sessionFd: number, forked: (pid: number) => void): void {
    const zygote = this.#current?.zygote;
    const fork = (by: ZygoteProcess): void => {
      by.login(identity, sessionFd, forked);
    };
    if (zygote?.isReady === true) fork(zygote);
    else this.#logins.push(fork);
  }

  /** Something forked from this layout has ended abnormally: it must not be tried against again. */
  suspect(zygote: ZygoteProcess): void {
    if (this.#current?.zygote === zygote)
      this.#renew(this.#current, "a process forked from it ended abnormally");
  }

  /** Called for each connection: is the zygote due? */
  checkAge(): void {
    const generation = this.#current;
    if (generation?.zygote?.isReady !== true) return;
    if (generation.zygote.forks >= maxForks) this.#renew(generation, "it has forked often enough");
    else if (performance.now() - generation.zygoteSinceMs > maxZygoteAgeMs)
      this.#renew(generation, "its age");
  }

  /** A child of the listener has been reaped. */
  reaped(pid: number, end: ProcessEnd): void {
    const signer = this.#signerPids.get(pid);
    this.#signerPids.delete(pid);
    const isZygote = this.#zygotePids.delete(pid);
    if (signer === undefined && !isZygote) return; // an orphan of a zygote, where the listener is init
    const kind = signer === undefined ? "zygote" : "signer";
    const endClass = classifyEnd(end);
    this.#options.events.event(
      endClass === "done" ? "debug1" : "error",
      "child.ended",
      `${kind} ${pid} ended: ${describeEnd(end)}`,
      { fields: { kind, child: pid, class: endClass } },
    );
    if (signer !== undefined) {
      // Also one that was released: brokers of its time still need it for their rekeys.
      this.#deadSigners.push(signer);
      this.#replaceDeadSigners();
    }
  }

  /** Lets everything go: zygotes end, the signer with its last channel. */
  close(): void {
    for (const retry of this.#retries) clearTimeout(retry);
    for (const generation of [this.#candidate, this.#next, this.#current]) {
      generation?.close();
      generation?.zygote?.release();
    }
  }

  #startSigner(generation: Generation): void {
    const { poller, nullFd, stderrFd, start } = this.#options;
    const load = generation.settings.signerLoad;
    const signer = new SignerProcess(
      { poller, nullFd, stderrFd, start, load },
      {
        loaded: (_, keys, errors) => {
          this.#loaded(generation, signer, keys, errors);
        },
        missingLayer: (layer) => {
          sayMissingLayer(this.#options.events, "the signer lacks", layer);
        },
        gone: () => {
          this.#signerGone(generation, signer);
        },
      },
    );
    generation.signer = signer;
    this.#signerPids.set(signer.pid, signer);
  }

  #loaded(
    generation: Generation,
    signer: SignerProcess,
    keys: Uint8Array[],
    errors: readonly string[],
  ): void {
    if (!generation.isFit) {
      generation.onFit.push(() => {
        if (generation.signer === signer) this.#loaded(generation, signer, keys, errors);
      });
      return;
    }
    generation.failures = 0;
    const before = generation.hostKeys;
    if (before === undefined) {
      if (!this.#handlers.loaded(generation.settings, keys, errors)) {
        generation.close();
        this.#candidate = undefined;
        return;
      }
      this.#next?.close();
      this.#next = generation;
      this.#candidate = undefined;
    } else if (!sameKeys(before, keys)) {
      // The files were changed since: what the zygote knows of them is out of date.
      this.apply(generation.settings);
      return;
    }
    generation.hostKeys = keys;
    if (before === undefined) generation.successor?.configure(keys, generation.settings.debug);
    else if (generation === this.#current) {
      this.#replaceDeadSigners();
      if (generation.zygote?.isReady === true)
        this.#pool.use({ zygote: generation.zygote, signer }, generation.settings.warmPairs);
    }
  }

  #replaceDeadSigners(): void {
    const signer = this.#current?.signer;
    if (signer?.isReady !== true) return;
    for (const dead of this.#deadSigners.splice(0)) this.#pool.replaceSigner(dead, signer);
  }

  #signerGone(generation: Generation, signer: SignerProcess): void {
    if (generation.signer !== signer) return;
    generation.signer = undefined;
    if (generation === this.#current) this.#pool.pause();
    const start = (): void => {
      this.#startSigner(generation);
    };
    if (generation.hostKeys !== undefined && generation.failures === 0) {
      generation.failures = 1; // until it has loaded: one that dies at once is started less and less often
      start();
    } else this.#retry(generation, "signer", start);
  }

  #startZygote(generation: Generation): void {
    const { poller, nullFd, stderrFd, start, zygoteTap: tap } = this.#options;
    const { snapshotFd, settings } = generation;
    const { heapFlags } = settings;
    const zygote = new ZygoteProcess(
      { poller, nullFd, stderrFd, snapshotFd, heapFlags, start, tap },
      {
        fitness: (_, fault, milliseconds) => {
          this.#fitness(generation, fault, milliseconds);
        },
        ready: () => {
          this.#zygoteReady(generation, zygote);
        },
        childEnded: (_, end) => {
          this.#childEnded(zygote, end);
        },
        gone: () => {
          this.#zygoteGone(generation, zygote);
        },
      },
    );
    generation.successor = zygote;
    generation.successorSinceMs = performance.now();
    this.#zygotePids.add(zygote.pid);
    if (generation.hostKeys !== undefined) zygote.configure(generation.hostKeys, settings.debug);
  }

  /** An unfit zygote ends by itself; one that is to replace another is tried again, and the other serves on. */
  #fitness(generation: Generation, fault: string, milliseconds: number): void {
    sayFitness(this.#options.events, fault, milliseconds, this.#current?.zygote !== undefined);
    if (fault === "") {
      generation.isFit = true;
      for (const go of generation.onFit.splice(0)) go();
    } else if (generation === this.#candidate) {
      this.#candidate = undefined;
      generation.close();
      this.#handlers.unfit?.(generation.settings);
    }
  }

  #zygoteReady(generation: Generation, zygote: ZygoteProcess): void {
    const { signer } = generation;
    generation.failures = 0;
    generation.zygote?.retire();
    generation.zygote = zygote;
    generation.zygoteSinceMs = performance.now();
    generation.successor = undefined;
    if (generation === this.#next) {
      this.#current?.close();
      this.#current = generation;
      this.#next = undefined;
      this.#handlers.ready(generation.settings);
    }
    for (const fork of this.#logins.splice(0)) fork(zygote);
    if (signer?.isReady === true) this.#pool.use({ zygote, signer }, generation.settings.warmPairs);
  }

  #zygoteGone(generation: Generation, zygote: ZygoteProcess): void {
    const isServing = generation.zygote === zygote;
    if (isServing) generation.zygote = undefined;
    else if (generation.successor !== zygote)
      return; // retired, and its last child has ended
    else generation.successor = undefined;
    if (isServing && generation === this.#current) this.#pool.pause();
    if (generation.successor !== undefined) return; // one is on its way already
    if (isServing) this.#startZygote(generation);
    else
      this.#retry(generation, "zygote", () => {
        if (generation.successor === undefined) this.#startZygote(generation);
      });
  }

  #childEnded(zygote: ZygoteProcess, end: ChildEnd): void {
    const endClass = classifyEnd(end);
    this.#options.events.event(
      endClass === "done" ? "debug1" : "error",
      "child.ended",
      `${end.kind} ${end.pid} ended: ${describeEnd(end)}`,
      { fields: { kind: end.kind, child: end.pid, class: endClass, cpuUs: end.cpuUs } },
    );
    if (endClass === "crashed" || endClass === "violation") this.suspect(zygote);
  }

  #renew(generation: Generation, why: string): void {
    if (generation.successor !== undefined) return;
    this.#options.events.event("verbose", "zygote.renewed", `zygote is replaced: ${why}`);
    this.#startZygote(generation);
  }

  /** After a start that failed: later each time, and without end, for what is missing may come back. */
  #retry(generation: Generation, kind: string, start: () => void): void {
    if (!this.#isWanted(generation)) return;
    const delayMs = Math.min(firstRetryMs * 2 ** generation.failures, lastRetryMs);
    generation.failures += 1;
    if (generation.failures >= patience) this.#pool.refuseWaiting();
    this.#options.events.event(
      "error",
      `${kind}.retry`,
      `${kind} is gone, starting another in ${delayMs} ms`,
    );
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      if (this.#isWanted(generation)) start();
    }, delayMs);
    this.#retries.add(timer);
  }

  #isWanted(generation: Generation): boolean {
    return [this.#current, this.#next, this.#candidate].includes(generation);
  }
}
