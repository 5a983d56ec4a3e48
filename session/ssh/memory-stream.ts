// Two ByteStreams joined in memory, each with a bounded pipe as a socket has: for the zygote's rehearsal, the tests, the fuzzer.
import type { ByteStream } from "./layers.ts";

type Ready = (readable: boolean, writable: boolean, hungUp: boolean) => void;

export interface MemoryStreamOptions {
  /** What each direction holds before `write` takes no more. */
  capacityBytes: number;
  /** Most bytes that one `read` or `write` moves: called for each, so that tests can cut the stream anywhere. */
  segment?: () => number;
  /** Runs a readiness callback later: `queueMicrotask`, or the queue of who drives both ends without the event loop. */
  schedule?: (task: () => void) => void;
}

/** One direction: a ring. */
class Pipe {
  readonly #ring: Uint8Array;
  #at = 0;
  #used = 0;
  isEnded = false;

  constructor(capacityBytes: number) {
    this.#ring = new Uint8Array(capacityBytes);
  }
  get used(): number {
    return this.#used;
  }
  get room(): number {
    return this.#ring.length - this.#used;
  }

  put(buffer: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.room);
    const at = (this.#at + this.#used) % this.#ring.length;
    const first = Math.min(count, this.#ring.length - at);
    this.#ring.set(buffer.subarray(offset, offset + first), at);
    this.#ring.set(buffer.subarray(offset + first, offset + count), 0);
    this.#used += count;
    return count;
  }

  take(buffer: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#used);
    const first = Math.min(count, this.#ring.length - this.#at);
    buffer.set(this.#ring.subarray(this.#at, this.#at + first), offset);
    buffer.set(this.#ring.subarray(0, count - first), offset + first);
    this.#at = (this.#at + count) % this.#ring.length;
    this.#used -= count;
    return count;
  }
}

/** One end. Readiness is level-triggered and comes in microtasks unless `schedule` says otherwise: no timers, no handles. */
export class MemoryStream implements ByteStream {
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  readonly #segment: () => number;
  readonly #schedule: (task: () => void) => void;
  #peer: MemoryStream | null = null;
  #ready: Ready | null = null;
  #wantsRead = false;
  #wantsWrite = false;
  #isScheduled = false;
  #isClosed = false;

  constructor(incoming: Pipe, outgoing: Pipe, options: MemoryStreamOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#segment = options.segment ?? (() => options.capacityBytes);
    this.#schedule = options.schedule ?? queueMicrotask;
  }

  /** @internal Called once by `memoryStreamPair`. */
  join(peer: MemoryStream): void {
    this.#peer = peer;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  read(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#isClosed) return -1;
    if (this.#incoming.used === 0) return this.#incoming.isEnded ? 0 : -1;
    const count = this.#incoming.take(buffer, offset, Math.min(length, this.#segment()));
    this.#peer?.look();
    return count;
  }

  /** Throws an Error with code EPIPE once the other end is closed. */
  write(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#isClosed) return -1;
    if (this.#peer?.isClosed === true) {
      throw Object.assign(new Error("Cannot write: the other end is closed"), { code: "EPIPE" });
    }
    const count = this.#outgoing.put(buffer, offset, Math.min(length, this.#segment()));
    this.#peer?.look();
    return count === 0 ? -1 : count;
  }

  wait(readable: boolean, writable: boolean): void {
    this.#wantsRead = readable;
    this.#wantsWrite = writable;
    this.look();
  }

  onReady(ready: Ready): void {
    this.#ready = ready;
  }

  close(): void {
    this.#isClosed = true;
    this.#outgoing.isEnded = true;
    this.#peer?.look();
  }

  /** Something may have become ready. */
  look(): void {
    if (this.#isScheduled || this.#isClosed || this.#isReady() === 0) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      const bits = this.#isClosed ? 0 : this.#isReady();
      if (bits === 0) return;
      this.#ready?.((bits & 1) !== 0, (bits & 2) !== 0, false);
      this.look();
    });
  }

  #isReady(): number {
    const isReadable = this.#wantsRead && (this.#incoming.used > 0 || this.#incoming.isEnded);
    const isWritable =
      this.#wantsWrite && (this.#outgoing.room > 0 || this.#peer?.isClosed === true);
    return (isReadable ? 1 : 0) | (isWritable ? 2 : 0);
  }
}

/** Both ends. */
export function memoryStreamPair(
  options: MemoryStreamOptions = { capacityBytes: 256 * 1024 },
): [MemoryStream, MemoryStream] {
  const there = new Pipe(options.capacityBytes);
  const back = new Pipe(options.capacityBytes);
  const a = new MemoryStream(back, there, options);
  const b = new MemoryStream(there, back, options);
  a.join(b);
  b.join(a);
  return [a, b];
}
