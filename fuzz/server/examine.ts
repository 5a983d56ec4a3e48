// A server under examination: one sequence after the other, each judged, and now and then the whole of the server.
import { FileTail } from "../../lab/event-tail.ts";
import type { Finding } from "../../lab/judge.ts";
import type { ServerEvent } from "../../lab/real-talk.ts";
import { Secrets } from "../session/secrets.ts";
import { digestOf } from "./credential.ts";
import type { EventLog } from "./event-log.ts";
import { honestLogin } from "./honest-login.ts";
import { judgeEvent, judgeEvents, judgePlayed } from "./judge.ts";
import { mostCloseMs, perform, type Played, type Target } from "./perform.ts";
import type { ClientSequence } from "./sequence.ts";
import type { Watch } from "./watch.ts";

/** What can be seen of it; null: not from here. */
export interface Examined {
  readonly target: Target;
  readonly events: EventLog | null;
  readonly watch: Watch | null;
  /** Text in which no secret may stand. */
  readonly logFiles: readonly string[];
  /** Private keys of the server's, by name. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly isRunning: () => boolean;
}
export interface Examination {
  readonly played: Played | null;
  readonly events: readonly ServerEvent[];
  readonly finding: Finding | null;
}

export class Examiner {
  readonly #examined: Examined;
  readonly #secrets: Secrets;
  readonly #logs: readonly FileTail[];
  readonly #passwords = new Set<string>();
  logins = 0;

  constructor(examined: Examined) {
    this.#examined = examined;
    this.#secrets = new Secrets(examined.secrets);
    this.#logs = examined.logFiles.map((file) => new FileTail(file));
  }
  get growthKiB(): number {
    return this.#examined.watch?.mostGrowthKiB ?? 0;
  }

  async examine(sequence: ClientSequence): Promise<Examination> {
    const { target, events, watch, isRunning } = this.#examined;
    let growth: Finding | null = null;
    const lastStep = (port: number): void => {
      events?.read();
      const broker = events?.of(port).find(({ code }) => code === "connection.accepted")?.pid;
      if (broker !== undefined) growth = watch?.growth(broker) ?? null;
    };
    let played: Played;
    try {
      played = await perform(target, sequence, { lastStep });
    } catch (error) {
      const { code = "", syscall } = error as NodeJS.ErrnoException; // of the system, or our own
      if (syscall !== "connect") throw error;
      return { played: null, events: [], finding: { oracle: "crash", text: `cannot connect: ${code}${isRunning() ? "" : "; the listener has ended"}` } }; // prettier-ignore
    }
    if (played.password !== null) this.#passwords.add(played.password);
    let finding = judgePlayed(played) ?? growth;
    if (events === null) return { played, events: [], finding };
    const told = await events.takeEnded(played.port, mostCloseMs);
    finding ??= judgeEvents(told, played);
    return { played, events: told ?? [], finding };
  }

  /** Nobody is connected: nothing is left, nobody was alarmed, no secret is out, and an honest client is served. */
  async check(): Promise<Finding | null> {
    const { target, events, watch } = this.#examined;
    const finding = (await honestLogin(target)) ?? (await watch?.quiet()) ?? null;
    this.logins += 1;
    events?.read();
    for (const event of events?.takeOthers() ?? []) {
      const found = judgeEvent(event);
      if (found !== null) return found;
    }
    return finding ?? this.#leak();
  }

  #leak(): Finding | null {
    for (const log of this.#logs) {
      const text = log.take().join("\n");
      for (const [found] of text.matchAll(/pw[0-9a-f]{24}/g))
        if (this.#passwords.has(found)) return { oracle: "secret", text: `a password stands in the log (sha256 ${digestOf(found)})` }; // prettier-ignore
      const name = this.#secrets.in(text);
      if (name !== undefined) return { oracle: "secret", text: `${name} stands in the log` };
    }
    this.#passwords.clear();
    return null;
  }
  close(): void {
    for (const log of this.#logs) log.close();
  }
}
