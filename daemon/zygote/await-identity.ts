// A login is forked before anybody needs it, and told later for whom.
import { loginOrders } from "../../ipc/listener.ts";
import { maxMessageBytes } from "../../ipc/limits.ts";
import { decode } from "../../ipc/protocol.ts";
import type { Identity } from "../../ipc/worker.ts";
import { closeFd } from "../../native/descriptors.ts";
import { waitReadable } from "../../native/process.ts";
import { receiveMessage } from "../../native/sockets.ts";

const forever = -1;
/** The zygote's: one of its own a login would have to clear, page by page, before it is ever used. */
const buffer = new Uint8Array(maxMessageBytes);

export interface Assignment {
  readonly identity: Identity;
  /** The worker's socket; the caller's from here on. */
  readonly sessionFd: number;
}

/**
 * Blocks until the listener has said it over `orderFd`, which is closed here. Undefined: the listener needs this login no more, or is gone. Only
 * our own listener holds the other end: what cannot be read is a bug, and throws.
 */
export function awaitIdentity(orderFd: number): Assignment | undefined {
  for (;;) {
    waitReadable(Int32Array.of(orderFd), forever);
    const received = receiveMessage(orderFd, buffer);
    if (received === null) continue;
    closeFd(orderFd);
    if (received.length === 0) return undefined;
    const [sessionFd = -1] = received.fds;
    const bytes = buffer.subarray(0, received.length);
    const order = decode(loginOrders, bytes, received.fds.length);
    return { identity: order.body, sessionFd };
  }
}
