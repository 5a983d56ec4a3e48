// The server's EventLog, read on as it grows, by connection.
import { setTimeout as pause } from "node:timers/promises";
import { FileTail, parseEvent } from "../../lab/event-tail.ts";
import type { ServerEvent } from "../../lab/real-talk.ts";

const lookEveryMs = 5;

export class EventLog {
  readonly #tail: FileTail;
  readonly #ofConnection = new Map<number, ServerEvent[]>();
  /** Numbers of the connections of a port, in order: a port may serve again. */
  readonly #ofPort = new Map<number, number[]>();
  /** Of no connection, since they were taken last. */
  #others: ServerEvent[] = [];

  /** From its end on. Throws what open(2) says. */
  constructor(file: string) {
    this.#tail = new FileTail(file);
    this.#tail.take();
  }
  close(): void {
    this.#tail.close();
  }

  read(): void {
    for (const line of this.#tail.take()) this.#take(parseEvent(line));
  }
  #take(event: ServerEvent): void {
    const { connection, code, fields } = event;
    if (connection === undefined) {
      this.#others.push(event);
      return;
    }
    const known = this.#ofConnection.get(connection);
    if (known !== undefined) known.push(event);
    else this.#ofConnection.set(connection, [event]);
    const port = Number(code === "connection.accepted" ? fields["remotePort"] : code === "connection.ended" ? fields["port"] : 0); // prettier-ignore
    const numbers = this.#ofPort.get(port) ?? [];
    if (port > 0 && !numbers.includes(connection)) this.#ofPort.set(port, [...numbers, connection]);
  }

  /** When nobody is connected: what was said of no connection. Connections that nobody has taken are forgotten, since their ports serve again. */
  takeOthers(): readonly ServerEvent[] {
    const taken = this.#others;
    this.#others = [];
    this.#ofConnection.clear();
    this.#ofPort.clear();
    return taken;
  }
  /** Of the oldest connection from that port that was not taken yet. */
  of(port: number): readonly ServerEvent[] {
    return this.#ofConnection.get(this.#ofPort.get(port)?.[0] ?? -1) ?? [];
  }
  /** All of its events, once it has ended; undefined: it has not within `mostMs`. */
  async takeEnded(port: number, mostMs: number): Promise<readonly ServerEvent[] | undefined> {
    const deadline = performance.now() + mostMs;
    for (;;) {
      this.read();
      const found = this.of(port);
      if (found.some(({ code }) => code === "connection.ended")) {
        const [number = -1] = this.#ofPort.get(port)?.splice(0, 1) ?? [];
        this.#ofConnection.delete(number);
        return found;
      }
      if (performance.now() > deadline) return undefined;
      await pause(lookEveryMs);
    }
  }
}
