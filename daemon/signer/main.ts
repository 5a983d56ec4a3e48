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
import { exchangeHash, proofData } from "./compose.ts";
import { loadHostKey, signWith, type HostKey } from "./host-key.ts";

/** The listener's socket. */
const controlFd = 3;

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
  confineSigner(body);
  control.send("loaded", id, { keys: keys.map((key) => key.blob), errors });
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
        try {
          channel.send("signed", request.id, answer(request));
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          channel.send("refused", request.id, { why: error.message.slice(0, 200) });
        }
      },
      closed: end,
      fault: (fault: PeerFault) => {
        channel.send("refused", 0, { why: fault.code });
        channel.close();
        end();
      },
    });
}

function answer(request: SignatureRequest): { exchangeHash: Uint8Array; signature: Uint8Array } {
  if (request.name === "exchange") {
    const { hostKeyAlgorithm } = request.body;
    const key = keys.find(({ algorithms }) => algorithms.includes(hostKeyAlgorithm));
    if (key === undefined)
      throw new RangeError(`no host key for ${JSON.stringify(hostKeyAlgorithm)}`);
    const hash = exchangeHash(request.body, key.blob);
    return { exchangeHash: hash, signature: signWith(key, hostKeyAlgorithm, hash) };
  }
  const { blob, algorithm, sessionId } = request.body;
  const key = keys.find((own) => Buffer.from(own.blob).equals(blob));
  if (key === undefined) throw new RangeError("not a host key of ours");
  if (sessionId.length < 32) throw new RangeError("no session id");
  return {
    exchangeHash: new Uint8Array(),
    signature: signWith(key, algorithm, proofData(sessionId, blob)),
  };
}
