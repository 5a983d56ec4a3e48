// A ByteStream over a descriptor of the worker's: one end of a pipe, or a terminal's master.
import { closeFd, readFd, WOULD_BLOCK, writeFd } from "../native/descriptors.ts";
import type { Poller, Readiness } from "../native/poller.ts";
import type { ByteStream } from "./ssh/layers.ts";

/**
 * Owns `fd`, non-blocking, and closes it. Unlike the connection's stream it is in the Poller only while it is waited for: a pipe whose other
 * end is closed would report that again and again to somebody who cannot act on it yet.
 */
export class PipeStream implements ByteStream {
  readonly #poller: Poller;
  readonly #fd: number;
  #ready: Readiness | null = null;
  #isReadable = false;
  #isWritable = false;
  #isClosed = false;

  /** Throws EPERM for what cannot be waited for: a regular file, from a worker that is not what it should be. `fd` stays open then. */
  constructor(poller: Poller, fd: number) {
    this.#poller = poller;
    this.#fd = fd;
    poller.set(fd, false, false, this.#call);
    poller.remove(fd);
  }

  read(buffer: Uint8Array, offset: number, length: number): number {
    return this.#isClosed ? WOULD_BLOCK : readFd(this.#fd, buffer, offset, length);
  }
  write(buffer: Uint8Array, offset: number, length: number): number {
    return this.#isClosed ? WOULD_BLOCK : writeFd(this.#fd, buffer, offset, length);
  }

  /** Cheap when nothing changes: no system call. */
  wait(readable: boolean, writable: boolean): void {
    if (this.#isClosed || (readable === this.#isReadable && writable === this.#isWritable)) return;
    this.#isReadable = readable;
    this.#isWritable = writable;
    if (readable || writable) this.#poller.set(this.#fd, readable, writable, this.#call);
    else this.#poller.remove(this.#fd);
  }

  onReady(ready: Readiness): void {
    this.#ready = ready;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#poller.remove(this.#fd);
    closeFd(this.#fd);
  }

  readonly #call: Readiness = (readable, writable, hungUp) => {
    this.#ready?.(readable, writable, hungUp);
  };
}
