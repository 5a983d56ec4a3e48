// From the client to a program: what has come and the program has not taken yet, bounded by the window that we gave.
import { ByteQueue } from "./byte-queue.ts";
import { ReceiveWindow } from "./channel-window.ts";
import type { ByteStream } from "./layers.ts";

export interface ChannelInputEvents {
  /** Tell the client (WINDOW_ADJUST). */
  adjust(bytes: number): void;
  /** The program has closed its end; what the client goes on sending is thrown away. */
  broken(): void;
  /** The stream is closed: after the client's end, `discard` or `broken`. Once. */
  closed(): void;
}

/** The states of a program's input, in their order. */
type State =
  /** No program yet: what comes is kept. */
  | { readonly state: "waiting" }
  | { readonly state: "open"; readonly stream: ByteStream }
  | { readonly state: "closed" };

export class ChannelInput {
  readonly #window: ReceiveWindow;
  readonly #events: ChannelInputEvents;
  readonly #queue = new ByteQueue();
  #state: State = { state: "waiting" };
  /** The client's EOF has come: the stream is closed behind the last byte. */
  #isEnding = false;

  constructor(windowBytes: number, events: ChannelInputEvents) {
    this.#window = new ReceiveWindow(windowBytes);
    this.#events = events;
  }

  get isClosed(): boolean {
    return this.#state.state === "closed";
  }

  /** `payload[offset, +length)` has come. What cannot be written at once is copied. Throws PeerFault beyond the window. */
  receive(payload: Uint8Array, offset: number, length: number): void {
    this.#window.receive(length);
    if (length === 0) return;
    const state = this.#state;
    let written = 0;
    if (state.state === "open" && this.#queue.length === 0) {
      try {
        written = Math.max(0, state.stream.write(payload, offset, length));
      } catch {
        this.#break();
      }
    }
    if (this.isClosed) {
      this.#consumed(length);
      return;
    }
    if (written < length) {
      this.#queue.push(payload, offset + written, length - written);
      if (state.state === "open") state.stream.wait(false, true);
    }
    this.#consumed(written);
  }

  /** Data that has no meaning here: it counts, and goes nowhere. */
  receiveAndDrop(length: number): void {
    this.#window.receive(length);
    this.#consumed(length);
  }

  /** The program is there. Takes `stream`: what has been kept goes first. */
  attach(stream: ByteStream): void {
    if (this.#state.state !== "waiting") {
      stream.close();
      return;
    }
    this.#state = { state: "open", stream };
    stream.onReady(() => {
      this.#drain(stream);
    });
    this.#drain(stream);
  }

  /** The client will send no more. */
  end(): void {
    this.#isEnding = true;
    if (this.#state.state === "open") this.#closeWhenDrained();
  }

  /** Nobody will read: what is kept and what comes is thrown away, so that the client is not held up. */
  discard(): void {
    if (this.isClosed) return;
    this.#close();
  }

  #drain(stream: ByteStream): void {
    if (this.isClosed) return;
    let written = 0;
    try {
      written = this.#queue.writeTo(stream);
    } catch {
      this.#break();
      return;
    }
    stream.wait(false, this.#queue.length > 0);
    this.#consumed(written);
    this.#closeWhenDrained();
  }

  #closeWhenDrained(): void {
    if (this.#isEnding && this.#queue.length === 0) this.#close();
  }

  #break(): void {
    this.#close();
    this.#events.broken();
  }

  #close(): void {
    if (this.isClosed) return;
    if (this.#state.state === "open") this.#state.stream.close();
    this.#state = { state: "closed" };
    const kept = this.#queue.length;
    this.#queue.clear();
    this.#consumed(kept);
    this.#events.closed();
  }

  #consumed(bytes: number): void {
    this.#window.consume(bytes);
    const adjustment = this.#window.takeAdjustment();
    if (adjustment > 0) this.#events.adjust(adjustment);
  }
}
