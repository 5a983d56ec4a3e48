// One SSH session channel as the user's side has it: first a pty and an environment, then a program, then its end.
import type { ServerOptions } from "../config/options.ts";
import { matchesPatternList } from "../config/patterns.ts";
import type { Identity, WorkerRequest } from "../ipc/worker.ts";
import {
  closeFd,
  dupFd,
  growPipe,
  pipeFds,
  setNonBlocking,
  writeFd,
} from "../native/descriptors.ts";
import type { Poller } from "../native/poller.ts";
import { killPid, openPidFd, spawnProgram, waitPid, type Ended } from "../native/process.ts";
import {
  openPty,
  setTerminalModes,
  setWindowSize,
  type Pty,
  type WindowSize,
} from "../native/pty.ts";
import { commandFor, type Command } from "./command.ts";
import { environmentStrings, programEnvironment } from "./environment.ts";
import { rcProgram } from "./rc-files.ts";
import { signalNumber } from "./signals.ts";
import { messageOfTheDay, userEnvironment } from "./user-files.ts";

type BodyOf<K extends WorkerRequest["name"]> = Extract<WorkerRequest, { name: K }>["body"];

/** Why a request is not done; the text is for the log. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Of one session, as sshd has it: each may hold 33 KiB of the worker. */
const maxEnvironment = 128;
/** Of the pipe of standard output: two reads of the session process. */
const outputPipeBytes = 256 * 1024;
const SIGHUP = 1;
const loginUmask = 0o022;

interface Runnable {
  readonly file: string;
  readonly argv: readonly (string | Uint8Array)[];
  readonly env: Uint8Array[];
  readonly fds: number[];
  readonly controllingTerminal: boolean;
}
export interface Login {
  readonly identity: Identity;
  readonly options: ServerOptions;
  readonly poller: Poller;
  /** Said on standard error of every program: the home could not be entered. */
  readonly notice: string | undefined;
}

export class Program {
  readonly #login: Login;
  readonly #exited: (ended: Ended) => void;
  readonly #accepted = new Map<string, Uint8Array>();
  #pty: Pty | undefined;
  #term: Uint8Array | undefined;
  #command: Command | undefined;
  #pid = 0;
  #pidFd = -1;

  constructor(login: Login, exited: (ended: Ended) => void) {
    this.#login = login;
    this.#exited = exited;
  }

