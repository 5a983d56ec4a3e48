// The session process's layers and a client of the same code, joined in memory, with stand-ins for broker and worker that a test can steer.
import { defaults, type ServerOptions } from "../../config/options.ts";
import { endReasons } from "../../ipc/monitor.ts";
import { Client } from "../../session/client.ts";
import type {
  ClientChannel,
  ClientChannelEvents,
  ClientChannelOptions,
} from "../../session/client-channel.ts";
import { MonitorClient } from "../../session/monitor-client.ts";
import {
  makeKey,
  RehearsalMonitor,
  type RehearsalMonitorOptions,
} from "../../session/rehearsal-monitor.ts";
import {
  RehearsalWorker,
  type RehearsalProgram,
  type RehearsalWorkerOptions,
} from "../../session/rehearsal-worker.ts";
import { algorithmPreferences, ServedConnection } from "../../session/served-connection.ts";
import { memoryStreamPair } from "../../session/ssh/memory-stream.ts";
import type { EndReason } from "../../session/ssh/transport-options.ts";
import { WireWriter } from "../../session/ssh/wire.ts";

export const hostKey = makeKey();
export const userKey = makeKey();
export const strangeKey = makeKey();

export interface Served {
  client: Client;
  monitor: RehearsalMonitor;
  worker: RehearsalWorker;
  served: ServedConnection;
  /** Programs that were started, in order. */
  programs: TestProgram[];
  /** What the client was told, in order. */
  seen: string[];
  /** How the client saw it end. */
  clientEnd: EndReason | null;
  /** How the session process reported it. */
  ending: { reason: string; code: number; text: string } | null;
  titles: string[];
}
export interface ServeOptions {
  options?: Partial<ServerOptions>;
  monitor?: Partial<RehearsalMonitorOptions>;
  worker?: Partial<RehearsalWorkerOptions>;
  /** The client's identification line. */
  version?: string;
  /** Replaces the stand-in for the broker. */
  connectMonitor?: ConstructorParameters<typeof MonitorClient>[0];
}

/** A program that does what the test says. */
export class TestProgram {
  readonly command: string;
  readonly #program: RehearsalProgram;
  readonly #received: Uint8Array[] = [];
  /** The client's EOF has come through. */
  inputEnded = false;

