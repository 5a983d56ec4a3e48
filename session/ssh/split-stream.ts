// A terminal is one descriptor with two directions that end apart: each gets a stream of its own.
import type { ByteStream } from "./layers.ts";

type Ready = (readable: boolean, writable: boolean, hungUp: boolean) => void;
type Direction = "input" | "output";

/** Owns the stream; it is closed when both halves are. */
class Halves {
  readonly #stream: ByteStream;
  readonly #ready: Record<Direction, Ready | null> = { input: null, output: null };
  readonly #isOpen: Record<Direction, boolean> = { input: true, output: true };
  readonly #waits: Record<Direction, boolean> = { input: false, output: false };

  constructor(stream: ByteStream) {
    this.#stream = stream;
    stream.onReady((readable, writable, hungUp) => {
      // Only who waits is called: a terminal that has hung up is ready for everything all the time.
      if (this.#waits.input && (writable || hungUp)) this.#ready.input?.(false, writable, hungUp);
      if (this.#waits.output && (readable || hungUp)) this.#ready.output?.(readable, false, hungUp);
    });
  }

  half(direction: Direction): ByteStream {
    return {
      read: (buffer, offset, length) => this.#stream.read(buffer, offset, length),
      write: (buffer, offset, length) => this.#stream.write(buffer, offset, length),
      wait: (readable, writable) => {
        this.#wait(direction, direction === "input" ? writable : readable);
      },
      onReady: (ready) => {
        this.#ready[direction] = ready;
      },
      close: () => {
        this.#close(direction);
      },
    };
  }

  #wait(direction: Direction, isWanted: boolean): void {
    this.#waits[direction] = isWanted && this.#isOpen[direction];
    if (this.#isOpen.input || this.#isOpen.output)
      this.#stream.wait(this.#waits.output, this.#waits.input);
  }

  #close(direction: Direction): void {
    if (!this.#isOpen[direction]) return;
    this.#wait(direction, false);
    this.#isOpen[direction] = false;
    if (!this.#isOpen.input && !this.#isOpen.output) this.#stream.close();
  }
}

/** `input` is written, `output` is read. Takes `stream`. */
export function splitStream(stream: ByteStream): { input: ByteStream; output: ByteStream } {
  const halves = new Halves(stream);
  return { input: halves.half("input"), output: halves.half("output") };
}
