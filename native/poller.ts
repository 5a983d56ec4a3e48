// Readiness of any descriptor, through one epoll instance of our own. libuv's uv_poll calls ioctl(FIONBIO) on every new
// descriptor and guesses types; under the session process's filter that is death. One uv_poll watches the epoll descriptor,
// made before the filter goes in; after that only epoll_ctl and epoll_wait are called.
import { addon } from "./addon.ts";

export type Readiness = (readable: boolean, writable: boolean, hungUp: boolean) => void;

interface RawPoller {
  /** events: bit 0 readable, bit 1 writable. Level-triggered. 0 leaves it registered for nothing but HUP/ERR. */
  set(fd: number, events: number, isNew: boolean): void;
  remove(fd: number): void;
  close(): void;
}
const raw = addon as unknown as {
  /** `onBatch(events, count)`: `events` holds pairs (fd, bits: 1 readable, 2 writable, 4 hung up or error). */
  createPoller: (onBatch: (events: Int32Array, count: number) => void) => RawPoller;
};

/** One a process. Make it after the last fork and before the filter. Keeps the loop alive while a descriptor is watched. */
export class Poller {
  readonly #watched = new Map<number, { ready: Readiness; since: number }>();
  readonly #raw: RawPoller;
  /** Counts batches, so that what was registered during one hears nothing of it. */
  #batch = 0;

  constructor() {
    this.#raw = raw.createPoller((events, count) => {
      const batch = (this.#batch += 1);
      for (let i = 0; i < count; i += 1) {
        const bits = events[2 * i + 1] ?? 0;
        // An earlier callback of this batch may have closed it, and another descriptor may have taken its number.
        const watched = this.#watched.get(events[2 * i] ?? -1);
        if (watched === undefined || watched.since >= batch) continue;
        watched.ready((bits & 1) !== 0, (bits & 2) !== 0, (bits & 4) !== 0);
      }
    });
  }

  /** Watches `fd` (stays the caller's, who must make it non-blocking and `remove` it before closing). */
  set(fd: number, readable: boolean, writable: boolean, ready?: Readiness): void {
    const known = this.#watched.get(fd);
    const events = (readable ? 1 : 0) | (writable ? 2 : 0);
    if (known !== undefined) {
      this.#raw.set(fd, events, false);
      if (ready !== undefined) known.ready = ready;
      return;
    }
    if (ready === undefined) {
      throw new TypeError(`Cannot watch descriptor ${fd}: no callback given`);
    }
    this.#raw.set(fd, events, true);
    this.#watched.set(fd, { ready, since: this.#batch });
  }

  remove(fd: number): void {
    if (this.#watched.delete(fd)) this.#raw.remove(fd);
  }

  close(): void {
    this.#watched.clear();
    this.#raw.close();
  }
}
