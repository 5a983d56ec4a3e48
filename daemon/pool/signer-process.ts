// The listener's side of the signer.
import { signerOrders, signerReports } from "../../ipc/signer.ts";
import type { Body } from "../../ipc/protocol.ts";
import { MessageSocket } from "../../native/message-socket.ts";
import type { Poller } from "../../native/poller.ts";
import { unconfinedSigner } from "../../sandbox/verify-signer.ts";
import { spawnControlled, type StartControlled } from "../runtime.ts";

export interface SignerOptions {
  readonly poller: Poller;
  readonly stderrFd: number;
  readonly nullFd: number;
  /** Who starts it, when this process does not. */
  readonly start?: StartControlled | undefined;
  readonly load: Body<(typeof signerOrders)["load"]>;
}
export interface SignerHandlers {
  /** Keys read, confined. `keys` may be empty; `errors` are lines for the log. */
  loaded(signer: SignerProcess, keys: Uint8Array[], errors: readonly string[]): void;
  /** A layer that it lacks and that is not required: "NAME: reason". */
  missingLayer(layer: string): void;
  gone(signer: SignerProcess): void;
}

export class SignerProcess {
  readonly pid: number;
  readonly #socket: MessageSocket<typeof signerReports, typeof signerOrders>;
  #isReady = false;

  constructor(options: SignerOptions, handlers: SignerHandlers) {
    const { pid, controlFd } = (options.start ?? spawnControlled)("signer/main", options);
    this.pid = pid;
    this.#socket = new MessageSocket(options.poller, controlFd, signerReports, signerOrders, {
      message: ({ body }) => {
        // What it says of itself counts for nothing: it gets no channel before every thread has been looked at from outside.
        const unconfined = unconfinedSigner(this.pid, options.load);
        if (unconfined.length > 0) {
          // Without its listener it ends: nobody has reached it, so it is what was started.
          this.#socket.close();
          handlers.loaded(this, [], [`signer is not confined: ${unconfined.join("; ")}`]);
          return;
        }
        this.#isReady = true;
        for (const layer of body.missing) handlers.missingLayer(layer);
        handlers.loaded(this, body.keys, body.errors);
      },
      closed: () => {
        this.#isReady = false;
        handlers.gone(this);
      },
      fault: (fault) => {
        throw fault; // as with the zygote: a bug, not a peer
      },
    });
    this.#socket.send("load", 0, options.load);
  }

  get isReady(): boolean {
    return this.#isReady && this.#socket.isOpen;
  }

  /** A broker's channel; `fd` becomes the signer's. */
  channel(fd: number): void {
    this.#socket.send("channel", 0, {}, [fd]);
  }

  /** No new channels; it lives on for those that it has. */
  release(): void {
    this.#isReady = false;
    this.#socket.close();
  }
}
