// Keeps pairs of broker and session process ready, gives each connection one, and carries what the brokers say to the listener.
import type { PeerFault } from "../../ipc/peer-fault.ts";
import type { Identity } from "../../ipc/worker.ts";
import { closeFd } from "../../native/descriptors.ts";
import type { Poller } from "../../native/poller.ts";
import { seqpacketPair } from "../../native/sockets.ts";
import { Pair, type BrokerEvent, type BrokerTrace, type Connection, type Ending } from "./pair.ts";
import type { SignerProcess } from "./signer-process.ts";
import type { ZygoteProcess } from "./zygote-process.ts";

/** Pairs that are forked and verified at the same time: more would only make each of them later. */
const maxStarting = 4;
/** A login under way has the processor first; then the pool is filled again. Longer than a login with a short command takes. */
const refillDelayMs = 300;
/** So many pairs in a row that died before use, and who waits is refused: a layer is missing, or memory. */
const maxFailures = 8;

export interface PoolHandlers {
  readonly event: (pair: Pair, event: BrokerEvent) => void;
  /** Of recorded brokers, warm ones too. */
  readonly trace?: (pair: Pair, report: BrokerTrace) => void;
  readonly login: (pair: Pair, identity: Identity, sessionFd: number) => void;
  readonly ended: (
    pair: Pair,
    connection: Connection,
    ending: Ending,
    fault: PeerFault | undefined,
  ) => void;
  /** A pair died before it was used. */
  readonly failed: (pair: Pair, fault: PeerFault | undefined) => void;
  /** A connection that no pair could be had for is closed. */
  readonly refused: (connection: Connection) => void;
  /** A layer of confinement does not hold in new pairs; told once for each text. */
  readonly missingLayer: (layer: string) => void;
}
interface Waiting {
  readonly connection: Connection;
  readonly fd: number;
  readonly outputFd: number | undefined;
}
type Source = { readonly zygote: ZygoteProcess; readonly signer: SignerProcess };

export class Pool {
  readonly #poller: Poller;
  readonly #handlers: PoolHandlers;
  readonly #serving = new Set<Pair>();
  readonly #warm: Pair[] = [];
  readonly #starting = new Set<Pair>();
  readonly #waiting: Waiting[] = [];
  readonly #told = new Set<string>();
  #source: Source | undefined;
  #size = 0;
  /** Pairs that died before use since one became warm. */
  #failures = 0;
  #refill: NodeJS.Timeout | undefined;

  constructor(poller: Poller, handlers: PoolHandlers) {
    this.#poller = poller;
    this.#handlers = handlers;
  }

  get serving(): ReadonlySet<Pair> {
    return this.#serving;
  }
  get waiting(): number {
    return this.#waiting.length;
  }
  get warm(): number {
    return this.#warm.length;
  }

  /** From now on pairs come from here; unused ones from elsewhere are discarded. */
  use(source: Source, size: number): void {
    this.#source = source;
    this.#size = size;
    this.#discardUnused((pair) => pair.zygote !== source.zygote || pair.signer !== source.signer);
    this.#fill();
  }

  /** Nothing to fork from until the next `use`; connections wait. */
  pause(): void {
    this.#source = undefined;
    this.#discardUnused(() => true);
  }

  /** Takes the descriptors. Served at once by a warm pair, else as soon as one is. */
  serve(connection: Connection, fd: number, outputFd?: number): void {
    const pair = this.#warm.shift();
    if (pair === undefined) this.#waiting.push({ connection, fd, outputFd });
    else this.#give(pair, { connection, fd, outputFd });
    this.#fillSoon();
  }

  /** A connection has ended: the processor is free for new pairs. */
  settled(): void {
    this.#fill();
  }

