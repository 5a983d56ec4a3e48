// The listener's side of the spawner. A start is waited for: the spawner does nothing else, and a program starts in a millisecond or two.
import { maxMessageBytes } from "../../ipc/limits.ts";
import { decode, encode } from "../../ipc/protocol.ts";
import { spawnerAnswers, spawnerOrders, spawnerReports } from "../../ipc/spawner.ts";
import { protocol } from "../../ipc/protocol.ts";
import { closeFd } from "../../native/descriptors.ts";
import { MessageSocket } from "../../native/message-socket.ts";
import type { Poller } from "../../native/poller.ts";
import { waitReadable } from "../../native/process.ts";
import { receiveMessage, sendMessage, seqpacketPair } from "../../native/sockets.ts";
import type { ProcessEnd } from "../pool/child-end.ts";
import { spawnOurs, type ControlledOptions, type ControlledProgram } from "../runtime.ts";

/** A machine that takes longer to start a program has no processor to serve with. */
const patienceMs = 30_000;
const nothing = protocol({});

export interface SpawnerHandlers {
  /** Something that it started is reaped. */
  ended(pid: number, end: ProcessEnd): void;
  /** It is gone, and with it every start. */
  gone(): void;
}

export class Spawner {
  readonly pid: number;
  readonly #ordersFd: number;

  /** Starts it. */
  constructor(
    { poller, nullFd, stderrFd }: { poller: Poller; nullFd: number; stderrFd: number },
    handlers: SpawnerHandlers,
  ) {
    const [orders, itsOrders] = seqpacketPair();
    const [reports, itsReports] = seqpacketPair();
    this.#ordersFd = orders;
    try {
      this.pid = spawnOurs("spawner/start", {
        fds: [nullFd, nullFd, stderrFd, itsOrders, itsReports],
        cwd: "/",
        detached: true, // Ctrl-C in the terminal of -D is for the listener alone
      });
    } finally {
      closeFd(itsOrders);
      closeFd(itsReports);
    }
    new MessageSocket(poller, reports, spawnerReports, nothing, {
      message: ({ body: { pid, status, bySignal } }) => {
        handlers.ended(pid, { status, bySignal });
      },
      closed: () => {
        handlers.gone();
      },
      fault: (fault) => {
        throw fault; // our own program: a bug on one side
      },
    });
  }

  /** As `spawnControlled`, in a process that may still start programs. Throws what it says, and when it says nothing. */
  readonly start = (
    program: ControlledProgram,
    { moreFds = [] }: ControlledOptions,
  ): { pid: number; controlFd: number } => {
    const [ours, theirs] = seqpacketPair();
    try {
      const order = encode(spawnerOrders, program === "signer/main" ? "signer" : "zygote", 0, {});
      sendMessage(this.#ordersFd, order, 0, order.length, [theirs, ...moreFds]);
      const answer = this.#answer();
      if (answer.name === "failed") throw new Error(`Cannot start ${program}: ${answer.body.why}`);
      return { pid: answer.body.pid, controlFd: ours };
    } catch (error) {
      closeFd(ours);
      throw error;
    } finally {
      closeFd(theirs);
    }
  };

  #answer(): ReturnType<typeof decode<typeof spawnerAnswers>> {
    const buffer = new Uint8Array(maxMessageBytes);
    waitReadable(Int32Array.of(this.#ordersFd), patienceMs);
    const received = receiveMessage(this.#ordersFd, buffer);
    if (received === null || received.length === 0)
      throw new Error("Cannot start a program: the spawner does not answer");
    return decode(spawnerAnswers, buffer.subarray(0, received.length), received.fds.length);
  }
}
