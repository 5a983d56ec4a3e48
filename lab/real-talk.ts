// A conversation with a real broker, by way of the session process that it confined and verified. What cannot be seen from there (its phase) is
// told from its answers, as an attacker would.
import { permits, type Phase } from "../broker/permits.ts";
import type { LogLevel } from "../ipc/listener.ts";
import { authOutcomes, requests, type RequestName } from "../ipc/monitor.ts";
import { uses, type Seen, type Talk } from "./conversation.ts";
import type { Heard, TakenSessionClient } from "./taken-session-client.ts";

/** A line of EventLog. */
export interface ServerEvent {
  readonly level: LogLevel;
  readonly code: string;
  readonly connection?: number;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly msg: string;
}

/** After so long without a word nothing more is to come: beyond a failure's delay, and what the listener takes to write a line. */
const quietMs = 150;
const leadsFrom: Readonly<Record<string, Phase>> = {
  connection: "handover",
  go: "kex",
  userAccepted: "authenticating",
  authenticated: "postauth",
};

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
    return this.settle();
  }

  /** All that is heard until it is quiet. */
  async settle(): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (;;) {
      const heard = await this.#client.nextWithin(quietMs);
      if (heard === null) break;
      seen.push(...this.#see(heard));
      if (heard.kind === "gone") break;
    }
    const events = this.#events();
    for (const { level, code, msg, connection } of events.slice(this.#told))
      if (connection !== undefined) seen.push({ kind: "event", event: { level, code, text: msg } });
    this.#told = events.length;
    return seen;
  }

  #see(heard: Heard): Seen[] {
    switch (heard.kind) {
      case "answer": {
        const { name, id, body } = heard.answer;
        const isTooMany = name === "authResult" && authOutcomes[body.outcome] === "tooMany";
        const isFirstHash = name === "signed" && this.phase === "kex";
        const to = isTooMany ? "refused" : isFirstHash ? "lookup" : leadsFrom[name];
        return [{ kind: "answer", name, id, body, atMs: 0 }, ...this.#enter(to)];
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
  #enter(to: Phase | undefined): Seen[] {
    if (to === undefined || to === this.phase) return [];
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
