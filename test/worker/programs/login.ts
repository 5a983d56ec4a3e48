// Forks as the zygote does, becomes a login in the child, and speaks the session process's side to it, step by step and without an event loop.
// argv[2]: a Script as JSON. Prints what each step gave, as one JSON line.
import { readFileSync } from "node:fs";
import { loadConfig } from "../../../config/load.ts";
import { decode, encode } from "../../../ipc/protocol.ts";
import { workerAnswers, workerRequests, type Identity } from "../../../ipc/worker.ts";
import {
  closeAllExcept,
  closeFd,
  readFd,
  WOULD_BLOCK,
  writeFd,
} from "../../../native/descriptors.ts";
import {
  forkProcess,
  killPid,
  loopFds,
  prepareFork,
  waitPid,
  waitReadable,
} from "../../../native/process.ts";
import { receiveMessage, sendMessage, seqpacketPair } from "../../../native/sockets.ts";
import { runLogin } from "../../../worker/main.ts";
import type { Script, Step } from "../login-script.ts";

const patienceMs = 20_000;
const script = JSON.parse(process.argv[2] ?? "") as Script; // our own test wrote it
const config = loadConfig({ file: script.configFile });
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const identity: Identity = {
  ...script.identity,
  home: bytes(script.identity.home),
  shell: bytes(script.identity.shell),
  forcedCommand: bytes(script.identity.forcedCommand),
  environment: script.identity.environment.map(bytes),
};

function wait(fd: number): void {
  if (waitReadable(Int32Array.of(fd), patienceMs).length === 0)
    throw new Error("Nothing came in time");
}

class SessionSide {
  readonly #socket: number;
  readonly #worker: number;
  readonly #fds: number[] = [];
  readonly #buffer = new Uint8Array(256 * 1024);
  #lastId = 0;

  constructor(socket: number, worker: number) {
    this.#socket = socket;
    this.#worker = worker;
  }

  take(step: Step): unknown {
    switch (step.do) {
      case "ask":
        this.#send(step.name, step.body);
        return this.#answer();
      case "tell":
        this.#send(step.name, step.body);
        return null;
      case "raw":
        return sendMessage(this.#socket, Buffer.from(step.hex, "hex"), 0, step.hex.length / 2, []);
      case "next":
        return this.#answer();
      case "write": {
        const text = bytes(step.text);
        return writeFd(this.#fd(step.fd), text, 0, text.length);
      }
      case "close":
        closeFd(this.#fd(step.fd));
        return null;
      case "read":
        return this.#read(this.#fd(step.fd), step.until);
      case "hangUp":
        closeFd(this.#socket);
        return null;
      case "ended": {
        const ended = waitPid(this.#worker, false);
        return { status: ended?.status, signal: ended?.signal };
      }
      case "workerStatus":
        return readFileSync(`/proc/${this.#worker}/status`, "latin1");
      case "isAlive":
        return killPid(step.pid, 0);
    }
  }

  #fd(index: number): number {
    const fd = this.#fds[index];
    if (fd === undefined) throw new RangeError(`No descriptor ${index} has come`);
    return fd;
  }
  /** Every text of a request is bytes. */
  #send(name: keyof typeof workerRequests, body: Readonly<Record<string, number | string>>): void {
    const converted = Object.fromEntries(
      Object.entries(body).map(([key, value]) => [
        key,
        typeof value === "string" ? bytes(value) : value,
      ]),
    );
    this.#lastId += 1;
    // The step's author matched name and body; encode checks every field.
    const message = encode(workerRequests, name, this.#lastId, converted as never);
    sendMessage(this.#socket, message, 0, message.length, []);
  }
  #answer(): unknown {
    wait(this.#socket);
    const received = receiveMessage(this.#socket, this.#buffer);
    if (received === null || received.length === 0) return "closed";
    this.#fds.push(...received.fds);
    const message = this.#buffer.subarray(0, received.length);
    const { name, id, body } = decode(workerAnswers, message, received.fds.length);
    return { ...body, name, id };
  }
  /** To the end of file, or until `until` has been read. */
  #read(fd: number, until: string | undefined): string {
    let text = "";
    while (until === undefined || !text.includes(until)) {
      wait(fd);
      const got = readFd(fd, this.#buffer, 0, this.#buffer.length);
      if (got === 0) break;
      if (got !== WOULD_BLOCK)
        text += Buffer.from(this.#buffer.subarray(0, got)).toString("latin1");
    }
    return text;
  }
}

prepareFork();
const [ours, theirs] = seqpacketPair();
const worker = forkProcess(false);
if (worker === 0) {
  closeAllExcept([0, 1, 2, theirs, ...loopFds()]);
  runLogin({ identity, sessionFd: theirs, config });
} else {
  closeFd(theirs);
  const side = new SessionSide(ours, worker);
  console.log(JSON.stringify(script.steps.map((step) => side.take(step))));
}