  constructor(program: RehearsalProgram) {
    this.#program = program;
    this.command = program.command;
  }
  /** All that has been read so far. */
  get received(): string {
    return Buffer.concat(this.#received).toString("latin1");
  }
  get receivedBytes(): number {
    return this.#received.reduce((sum, chunk) => sum + chunk.length, 0);
  }
  /** Reads what there is, at most `most` bytes of it. */
  read(most = Infinity): void {
    const { input } = this.#program;
    const buffer = new Uint8Array(64 * 1024);
    let left = most;
    while (left > 0) {
      const count = input.read(buffer, 0, Math.min(buffer.length, left));
      if (count === 0) this.inputEnded = true;
      if (count <= 0) return;
      left -= count;
      this.#received.push(buffer.slice(0, count));
    }
  }
  /** Bytes that its output, or its error output, took. */
  write(bytes: Uint8Array | string, isError = false): number {
    const data = Buffer.from(bytes as string); // one overload for both
    const { output, errors } = this.#program;
    return Math.max(0, (isError ? errors : output).write(data, 0, data.length));
  }
  closeInput(): void {
    this.#program.input.close();
  }
  closeOutput(): void {
    this.#program.output.close();
  }
  closeErrors(): void {
    this.#program.errors.close();
  }
  exit(status: number, signal?: string): void {
    this.#program.exit(status, signal);
  }
  /** Exits and closes everything, as a program without children. */
  end(status: number): void {
    this.closeOutput();
    this.closeErrors();
    this.closeInput();
    this.exit(status);
  }
}

/** Lets every microtask and callback that is due run. */
export async function settled(turns = 6): Promise<void> {
  for (let i = 0; i < turns; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Started on both sides; nothing has run yet. */
export function serve(given: ServeOptions = {}): Served {
  const options = { ...defaults, ...given.options };
  const [serverStream, clientStream] = memoryStreamPair();
  const programs: TestProgram[] = [];
  const worker = new RehearsalWorker({
    run: (program) => {
      programs.push(new TestProgram(program));
    },
    ...given.worker,
  });
  const both: Partial<Served> = {};
  const monitor = new MonitorClient(
    given.connectMonitor ??
      ((handlers) => {
        both.monitor = new RehearsalMonitor(handlers, {
          hostKey,
          userKey,
          workerFd: () => 100,
          ...given.monitor,
        });
        return both.monitor;
      }),
    {
      connection: () => undefined,
      connectionOutput: () => undefined,
      go: () => undefined,
      authenticated: (body, fd) => {
        both.served?.authenticated(body, fd);
      },
      stop: (body) => both.served?.stop(body),
      gone: () => {
        throw new Error("The broker's stand-in is gone");
      },
    },
  );
  const result: Omit<Served, "client" | "served" | "monitor"> = {
    worker,
    programs,
    seen: [],
    clientEnd: null,
    ending: null,
    titles: [],
  };
  const served = new ServedConnection({
    stream: serverStream,
    peer: { remoteAddress: "192.0.2.7", remotePort: 4711 },
    options,
    hostKeys: [hostKey],
    monitor,
    workerConnection: () => worker,
    setTitle: (title) => result.titles.push(title),
    ended: (end, received, sent) => {
      const text = Buffer.from(end.text).toString("latin1");
      whole.ending = { reason: end.reason, code: end.code, text };
      monitor.ended(end, received, sent);
    },
  });
  both.served = served;
  const client = new Client({
    stream: clientStream,
    user: "alice",
    algorithms: algorithmPreferences(options),
    verifyHostKey: () => true,
    ...(given.version === undefined ? {} : { version: given.version }),
    events: {
      ready: () => whole.seen.push("ready"),
      banner: (text) => whole.seen.push(`banner ${Buffer.from(text).toString().trim()}`),
      authFailed: (methods, isPartial) =>
        whole.seen.push(`${isPartial ? "partial" : "failure"} ${methods.join()}`),
      keyAcceptable: () => whole.seen.push("key acceptable"),
      authenticated: () => whole.seen.push("authenticated"),
      globalRequest: (name) => whole.seen.push(`global ${name}`),
      ended: (end) => {
        whole.clientEnd = end;
      },
    },
  });
  // The stand-in is there unless the test gave its own.
  const whole: Served = Object.assign(result, {
    client,
    served,
    monitor: both.monitor as RehearsalMonitor,
  });
  served.start();
  client.start();
  return whole;
}

/** Userauth may begin. */
export async function established(given: ServeOptions = {}): Promise<Served> {
  const pair = serve(given);
  await settled();
  if (pair.seen.at(-1) !== "ready") throw new Error("The handshake did not end");
  return pair;
}

export async function loggedIn(given: ServeOptions = {}): Promise<Served> {
  const pair = await established(given);
  pair.client.authenticate(userKey);
  await settled();
  if (!pair.seen.includes("authenticated")) throw new Error("The login did not succeed");
  return pair;
}

/** A session channel of the client, and what has come on it. */
export interface TestChannel {
  channel: ClientChannel;
  /** In order: "opened", "data 5", "errors 3", "eof", "exit-status 3", "closed" and so on; data of one kind in a row is added up. */
  seen: string[];
  output: () => string;
  outputBytes: () => number;
}

export function openChannel(
  pair: Served,
  options: Partial<ClientChannelOptions> = {},
  events: Partial<ClientChannelEvents> = {},
): TestChannel {
  const seen: string[] = [];
  const output: Uint8Array[] = [];
  const add = (kind: string, bytes: number): void => {
    const [last, sum] = seen.at(-1)?.split(" ") ?? [];
    if (last === kind) seen[seen.length - 1] = `${kind} ${Number(sum) + bytes}`;
    else seen.push(`${kind} ${bytes}`);
  };
  const channel = pair.client.openChannel(
    {
      opened: () => seen.push("opened"),
      openFailed: (reason, text) => seen.push(`refused ${reason} ${text}`),
      data: (bytes, isError) => {
        if (!isError) output.push(bytes.slice());
        add(isError ? "errors" : "data", bytes.length);
      },
      eof: () => seen.push("eof"),
      request: (name, reader) => {
        if (name === "exit-status") seen.push(`${name} ${reader.uint32()}`);
        else if (name === "exit-signal") seen.push(`${name} ${reader.name()}`);
        else seen.push(name);
      },
      closed: () => seen.push("closed"),
      ...events,
    },
    options,
  );
  return {
    channel,
    seen,
    output: () => Buffer.concat(output).toString("latin1"),
    outputBytes: () => output.reduce((sum, chunk) => sum + chunk.length, 0),
  };
}

/** A command that runs; its program is the last of `pair.programs`. */
export async function running(
  pair: Served,
  options: Partial<ClientChannelOptions> = {},
): Promise<TestChannel & { program: TestProgram }> {
  const opened = openChannel(pair, options);
  await settled();
  opened.channel.exec("a command");
  await settled();
  const program = pair.programs.at(-1);
  if (program === undefined) throw new Error("The program was not started");
  return { ...opened, program };
}

export const kilobytes = (count: number): Uint8Array => new Uint8Array(count * 1024).fill(0x61);

export function openTerminal(channel: ClientChannel, done?: (isGranted: boolean) => void): void {
  channel.request(
    "pty-req",
    (w) => w.string("xterm").uint32(80).uint32(24).uint32(0).uint32(0).string("\0"),
    done,
  );
}

/** A shell on a terminal. */
export async function shell(pair: Served): Promise<TestChannel & { program: TestProgram }> {
  const opened = openChannel(pair);
  await settled();
  openTerminal(opened.channel);
  opened.channel.request("shell");
  await settled();
  const program = pair.programs.at(-1);
  if (program === undefined) throw new Error("The shell was not started");
  return { ...opened, program };
}

/** A message from the client, as no client of ours would send it. */
export function send(pair: Served, type: number, fill: (writer: WireWriter) => WireWriter): void {
  pair.client.transport.send(fill(new WireWriter().byte(type)).finish());
}

/** What the broker was asked for, in order. */
export const askedFor = (pair: Served): string[] => pair.monitor.seen.map(({ name }) => name);
/** The reason of the last `ended` request. */
export function reportedEnd(pair: Served): string | undefined {
  const request = pair.monitor.seen.findLast(({ name }) => name === "ended");
  return request?.name === "ended" ? endReasons[request.body.reason] : undefined;
}
