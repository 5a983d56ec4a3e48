// What the zygote does before it forks: whole connections in memory, from the identification lines to the last CLOSE, so that all
// that a connection needs is compiled to bytecode and loaded once, and every session process shares it.
import type { ServerOptions } from "../config/options.ts";
import { Client, type ClientEvents } from "./client.ts";
import type { ClientChannel } from "./client-channel.ts";
import type { ClientKey } from "./client-userauth.ts";
import { MonitorClient } from "./monitor-client.ts";
import { makeKey, RehearsalMonitor } from "./rehearsal-monitor.ts";
import { RehearsalWorker, type RehearsalProgram } from "./rehearsal-worker.ts";
import { algorithmPreferences, ServedConnection } from "./served-connection.ts";
import type { HostPublicKey } from "./ssh/layers.ts";
import { memoryStreamPair } from "./ssh/memory-stream.ts";
import { prepareKex } from "./ssh/prepared-kex.ts";
import { WireWriter } from "./ssh/wire.ts";

export interface RehearsedParts {
  readonly hostKey: ClientKey & HostPublicKey;
  readonly userKey: ClientKey;
  /** Absent: a stand-in for the broker. */
  readonly connectMonitor?: ConstructorParameters<typeof MonitorClient>[0];
}

/** Enough for several reads, packets and window adjustments. */
const echoBytes = 300 * 1024;
/** The descriptor that stands for the worker's socket. */
const workerFd = 100;
const fromTerminal = Buffer.from("exit\r");

/**
 * Rehearses connections with every key exchange, cipher and MAC of `options`, and what goes wrong in some. Synchronous: nothing is left behind, no
 * timer, no descriptor. Throws when a connection did not run to its end.
 */
export function rehearse(options: ServerOptions, parts: Partial<RehearsedParts> = {}): void {
  const both: RehearsedParts = { hostKey: makeKey(), userKey: makeKey(), ...parts };
  const { kexAlgorithms, ciphers, macs } = options;
  const count = Math.max(kexAlgorithms.length, ciphers.length, macs.length);
  const pick = (names: readonly string[], i: number): string[] =>
    names.slice(i % names.length, (i % names.length) + 1);
  for (let i = 0; i < count; i += 1) {
    const chosen = {
      ...options,
      hostKeyAlgorithms: [...both.hostKey.algorithms],
      kexAlgorithms: pick(kexAlgorithms, i),
      ciphers: pick(ciphers, i),
      // AEAD ciphers have no MAC: the others, at the end of the list, take turns.
      macs: pick(macs, i + 1),
    };
    new Rehearsal(chosen, both, i === 0).run();
  }
}

/** Microtasks run when the stack is empty; the zygote forks before it ever is. Node's own way to run them now, deprecated for others. */
const runMicrotasks = (process as unknown as { readonly _tickCallback: () => void })._tickCallback; // not in the types

/** One connection. */
class Rehearsal {
  readonly #client: Client;
  readonly #served: ServedConnection;
  readonly #parts: RehearsedParts;
  readonly #isThorough: boolean;
  readonly #steps: string[] = [];
  #hasServerEnded = false;

