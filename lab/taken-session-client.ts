// The attacker's end: a client whose connection leads into a session process that obeys it (lab/taken-session.ts).
import { connect, type Socket } from "node:net";
import { answers, requests, type Answer, type Request, type RequestName } from "../ipc/monitor.ts";
import { decode, encode } from "../ipc/protocol.ts";
import { takenAddress } from "./take-over.ts";
import { encodeFrame, FrameReader, orders, reports } from "./relay.ts";

/** What comes back: an answer, the kernel's refusal to send, or the end. */
export type Heard =
  | { readonly kind: "answer"; readonly answer: Answer; readonly descriptors: number }
  | { readonly kind: "send-failed"; readonly code: string }
  | { readonly kind: "monitor-closed" }
  /** The connection itself: the session process is gone. */
  | { readonly kind: "gone" };

/** Far above what any answer takes. */
const patienceMs = 30_000;

export class TakenSessionClient {
  /** Our end's, as the server's log has it. */
  readonly port: number;
  readonly #socket: Socket;
  readonly #heard: Heard[] = [];
  readonly #waiting: ((heard: Heard) => void)[] = [];
  #isGone = false;
  #id = 0;

  private constructor(socket: Socket, taken: () => void) {
    this.#socket = socket;
    this.port = socket.localPort ?? 0;
    const frames = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      for (const frame of frames.take(chunk)) {
        if (frame.kind === reports.message) {
          // Its answers say how many descriptors belong; after the broker forbade them, none arrives whatever was sent.
          const spec = Object.values(answers).find(({ type }) => type === frame.bytes[0]);
          const answer = decode(answers, frame.bytes, spec?.descriptors ?? 0);
          this.#hear({ kind: "answer", answer, descriptors: frame.descriptors });
        } else if (frame.kind === reports.sendFailed)
          this.#hear({ kind: "send-failed", code: Buffer.from(frame.bytes).toString() });
        else if (frame.kind === reports.taken) taken();
        else this.#hear({ kind: "monitor-closed" });
      }
    });
    // A reset is one way for it to go.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#isGone = true;
      this.#hear({ kind: "gone" });
    });
  }

  /** To the port that the copy of the server has on `takenAddress`, from `localAddress`; resolves when a session process obeys. */
  static connect(port: number, localAddress?: string): Promise<TakenSessionClient> {
    return new Promise((resolve, reject) => {
      const from = localAddress === undefined ? {} : { localAddress };
      const socket = connect({ host: takenAddress, port, noDelay: true, ...from });
      socket.once("error", reject);
      socket.once("close", () => {
        reject(new Error("Cannot take a session process over: the connection was closed"));
      });
      socket.once("connect", () => {
        const client = new TakenSessionClient(socket, () => {
          resolve(client);
        });
      });
    });
  }

  #hear(heard: Heard): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#heard.push(heard);
    else waiting(heard);
  }

  /** The next thing that came back; "gone" for ever once it is. Rejects when nothing comes for half a minute. */
  next(): Promise<Heard> {
    const heard = this.#heard.shift();
    if (heard !== undefined) return Promise.resolve(heard);
    if (this.#isGone) return Promise.resolve({ kind: "gone" });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error("Waited in vain: the broker says nothing"));
      }, patienceMs);
      this.#waiting.push((next) => {
        clearTimeout(timer);
        resolve(next);
      });
    });
  }

  /** The same, or null when nothing comes for so long. */
  nextWithin(ms: number): Promise<Heard | null> {
    const heard = this.#heard.shift();
    if (heard !== undefined) return Promise.resolve(heard);
    if (this.#isGone) return Promise.resolve({ kind: "gone" });
    return new Promise((resolve) => {
      const waiting = (next: Heard): void => {
        clearTimeout(timer);
        resolve(next);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        resolve(null);
      }, ms);
      this.#waiting.push(waiting);
    });
  }

  /** One request as the tables have it. */
  send<K extends RequestName>(
    name: K,
    body: Extract<Request, { name: K }>["body"],
    descriptors = 0,
  ): void {
    this.#id += 1;
    // The body belongs to the name by construction.
    this.raw(encode(requests, name, this.#id, body as never), descriptors);
  }
  /** Any bytes as one message. */
  raw(bytes: Uint8Array, descriptors = 0): void {
    this.#order(orders.send, bytes, descriptors);
  }
  order(name: Exclude<keyof typeof orders, "send">): void {
    this.#order(orders[name], new Uint8Array(), 0);
  }
  #order(kind: number, bytes: Uint8Array, descriptors: number): void {
    if (!this.#isGone) this.#socket.write(encodeFrame({ kind, descriptors, bytes }));
  }
  close(): void {
    this.#socket.destroy();
  }
}
