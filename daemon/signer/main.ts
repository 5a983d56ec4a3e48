// The signer: reads the private host keys, confines itself, and signs what it composes. A process of its own, exec'd by the listener.
import { maxPathBytes } from "../../ipc/limits.ts";
import type { PeerFault } from "../../ipc/peer-fault.ts";
import type { Message } from "../../ipc/protocol.ts";
import {
  signatureAnswers,
  signatureRequests,
  signerOrders,
  signerReports,
  type SignatureRequest,
} from "../../ipc/signer.ts";
import { MessageSocket } from "../../native/message-socket.ts";
import { Poller } from "../../native/poller.ts";
import { exitNow, remakeLoop, setTitle } from "../../native/process.ts";
import { confineSigner } from "../../sandbox/confine-signer.ts";
import { isLayerName } from "../../sandbox/layers.ts";
import { answer, type Signature } from "./answer.ts";
import { loadHostKey, type HostKey } from "./host-key.ts";

/** The listener's socket. */
const controlFd = 3;
/** What a report carries; one key that is open to others makes eight lines. */
const maxErrorLines = 64;
const maxMissingText = 200;

setTitle("sallyportd: signer");
const poller = new Poller();
let keys: readonly HostKey[] = [];
let channels = 0;
let isReleased = false;

const control = new MessageSocket(poller, controlFd, signerOrders, signerReports, {
  message: (order, [fd = -1]) => {
    if (order.name === "load") load(order);
    else serve(fd);
  },
  closed: () => {
    // The listener is gone; its connections may still have to change keys.
    isReleased = true;
    endWhenIdle();
  },
  fault: (fault) => {
    throw fault;
  },
});

function endWhenIdle(): void {
  if (isReleased && channels === 0) exitNow(0);
}

function load({ id, body }: Extract<Message<typeof signerOrders>, { name: "load" }>): void {
  const errors: string[] = [];
  keys = body.paths.flatMap((path) => {
    const loaded = loadHostKey(Buffer.from(path).toString("utf8"));
    if (!("errors" in loaded)) return [loaded];
    errors.push(...loaded.errors.map((line) => line.slice(0, maxPathBytes)));
    return [];
  });
  // libuv would go on calling io_uring_enter, which the filter stops.
  remakeLoop();
  const missing = confineSigner({ ...body, required: new Set(body.required.filter(isLayerName)) });
  control.send("loaded", id, {
    keys: keys.map((key) => key.blob),
    errors: errors.slice(0, maxErrorLines),
    missing: missing.map((line) => line.slice(0, maxMissingText)),
  });
}

/** A broker's channel, until the broker closes it. */
function serve(fd: number): void {
  channels += 1;
  const end = (): void => {
    channels -= 1;
    endWhenIdle();
  };
  const channel: MessageSocket<typeof signatureRequests, typeof signatureAnswers> =
    new MessageSocket(poller, fd, signatureRequests, signatureAnswers, {
      message: (request) => {
        const signed = attempt(request);
        if (typeof signed === "string") channel.send("refused", request.id, { why: signed });
        else channel.send("signed", request.id, signed);
        // One that asks without reading the answers waits; the keys are everybody's.
        if (!channel.isDrained) channel.pause();
      },
      drained: () => {
        channel.resume();
      },
      closed: end,
      fault: (fault: PeerFault) => {
        channel.send("refused", 0, { why: fault.code });
        channel.close();
        end();
      },
    });
}

/** The signature, or why there is none. */
function attempt(request: SignatureRequest): Signature | string {
  try {
    return answer(keys, request);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message.slice(0, 200);
  }
}
