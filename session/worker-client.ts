// The session process's end of the socket to the user's worker. The worker answers in the order of the requests.
import { workerAnswers, workerRequests, type WorkerAnswer } from "../ipc/worker.ts";
import type { Body } from "../ipc/protocol.ts";
import { closeFd } from "../native/descriptors.ts";
import { MessageSocket } from "../native/message-socket.ts";
import type { Poller } from "../native/poller.ts";
import type { ProgramAnswer, ProgramHost } from "./ssh/program-host.ts";

type RequestName = keyof typeof workerRequests & string;

export interface WorkerEvents {
  exited(body: Extract<WorkerAnswer, { name: "exited" }>["body"]): void;
  gone(): void;
}

export class WorkerClient implements ProgramHost {
  readonly #socket: MessageSocket<typeof workerAnswers, typeof workerRequests>;
  readonly #events: WorkerEvents;
  readonly #waiting = new Map<number, (answer: ProgramAnswer) => void>();
  #lastId = 0;

  constructor(poller: Poller, fd: number, events: WorkerEvents) {
    this.#events = events;
    this.#socket = new MessageSocket(poller, fd, workerAnswers, workerRequests, {
      message: (answer, fds) => {
        this.#receive(answer, fds);
      },
      closed: () => {
        events.gone();
      },
      fault: () => {
        this.#socket.close();
        events.gone();
      },
    });
  }

  ask<K extends RequestName>(
    name: K,
    body: Body<(typeof workerRequests)[K]>,
    done: (answer: ProgramAnswer) => void,
  ): void {
    this.#lastId = (this.#lastId + 1) >>> 0;
    this.#waiting.set(this.#lastId, done);
    this.#socket.send(name, this.#lastId, body);
  }
  tell<K extends RequestName>(name: K, body: Body<(typeof workerRequests)[K]>): void {
    this.#socket.send(name, 0, body);
  }

  #receive(answer: WorkerAnswer, fds: readonly number[]): void {
    if (answer.name === "exited") {
      this.#events.exited(answer.body);
      return;
    }
    const done = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (done === undefined) fds.forEach(closeFd);
    else done({ message: answer, fds });
  }
}
