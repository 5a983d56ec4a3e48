// A ByteStream over the connection's descriptor, or two of them where `-i` was given pipes.
import { closeFd, readFd, WOULD_BLOCK, writeFd } from "../../native/descriptors.ts";
import type { Poller } from "../../native/poller.ts";
import type { ByteStream } from "./layers.ts";

type Ready = (readable: boolean, writable: boolean, hungUp: boolean) => void;

/** Owns its descriptors, which must be non-blocking, and closes them. `outputFd` may be `inputFd` again. */
export class DescriptorStream implements ByteStream {
  readonly #poller: Poller;
  readonly #inputFd: number;
  readonly #outputFd: number;
  #ready: Ready | null = null;
  #isReadable = false;
  #isWritable = false;
  #isClosed = false;

  constructor(poller: Poller, inputFd: number, outputFd: number = inputFd) {
    this.#poller = poller;
    this.#inputFd = inputFd;
    this.#outputFd = outputFd;
  }

  read(buffer: Uint8Array, offset: number, length: number): number {
    return this.#isClosed ? WOULD_BLOCK : readFd(this.#inputFd, buffer, offset, length);
  }

  write(buffer: Uint8Array, offset: number, length: number): number {
    return this.#isClosed ? WOULD_BLOCK : writeFd(this.#outputFd, buffer, offset, length);
  }

  /** Cheap when nothing changes: no system call. */
  wait(readable: boolean, writable: boolean): void {
    if (this.#isClosed || (readable === this.#isReadable && writable === this.#isWritable)) return;
    this.#isReadable = readable;
    this.#isWritable = writable;
    if (this.#inputFd === this.#outputFd) {
      this.#poller.set(this.#inputFd, readable, writable);
    } else {
      this.#poller.set(this.#inputFd, readable, false);
      this.#poller.set(this.#outputFd, false, writable);
    }
  }

  onReady(ready: Ready): void {
    if (this.#ready === null) {
      const call: Ready = (readable, writable, hungUp) => this.#ready?.(readable, writable, hungUp);
      this.#poller.set(this.#inputFd, false, false, call);
      if (this.#inputFd !== this.#outputFd) this.#poller.set(this.#outputFd, false, false, call);
    }
    this.#ready = ready;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const fd of new Set([this.#inputFd, this.#outputFd])) {
      this.#poller.remove(fd);
      closeFd(fd);
    }
  }
}