  /** Brokers whose signer is gone get a channel to `signer`. */
  replaceSigner(gone: SignerProcess, signer: SignerProcess): void {
    for (const pair of this.#serving) {
      if (pair.signer !== gone) continue;
      const [brokerEnd, signerEnd] = seqpacketPair();
      signer.channel(signerEnd);
      pair.giveSigner(signer, brokerEnd);
    }
  }

  /** Closes the connections that wait for a pair. */
  refuseWaiting(): void {
    for (const { connection, fd, outputFd } of this.#waiting.splice(0)) {
      closeFd(fd);
      if (outputFd !== undefined) closeFd(outputFd);
      this.#handlers.refused(connection);
    }
  }

  /** Discards what is unused and refuses who waits; connections that are served go on. */
  close(): void {
    this.pause();
    clearTimeout(this.#refill);
    this.refuseWaiting();
  }

  #give(pair: Pair, { connection, fd, outputFd }: Waiting): void {
    this.#serving.add(pair);
    pair.serve(connection, fd, outputFd);
  }

  #fillSoon(): void {
    if (this.#waiting.length > 0 || this.#warm.length + this.#starting.size === 0) this.#fill();
    else this.#fillLater();
  }

  #fillLater(): void {
    this.#refill ??= setTimeout(() => {
      this.#refill = undefined;
      this.#fill();
    }, refillDelayMs);
  }

  #fill(): void {
    clearTimeout(this.#refill);
    this.#refill = undefined;
    const source = this.#source;
    if (source === undefined) return;
    const wanted = this.#size + this.#waiting.length - this.#warm.length;
    for (let i = this.#starting.size; i < Math.min(wanted, maxStarting); i += 1)
      this.#start(source);
    // Pairs first: a connection waits for one from its first byte on.
    if (this.#starting.size === 0) source.zygote.keepLogins(this.#size);
  }

  #start(source: Source): void {
    const [ours, brokerEnd] = seqpacketPair();
    const [brokerChannel, signerChannel] = seqpacketPair();
    const pair = new Pair(this.#poller, ours, source, {
      warm: (_, missing) => {
        this.#starting.delete(pair);
        this.#failures = 0;
        for (const layer of missing) this.#tell(layer);
        const next = this.#waiting.shift();
        if (next === undefined) this.#warm.push(pair);
        else this.#give(pair, next);
        this.#fill();
      },
      event: this.#handlers.event,
      ...(this.#handlers.trace === undefined ? {} : { trace: this.#handlers.trace }),
      login: this.#handlers.login,
      gone: (_, fault) => {
        this.#gone(pair, fault);
      },
    });
    this.#starting.add(pair);
    source.signer.channel(signerChannel);
    source.zygote.forkBroker(brokerEnd, brokerChannel, (pid) => {
      pair.pid = pid;
    });
  }

  #gone(pair: Pair, fault: PeerFault | undefined): void {
    this.#starting.delete(pair);
    this.#serving.delete(pair);
    const i = this.#warm.indexOf(pair);
    if (i >= 0) this.#warm.splice(i, 1);
    const { connection } = pair;
    if (connection !== undefined) {
      const crash: Ending = { end: "crash", bytesReceived: 0, bytesSent: 0 };
      const ending = fault === undefined ? (pair.ending ?? crash) : crash;
      this.#handlers.ended(pair, connection, ending, fault);
      return;
    }
    this.#handlers.failed(pair, fault);
    this.#failures += 1;
    if (this.#failures >= maxFailures) this.refuseWaiting();
    this.#fillLater();
  }

  #discardUnused(isOld: (pair: Pair) => boolean): void {
    for (const pair of [...this.#warm, ...this.#starting]) {
      if (!isOld(pair)) continue;
      pair.discard();
      this.#starting.delete(pair);
      const i = this.#warm.indexOf(pair);
      if (i >= 0) this.#warm.splice(i, 1);
    }
  }

  #tell(layer: string): void {
    if (this.#told.has(layer)) return;
    this.#told.add(layer);
    this.#handlers.missingLayer(layer);
  }
}
