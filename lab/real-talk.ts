// A conversation with a real broker, by way of the session process that it confined and verified. What cannot be seen from there (its phase) is
// told from its answers, as an attacker would.
import { setTimeout as pause } from "node:timers/promises";
import { permits, type Phase } from "../broker/permits.ts";
import type { LogLevel } from "../ipc/listener.ts";
import { authOutcomes, requests, type Answer, type RequestName } from "../ipc/monitor.ts";
import { uses, type Seen, type Talk } from "./conversation.ts";
import type { Heard, TakenSessionClient } from "./taken-session-client.ts";

/** A line of EventLog. */
export interface ServerEvent {
  /** Of the process that says so. */
  readonly pid?: number;
  readonly level: LogLevel;
  readonly code: string;
  readonly connection?: number;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly msg: string;
}

/** An answer that is due comes within this, on whatever machine. */
const patienceMs = 10_000;
/** What comes without being asked for, comes within this. */
const quietMs = 50;
const lookEveryMs = 10;
/** Requests that the broker says nothing to. */
const unanswered: readonly (RequestName | undefined)[] = ["confined", "log"];
const leadsFrom: Readonly<Record<string, Phase>> = {
  connection: "handover",
  go: "kex",
  userAccepted: "authenticating",
  authenticated: "postauth",
};

/** Where the broker must be that has given this answer. */
export function phaseAfter(phase: Phase, { name, body }: Answer): Phase {
  if (name === "authResult" && authOutcomes[body.outcome] === "tooMany") return "refused";
  if (name === "signed" && phase === "kex") return "lookup";
  return leadsFrom[name] ?? phase;
}

export class RealTalk implements Talk {
  readonly hostKey: Uint8Array;
  readonly #client: TakenSessionClient;
  readonly #events: () => ServerEvent[];
  readonly #spent = new Map<RequestName, number>();
  #told: number;
  phase: Phase = "handover";
  isHeld = false;
  isOver = false;
  readonly isBusy = false;

  constructor(client: TakenSessionClient, events: () => ServerEvent[], hostKey: Uint8Array) {
    this.#client = client;
    this.#events = events;
    this.#told = events().length;
    this.hostKey = hostKey;
  }

  left(name: RequestName): number {
    return Math.max(0, uses(permits[this.phase][name]) - (this.#spent.get(name) ?? 0));
  }

  send(bytes: Uint8Array, descriptors: number): Seen[] | Promise<Seen[]> {
    if (this.isOver) return [{ kind: "over" }];
    // Object.entries forgets the literal names.
    const sent = Object.entries(requests).find(([, { type }]) => type === bytes[0]) as [RequestName, unknown] | undefined; // prettier-ignore
    if (sent !== undefined) this.#spent.set(sent[0], (this.#spent.get(sent[0]) ?? 0) + 1);
    this.#client.raw(bytes, descriptors);
    return this.#listen(unanswered.includes(sent?.[0]) ? quietMs : patienceMs);
  }

  settle(): Promise<Seen[]> {
    return this.#listen(quietMs);
  }

  /** All that is heard: something within `firstMs`, and then until it is quiet. */
  async #listen(firstMs: number): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (let ms = firstMs; !this.isOver; ms = quietMs) {
      const heard = await this.#client.nextWithin(ms);
      if (heard === null) break;
      seen.push(...this.#see(heard));
    }
    if (this.isOver) await this.#lastEvent();
    const events = this.#events();
    for (const { level, code, msg, connection } of events.slice(this.#told))
      if (connection !== undefined) seen.push({ kind: "event", event: { level, code, text: msg } });
    this.#told = events.length;
    return seen;
  }

  /** The listener writes it when the broker is gone. */
  async #lastEvent(): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      const isOver = this.#events().some(({ code, fields }) => code === "connection.ended" && fields["port"] === this.#client.port); // prettier-ignore
      if (isOver) return;
      await pause(lookEveryMs);
    }
  }

  #see(heard: Heard): Seen[] {
    switch (heard.kind) {
      case "answer": {
        const { name, id, body } = heard.answer;
        return [{ kind: "answer", name, id, body, atMs: 0 }, ...this.#enter(phaseAfter(this.phase, heard.answer))]; // prettier-ignore
      }
      case "send-failed":
        return [{ kind: "refused", code: heard.code, text: "the kernel did not take the message" }];
      case "monitor-closed":
        return [];
      case "gone":
        this.isOver = true;
        return this.#enter("ended");
    }
  }
  #enter(to: Phase): Seen[] {
    if (to === this.phase) return [];
    const from = this.phase;
    this.phase = to;
    this.#spent.clear();
    return [{ kind: "phase", from, to }];
  }

  close(): void {
    this.isOver = true;
    this.#client.close();
  }
}
