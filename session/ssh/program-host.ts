// What session channels ask of whoever runs programs for them: the worker, or a stand-in in memory in the rehearsal and in tests.
import type { WorkerAnswer, workerRequests } from "../../ipc/worker.ts";
import type { Body } from "../../ipc/protocol.ts";

export interface ProgramAnswer {
  readonly message: Exclude<WorkerAnswer, { name: "exited" }>;
  /** The asker's to close. */
  readonly fds: readonly number[];
}
export interface ProgramHost {
  ask<K extends keyof typeof workerRequests & string>(
    name: K,
    body: Body<(typeof workerRequests)[K]>,
    done: (answer: ProgramAnswer) => void,
  ): void;
  /** A request that has no answer. */
  tell<K extends "windowChange" | "closeChannel">(
    name: K,
    body: Body<(typeof workerRequests)[K]>,
  ): void;
}
