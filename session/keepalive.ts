// ClientAliveInterval: a client that has been silent is asked, and one that stays silent is given up (sshd_config(5)).
import type { PacketSender } from "./ssh/layers.ts";
import { SSH_MSG_GLOBAL_REQUEST } from "./ssh/message-numbers.ts";
import { WireWriter } from "./ssh/wire.ts";

export interface KeepaliveOptions {
  readonly sender: PacketSender;
  readonly intervalMs: number;
  /** Unanswered questions; 0: asked for ever. */
  readonly countMax: number;
  bytesReceived(): number;
  givenUp(): void;
}

export class Keepalive {
  readonly #options: KeepaliveOptions;
  #timer: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #seen: number;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
    this.#seen = options.bytesReceived();
    if (options.intervalMs > 0)
      this.#timer = setInterval(() => {
        this.#tick();
      }, options.intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const { sender, countMax, bytesReceived, givenUp } = this.#options;
    const received = bytesReceived();
    // Whatever came is a sign of life.
    if (received !== this.#seen) this.#unanswered = 0;
    const wasSilent = received === this.#seen;
    this.#seen = received;
    if (!wasSilent) return;
    if (countMax > 0 && this.#unanswered >= countMax) {
      this.stop();
      givenUp();
      return;
    }
    this.#unanswered += 1;
    sender.send(
      new WireWriter()
        .byte(SSH_MSG_GLOBAL_REQUEST)
        .string("keepalive@openssh.com")
        .bool(true)
        .finish(),
    );
  }
}
