// ClientAliveInterval: a client that has been silent is asked for a sign of life, and one that stays silent is given up (sshd_config(5)).

export interface KeepaliveOptions {
  /** 0: never. */
  readonly intervalMs: number;
  /** Questions without any sign of life before it is given up; 0: asked for ever. */
  readonly countMax: number;
  /** Of the connection: whatever comes is a sign of life. */
  readonly bytesReceived: () => number;
  readonly ask: () => void;
  readonly giveUp: () => void;
}

/** What a timer holds; a longer one would fire at once. */
export const maxTimerMs = 2 ** 31 - 1;

export class Keepalive {
  readonly #options: KeepaliveOptions;
  #timer: NodeJS.Timeout | null = null;
  #seen = 0;
  #unanswered = 0;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
  }

  start(): void {
    const { intervalMs, bytesReceived } = this.#options;
    if (intervalMs === 0) return;
    this.#seen = bytesReceived();
    this.#timer = setInterval(
      () => {
        this.#look();
      },
      Math.min(intervalMs, maxTimerMs),
    );
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const { countMax, bytesReceived, ask, giveUp } = this.#options;
    const received = bytesReceived();
    if (received !== this.#seen) {
      this.#seen = received;
      this.#unanswered = 0;
      return;
    }
    this.#unanswered += 1;
    if (countMax > 0 && this.#unanswered > countMax) {
      this.stop();
      giveUp();
      return;
    }
    ask();
  }
}