  /** Duplicates of the master for the session process, one for each direction, and the pty's name. */
  openPty(body: BodyOf<"openPty">): { masterFds: [number, number]; name: string } {
    const { identity, options } = this.#login;
    if (!options.permitTty || !identity.permitPty) throw new Refusal("terminals are not permitted");
    if (this.#pty !== undefined || this.#command !== undefined)
      throw new Refusal("this session has a terminal or runs already");
    if (Buffer.from(body.term).includes(0)) throw new Refusal("TERM has a NUL byte");
    const pty = openPty();
    this.#pty = pty;
    this.#term = body.term;
    setTerminalModes(pty.slaveFd, body.modes);
    setWindowSize(pty.masterFd, body);
    return { masterFds: [dupFd(pty.masterFd), dupFd(pty.masterFd)], name: pty.name };
  }

  setEnv({ name: rawName, value }: BodyOf<"setEnv">): void {
    const name = Buffer.from(rawName).toString("latin1");
    if (
      name === "" ||
      name.includes("=") ||
      name.includes("\0") ||
      Buffer.from(value).includes(0)
    ) {
      throw new Refusal("not a name or value of an environment");
    }
    if (!matchesPatternList(name, this.#login.options.acceptEnv))
      throw new Refusal(`AcceptEnv does not have ${JSON.stringify(name)}`);
    if (this.#accepted.size >= maxEnvironment) throw new Refusal("too many environment variables");
    if (this.#command !== undefined) throw new Refusal("the program runs already");
    this.#accepted.set(name, value);
  }

  /** Starts it; on pipes the three descriptors are the caller's: to its input, from its output and error output. */
  start({ kind, command: asked }: BodyOf<"start">): {
    description: string;
    pipes?: [number, number, number];
  } {
    if (this.#command !== undefined) throw new Refusal("a program was started already");
    if (Buffer.from(asked).includes(0)) throw new Refusal("command has a NUL byte");
    const command = commandFor(kind, asked, this.#login.identity, this.#login.options);
    if (command === undefined) throw new Refusal("subsystem not found");
    this.#command = command;
    const pty = this.#pty;
    if (pty === undefined)
      return { description: command.description, pipes: this.#startOnPipes(command) };
    this.#startOnPty(command, pty);
    return { description: `${command.description} on ${pty.name.replace("/dev/", "")}` };
  }

  #startOnPipes(command: Command): [number, number, number] {
    const opened: number[] = [];
    const pipe = (): [number, number] => {
      const ends = pipeFds();
      opened.push(...ends);
      return ends;
    };
    try {
      const [stdin, toStdin] = pipe();
      const [fromStdout, stdout] = pipe();
      const [fromStderr, stderr] = pipe();
      // With the 64 KiB that a pipe has at first, a program that writes much waits for each two packets. sshd's sockets hold as much.
      growPipe(stdout, outputPipeBytes);
      for (const fd of [toStdin, fromStdout, fromStderr]) setNonBlocking(fd, true);
      this.#notice(stderr);
      const fds = [stdin, stdout, stderr];
      this.#spawn(command, fds, false, () => {
        fds.forEach(closeFd);
      });
      return [toStdin, fromStdout, fromStderr];
    } catch (error) {
      opened.forEach(closeFd);
      throw error;
    }
  }

  #startOnPty(command: Command, pty: Pty): void {
    const { options, identity } = this.#login;
    this.#notice(pty.slaveFd);
    if (command.isLoginShell && options.printMotd) {
      // A terminal's buffer holds 4 KiB; more would wait for a reader that has not been told of the pty yet.
      const motd = messageOfTheDay(Buffer.from(identity.home).toString()).subarray(0, 4000);
      if (motd.length > 0) writeFd(pty.slaveFd, motd, 0, motd.length);
    }
    this.#spawn(command, [pty.slaveFd, pty.slaveFd, pty.slaveFd], true, () => {
      // Undefined: it has hung up, and the slave is closed.
      if (this.#pty === undefined) return;
      closeFd(pty.slaveFd);
      this.#pty = { ...pty, slaveFd: -1 };
    });
  }

  #notice(fd: number): void {
    const { notice } = this.#login;
    if (notice !== undefined) writeFd(fd, Buffer.from(notice), 0, Buffer.byteLength(notice));
  }

  /** After ~/.ssh/rc, where there is one. `release` is called once the program has its descriptors, or is not going to have them. */
  #spawn(command: Command, fds: number[], controllingTerminal: boolean, release: () => void): void {
    const { identity, options } = this.#login;
    const home = Buffer.from(identity.home).toString();
    const environment = programEnvironment(
      identity,
      options,
      {
        accepted: this.#accepted,
        ...(this.#term === undefined ? {} : { term: this.#term }),
        ...(this.#pty === undefined ? {} : { tty: this.#pty.name }),
        ...(command.originalCommand === undefined
          ? {}
          : { originalCommand: command.originalCommand }),
      },
      userEnvironment(home, options.permitUserEnvironment),
    );
    const env = environmentStrings(environment);
    const { file, argv } = command;
    const program = { file, argv, env, fds, controllingTerminal };
    const rc = rcProgram(command.rc, identity, options);
    const afterRc = (): void => {
      this.#runAfterRc(program, controllingTerminal, release);
    };
    if (rc !== undefined && this.#runRc({ ...rc, env, fds }, afterRc)) return;
    this.#run(program, this.#exited);
    release();
  }

  /** False: it cannot be run, and is done without. It reads nothing: what sshd would give it is for X11. */
  #runRc(rc: Omit<Runnable, "controllingTerminal">, done: () => void): boolean {
    const [input, unused] = pipeFds();
    closeFd(unused);
    try {
      const fds = [input, ...rc.fds.slice(1)];
      this.#run({ ...rc, fds, controllingTerminal: false }, done);
      return true;
    } catch (error) {
      if (error instanceof Error && "syscall" in error) return false;
      throw error;
    } finally {
      closeFd(input);
    }
  }

  /** What was asked for has been answered long ago: a program that cannot be run ends at once. */
  #runAfterRc(program: Runnable, isOnTerminal: boolean, release: () => void): void {
    const failed = { pid: 0, status: 1, coreDumped: false, cpuUs: 0 };
    // The terminal has hung up meanwhile.
    const isGone = isOnTerminal && this.#pty === undefined;
    let isRunning = false;
    try {
      if (!isGone) this.#run(program, this.#exited);
      isRunning = !isGone;
    } catch (error) {
      if (!(error instanceof Error && "syscall" in error)) throw error;
    }
    release();
    if (!isRunning) this.#exited(failed);
  }

  #run(
    { file, argv, env, fds, controllingTerminal }: Runnable,
    done: (ended: Ended) => void,
  ): void {
    const options = { setsid: true, controllingTerminal, umask: loginUmask };
    this.#pid = spawnProgram({ file, argv: [...argv], env, fds, ...options });
    this.#pidFd = openPidFd(this.#pid);
    this.#login.poller.set(this.#pidFd, true, false, () => {
      const ended = waitPid(this.#pid, true);
      if (ended === null) return;
      this.#forgetProcess();
      done(ended);
    });
  }

  #forgetProcess(): void {
    if (this.#pidFd < 0) return;
    this.#login.poller.remove(this.#pidFd);
    closeFd(this.#pidFd);
    this.#pidFd = -1;
  }

  resize(size: WindowSize): void {
    if (this.#pty !== undefined) setWindowSize(this.#pty.masterFd, size);
  }

  /** To the program's process group, as sshd does. */
  signal({ name }: BodyOf<"signal">): void {
    const text = Buffer.from(name).toString("latin1");
    const number = signalNumber(text);
    if (number === undefined) throw new Refusal(`unsupported signal ${JSON.stringify(text)}`);
    if (this.#pidFd < 0 || this.#command === undefined) throw new Refusal("no program runs");
    if (!this.#command.takesSignals)
      throw new Refusal("no signals to a forced command or a subsystem");
    killPid(-this.#pid, number);
  }

  /** RFC 4335. A pseudo-terminal has no line to break, as with sshd: the request is granted for a terminal. */
  break(): void {
    if (this.#pty === undefined) throw new Refusal("no terminal");
  }

  /** The SSH channel is gone: a terminal hangs up; a program on pipes finds them closed. */
  hangUp(): void {
    const pty = this.#pty;
    this.#pty = undefined;
    if (pty === undefined) return;
    closeFd(pty.masterFd);
    if (pty.slaveFd >= 0) closeFd(pty.slaveFd);
    if (this.#pidFd < 0) return;
    // The kernel sends SIGHUP when the last master closes; the session process may hold its own a moment longer.
    try {
      killPid(-this.#pid, SIGHUP);
    } catch {
      // EPERM: all of the group is another user's by now (sudo, su). The kernel's own SIGHUP reaches them.
    }
  }
}