  constructor(options: ServerOptions, parts: RehearsedParts, isThorough: boolean) {
    this.#parts = parts;
    this.#isThorough = isThorough;
    const [serverStream, clientStream] = memoryStreamPair();
    const { hostKey, userKey } = parts;
    const worker = new RehearsalWorker({ run: echo });
    const monitor = new MonitorClient(
      parts.connectMonitor ??
        ((handlers) =>
          new RehearsalMonitor(handlers, {
            hostKey,
            userKey,
            banner: Buffer.from("rehearsal\n"),
            workerFd: () => workerFd,
          })),
      {
        connection: unexpected,
        connectionOutput: unexpected,
        go: unexpected,
        authenticated: (body, fd) => {
          this.#served.authenticated(body, fd);
        },
        stop: unexpected,
        gone: unexpected,
      },
    );
    this.#served = new ServedConnection({
      stream: serverStream,
      peer: { remoteAddress: "127.0.0.1", remotePort: 1 },
      options,
      hostKeys: [hostKey],
      prepared: prepareKex("server", algorithmPreferences(options), [hostKey]),
      monitor,
      workerConnection: () => worker,
      setTitle: () => undefined,
      ended: (end, received, sent) => {
        this.#hasServerEnded = true;
        monitor.ended(end, received, sent);
      },
    });
    this.#client = new Client({
      stream: clientStream,
      user: "rehearsal",
      algorithms: algorithmPreferences(options),
      verifyHostKey: () => true,
      events: this.#events(),
    });
  }

  run(): void {
    this.#served.start();
    this.#client.start();
    runMicrotasks();
    if (!this.#hasServerEnded || this.#steps.at(-1) !== "done")
      throw new Error(`Cannot rehearse: a connection stood still after ${this.#steps.join(", ")}`);
  }

  #events(): ClientEvents {
    const { userKey } = this.#parts;
    return {
      ready: () => {
        this.#client.authenticateNone();
      },
      authFailed: () => {
        this.#steps.push("refused");
        this.#client.queryKey(userKey);
      },
      keyAcceptable: () => {
        this.#client.authenticate(userKey);
      },
      authenticated: () => {
        this.#steps.push("authenticated");
        if (this.#isThorough) this.#askMuch();
        this.#exec();
      },
    };
  }

  /** Global requests, good and bad, and a channel that is refused. */
  #askMuch(): void {
    const { hostKey } = this.#parts;
    const proof = new WireWriter(128).string(hostKey.blob).finish();
    this.#client.globalRequest("hostkeys-prove-00@openssh.com", proof, () => undefined);
    this.#client.globalRequest("keepalive@openssh.com", new Uint8Array(0), () => undefined);
    this.#client.openChannel({}, { type: "direct-tcpip" });
  }

  /** A command: data both ways, a key re-exchange in the middle, exit-status, CLOSE. */
  #exec(): void {
    const data = new Uint8Array(echoBytes);
    let sent = 0;
    let received = 0;
    let hasRekeyed = !this.#isThorough;
    const write = (): void => {
      sent += channel.write(data, sent);
      if (sent === data.length) channel.eof();
    };
    const channel = this.#client.openChannel({
      opened: () => {
        channel.request("env", (writer) => writer.string("LANG").string("C.UTF-8"));
        channel.exec("rehearsal", write);
      },
      room: write,
      data: (bytes) => {
        received += bytes.length;
        if (hasRekeyed || received < data.length / 2) return;
        hasRekeyed = true;
        this.#client.transport.rekey();
      },
      closed: () => {
        this.#steps.push(`command with ${received} bytes`);
        if (this.#isThorough) this.#shell();
        else this.#leave();
      },
    });
  }

  /** A terminal, and what is done with one. */
  #shell(): void {
    const channel: ClientChannel = this.#client.openChannel({
      opened: () => {
        const size = [80, 24, 0, 0];
        const sized = (writer: WireWriter): WireWriter =>
          size.reduce((into, number) => into.uint32(number), writer);
        channel.request("pty-req", (writer) => sized(writer.string("xterm")).string("\0"));
        channel.request("shell", undefined, () => {
          channel.request("window-change", sized);
          channel.request("signal", (writer) => writer.string("INT"));
          channel.request("x11-req", undefined, () => {
            channel.write(fromTerminal);
          });
        });
      },
      closed: () => {
        this.#steps.push("shell");
        this.#leave();
      },
    });
  }

  /** Half of them as clients leave, half by a fault, which the server answers by disconnecting. */
  #leave(): void {
    this.#steps.push("done");
    if (this.#isThorough) this.#client.transport.send(Uint8Array.of(94, 0, 0, 0, 9));
    else this.#client.transport.disconnect(11, "disconnected by user");
  }
}

/** The rehearsal's only program: gives back what it gets, a copy of the first bytes as errors, and ends with its input. */
function echo({ command, input, output, errors, exit }: RehearsalProgram): void {
  const buffer = new Uint8Array(16 * 1024);
  let kept = 0;
  let hasExited = false;
  const isTerminal = command === "";
  const pump = (): void => {
    while (!hasExited) {
      while (kept > 0) {
        const taken = output.write(buffer, 0, kept);
        if (taken <= 0) {
          output.wait(false, true);
          return;
        }
        buffer.copyWithin(0, taken, kept);
        kept -= taken;
      }
      const count = input.read(buffer, 0, buffer.length);
      if (count < 0) {
        input.wait(true, false);
        return;
      }
      if (count > 0) errors.write(buffer, 0, 1);
      kept = count;
      hasExited = count === 0 || isTerminal;
    }
    exit(0);
    // A terminal is held open by others: it ends with its program all the same.
    if (isTerminal) return;
    output.close();
    errors.close();
    input.close();
  };
  input.onReady(pump);
  output.onReady(pump);
  pump();
}

const unexpected = (): never => {
  throw new Error("Cannot rehearse: the broker's stand-in said what it never says");
};
