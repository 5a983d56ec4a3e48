// A login that the zygote has forked ahead, as the listener sees it: it is told once for whom, and nothing more.
import { loginOrders } from "../../ipc/listener.ts";
import { protocol } from "../../ipc/protocol.ts";
import type { Identity } from "../../ipc/worker.ts";
import { MessageSocket } from "../../native/message-socket.ts";
import type { Poller } from "../../native/poller.ts";

/** It says nothing, and would not be heard. */
const silence = protocol({});

export class WaitingLogin {
  readonly #socket: MessageSocket<typeof silence, typeof loginOrders>;
  #pid = 0;
  #tell: ((pid: number) => void) | undefined;

  /** Owns `fd`, the listener's end. `gone` when the login has ended before it was told anything. */
  constructor(poller: Poller, fd: number, gone: () => void) {
    const end = (): void => {
      this.#socket.close();
      gone();
    };
    const handlers = { message: () => undefined, closed: end, fault: end };
    this.#socket = new MessageSocket(poller, fd, silence, loginOrders, handlers);
  }

  /** The zygote has answered. */
  readonly forked = (pid: number): void => {
    this.#pid = pid;
    this.#tell?.(pid);
  };

  /** `sessionFd` becomes the login's; `forked` gets its pid, at once where it is known. */
  assign(identity: Identity, sessionFd: number, forked: (pid: number) => void): void {
    this.#socket.send("identity", 0, identity, [sessionFd]);
    this.#socket.close();
    if (this.#pid === 0) this.#tell = forked;
    else forked(this.#pid);
  }

  /** Nobody needs it: it sees the end and exits. */
  dismiss(): void {
    this.#socket.close();
  }
}
