// The world of the lab's broker: a clock that moves when told, users and files of a scenario, a signer with one key. Nothing in it is random.
import { boundedEvent } from "../broker/event-bounds.ts";
import type { KeyFile } from "../broker/key-file.ts";
import type { LogEvent, Signed, UserRecord, World } from "../broker/world.ts";
import type { ConnectionEnd } from "../ipc/listener.ts";
import { signatureRequests } from "../ipc/signer.ts";
import type { Identity } from "../ipc/worker.ts";
import { encodeLeniently } from "./message-bytes.ts";
import type { Work } from "./judged-work.ts";
import { LabKey } from "./lab-key.ts";
import { delaySecret } from "./lab-secrets.ts";
import { createHash } from "./remembering-crypto.ts";
import type { Scenario } from "./scenario.ts";

export const hostKey = new LabKey("host");

/** What the world was told, in order. */
export type Told =
  | { readonly kind: "answer"; readonly name: string; readonly id: number; readonly body: Readonly<Record<string, unknown>>; readonly atMs: number } // prettier-ignore
  /** What the broker has the signer sign. */
  | { readonly kind: "signing"; readonly what: "exchange" | "proof"; readonly body: Readonly<Record<string, unknown>> } // prettier-ignore
  | { readonly kind: "event"; readonly event: LogEvent }
  | { readonly kind: "login"; readonly identity: Identity }
  | { readonly kind: "end"; readonly end: ConnectionEnd };

/** 2026-01-01: the lab's time, for ever. */
const startMs = Date.UTC(2026, 0, 1);

/** What the lab's signer signs in place of an exchange hash or a proof: of the same parts always the same. */
export const labHash = (
  kind: keyof typeof signatureRequests,
  body: Readonly<Record<string, unknown>>,
): Uint8Array =>
  createHash("sha256")
    .update(encodeLeniently(signatureRequests[kind], 0, body))
    .digest();
/** What a broker asks of its world. */
type Asked = Omit<Work, "crypto" | "branches">;
type Counts = { -readonly [K in keyof Asked]: number };
const nothing: Asked = { lookups: 0, files: 0, signatures: 0, timers: 0, answers: 0, lines: 0 };

export class LabWorld implements World {
  readonly delaySecret = delaySecret;
  readonly #scenario: Scenario;
  readonly #bounded: typeof boundedEvent;
  #asked: Counts = { ...nothing };
  readonly #told: Told[] = [];
  readonly #later: { readonly atMs: number; readonly action: () => void }[] = [];
  #elapsedMs = 0;

  /** `bounded` is the broker's own: what stands between an event and the listener. */
  constructor(scenario: Scenario, bounded = boundedEvent) {
    this.#scenario = scenario;
    this.#bounded = bounded;
  }

  /** What was told since the last call. */
  take(): Told[] {
    return this.#told.splice(0);
  }
  /** How often what was asked since the last call. */
  takeAsked(): Asked {
    const asked = this.#asked;
    this.#asked = { ...nothing };
    return asked;
  }
  /** Actions that wait for their time. */
  get pending(): number {
    return this.#later.length;
  }
  /** Lets time pass until nothing is to come any more. */
  settle(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      next.action();
    }
  }
  #next(): { readonly atMs: number; readonly action: () => void } | undefined {
    if (this.#later.length < 2) return this.#later.pop();
    return this.#later.sort((one, other) => one.atMs - other.atMs).shift();
  }

  nowMs(): number {
    return startMs + this.#elapsedMs;
  }
  elapsedMs(): number {
    return this.#elapsedMs;
  }
  later(ms: number, action: () => void): void {
    this.#asked.timers += 1;
    this.#later.push({ atMs: this.#elapsedMs + ms, action });
  }
  lookupUser(name: string): UserRecord | null {
    this.#asked.lookups += 1;
    return this.#scenario.users.find((user) => user.name === name) ?? null;
  }
  readKeyFile(path: string): KeyFile {
    this.#asked.files += 1;
    const text = this.#scenario.files.get(path);
    return text === undefined ? { absent: true } : { text };
  }
  readBanner(): Uint8Array {
    return new Uint8Array();
  }
  readonly sign: World["sign"] = (kind, body, done) => {
    this.#asked.signatures += 1;
    this.#told.push({ kind: "signing", what: kind, body });
    const hash = labHash(kind, body);
    const exchangeHash = kind === "exchange" ? hash : new Uint8Array();
    // Made when somebody looks at it: few do.
    const signed: Signed = {
      exchangeHash,
      get signature() {
        return hostKey.sign(hash);
      },
    };
    this.#later.push({ atMs: this.#elapsedMs, action: () => { done(signed); } }); // prettier-ignore
  };
  log(event: LogEvent): void {
    this.#asked.lines += 1;
    this.#told.push({ kind: "event", event: this.#bounded(event) });
  }
  readonly answer: World["answer"] = (name, id, body) => {
    this.#asked.answers += 1;
    this.#told.push({ kind: "answer", name, id, body, atMs: this.#elapsedMs });
  };
  readonly authenticated: World["authenticated"] = (id, identity, body) => {
    this.#asked.answers += 1;
    this.#told.push({ kind: "login", identity });
    this.#told.push({ kind: "answer", name: "authenticated", id, body, atMs: this.#elapsedMs });
  };
  end(end: ConnectionEnd): void {
    this.#told.push({ kind: "end", end });
  }
}
