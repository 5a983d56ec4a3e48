// The worker: serves the session process as the user. Whatever it is asked, it can do no more than the user may, and no more than key and
// configuration permit.
import { workerAnswers, workerRequests, type WorkerRequest } from "../ipc/worker.ts";
import { MessageSocket } from "../native/message-socket.ts";
import { exitNow, type Ended } from "../native/process.ts";
import { Program, Refusal, type Login } from "./program.ts";
import { signalName } from "./signals.ts";

export class Worker {
  readonly #login: Login;
  readonly #socket: MessageSocket<typeof workerRequests, typeof workerAnswers>;
  readonly #programs = new Map<number, Program>();

  constructor(login: Login, sessionFd: number) {
    this.#login = login;
    this.#socket = new MessageSocket(login.poller, sessionFd, workerRequests, workerAnswers, {
      message: (request) => {
        this.#serve(request);
      },
      closed: () => {
        this.#end();
      },
      fault: () => {
        // The session process does not speak as it should: whatever it is by now, it gets nothing more.
        this.#socket.close();
        this.#end();
      },
    });
  }

  #serve(request: WorkerRequest): void {
    try {
      this.#answer(request);
    } catch (error) {
      if (!(error instanceof Refusal) && !(error instanceof Error && "syscall" in error))
        throw error;
      // A call that failed (no pty left, a shell that cannot be run) is refused like what is not permitted.
      this.#socket.send("refused", request.id, { why: error.message.slice(0, 400) });
    }
  }

  #answer(request: WorkerRequest): void {
    const { channel } = request.body;
    switch (request.name) {
      case "openPty": {
        const { masterFds, name } = this.#program(channel).openPty(request.body);
        this.#socket.send("ptyOpened", request.id, { name }, masterFds);
        return;
      }
      case "setEnv":
        this.#program(channel).setEnv(request.body);
        break;
      case "start": {
        const { description, pipes } = this.#program(channel).start(request.body);
        if (pipes === undefined) this.#socket.send("startedOnPty", request.id, { description });
        else this.#socket.send("startedOnPipes", request.id, { description }, pipes);
        return;
      }
      case "windowChange":
        this.#programs.get(channel)?.resize(request.body);
        return;
      case "signal":
        this.#program(channel).signal(request.body);
        break;
      case "break":
        this.#program(channel).break();
        break;
      case "closeChannel":
        this.#programs.get(channel)?.hangUp();
        this.#programs.delete(channel);
        return;
    }
    this.#socket.send("done", request.id, {});
  }

  #program(channel: number): Program {
    const known = this.#programs.get(channel);
    if (known !== undefined) return known;
    if (this.#programs.size >= this.#login.options.maxSessions)
      throw new Refusal("MaxSessions is reached");
    const program = new Program(this.#login, (ended) => {
      this.#exited(channel, program, ended);
    });
    this.#programs.set(channel, program);
    return program;
  }

  #exited(channel: number, program: Program, { status = 0, signal, coreDumped }: Ended): void {
    // A channel that was closed meanwhile, or its number used again, is told nothing.
    if (this.#programs.get(channel) !== program) return;
    this.#socket.send("exited", 0, {
      channel,
      status,
      signal: signal === undefined ? "" : signalName(signal),
      coreDumped,
    });
  }

  /** The connection is over: terminals hang up. What runs without one goes on with closed pipes, as under sshd. */
  #end(): void {
    for (const program of this.#programs.values()) program.hangUp();
    exitNow(0);
  }
}
