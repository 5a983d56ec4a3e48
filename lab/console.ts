// The console: a person in the session process's place. Commands in, lines or objects out; no terminal and no file is touched here.
import { composeSignedData } from "../broker/signed-data.ts";
import { authOutcomes, requests } from "../ipc/monitor.ts";
import type { AnyField } from "../ipc/fields.ts";
import type { Seen, Talk } from "./conversation.ts";
import { describeMessage, listMessages, listPermits } from "./console-tables.ts";
import { commandHelp } from "./console-help.ts";
import { bytesOf, fieldsOf, fromJson, kebab, requestName, words } from "./console-words.ts";
import type { Exercise } from "./exercises.ts";
import { encodeLeniently } from "./message-bytes.ts";
import type { Move } from "./player.ts";
import type { Scenario } from "./scenario.ts";

export type Output =
  | Seen
  | { readonly kind: "text"; readonly lines: readonly string[] }
  | { readonly kind: "solved"; readonly number: number };

const failure = authOutcomes.indexOf("failure");
const text = (...lines: readonly string[]): Output[] => [{ kind: "text", lines }];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export class Console {
  readonly #begin: () => Talk | Promise<Talk>;
  readonly #scenario: Scenario;
  readonly #exercise: Exercise | undefined;
  #conversation: Talk;
  #variables = new Map<string, Uint8Array>();
  #log: string[] = [];
  #id = 0;
  #descriptors = 0;
  #hints = 0;
  /** Answers of failure in this conversation. */
  #failures = 0;
  isSolved = false;
  /** Since the last reset: what `save` writes. */
  sent: Move[] = [];

  private constructor(
    begin: () => Talk | Promise<Talk>,
    conversation: Talk,
    scenario: Scenario,
    exercise?: Exercise,
  ) {
    this.#begin = begin;
    this.#conversation = conversation;
    this.#scenario = scenario;
    this.#exercise = exercise;
    this.#forget();
  }

  /** `begin` makes a broker to talk to, at once and after each reset. */
  static async start(
    begin: () => Talk | Promise<Talk>,
    scenario: Scenario,
    exercise?: Exercise,
  ): Promise<Console> {
    return new Console(begin, await begin(), scenario, exercise);
  }

  #forget(): void {
    this.#variables = new Map([
      ["host-key", this.#conversation.hostKey],
      ["session-id", new Uint8Array()],
      ["signature", new Uint8Array()],
      ["user", new Uint8Array()],
      ...this.#scenario.known.map((key): [string, Uint8Array] => [`key.${key.name}`, key.blob]),
      ...this.#scenario.found,
    ]);
    this.#log = [];
    this.sent = [];
    this.#id = 0;
    this.#failures = 0;
    this.#descriptors = 0;
  }
  async #reset(): Promise<Output[]> {
    this.#conversation.close();
    this.#conversation = await this.#begin();
    this.#forget();
    return text("a new broker");
  }
  /** Nothing is sent any more. */
  close(): void {
    this.#conversation.close();
  }

  get prompt(): string {
    return this.#conversation.isOver ? "over" : this.#conversation.phase;
  }
  get variables(): readonly string[] {
    return [...this.#variables.keys()].map((name) => `$${name}`);
  }

  /** One line. Throws RangeError, in one line, for what cannot be understood. */
  async execute(line: string): Promise<Output[]> {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return [];
    const [command = "", ...rest] = words(trimmed);
    switch (command) {
      case "help":
        return text(...commandHelp(rest[0]));
      case "messages":
        return text(...listMessages(this.#conversation));
      case "describe":
        return text(...describeMessage(requestName(rest[0] ?? "")));
      case "permits":
        return text(...listPermits(this.#conversation));
      case "state":
        return text(...this.#state());
      case "keys":
        return text(...this.#keys());
      case "log":
        return text(...this.#log.slice(-this.#count(rest[0], 20)));
      case "send":
        return this.#sendNamed(trimmed.slice(command.length).trim(), rest);
      case "raw":
        return this.#send(bytesOf(rest.join(""), true));
      case "attach-fd":
        this.#descriptors = this.#count(rest[0], 1);
        return text(`${this.#descriptors} descriptors travel with the next message`);
      case "sign-as":
        return this.#signAs(rest);
      case "hold":
        return this.play({ kind: "hold" });
      case "wait":
        return this.play({ kind: "settle" });
      case "reset":
        return this.#reset();
      case "exercise":
        return text(...this.#describeExercise());
      case "hint":
        return text(this.#hint());
      default:
        throw new RangeError(`no command ${JSON.stringify(command)}; see help`);
    }
  }

  #count(typed: string | undefined, otherwise: number): number {
    if (typed === undefined) return otherwise;
    if (!/^\d{1,4}$/.test(typed)) throw new RangeError(`${JSON.stringify(typed)} is not a count`);
    return Number(typed);
  }

  #sendNamed(line: string, typed: readonly string[]): Promise<Output[]> {
    const [name, body] = ((): [ReturnType<typeof requestName>, Record<string, unknown>] => {
      if (line.startsWith("{")) {
        const parsed = fromJson(line, this.#variables);
        return [parsed.name, parsed.body];
      }
      const named = requestName(typed[0] ?? "");
      return [named, fieldsOf(requests[named].fields, typed.slice(1), this.#variables)];
    })();
    if (name === "lookupUser" && body["user"] instanceof Uint8Array)
      this.#variables.set("user", body["user"]);
    return this.#send(encodeLeniently(requests[name], this.#id + 1, body));
  }

  #send(bytes: Uint8Array): Promise<Output[]> {
    const descriptors = this.#descriptors;
    this.#descriptors = 0;
    return this.play({ kind: "send", bytes, descriptors });
  }

  /** One move, as `save` wrote it. */
  async play(move: Move): Promise<Output[]> {
    this.sent.push(move);
    switch (move.kind) {
      case "hold":
        this.#conversation.isHeld = true;
        return text("late answers wait for `wait`");
      case "settle":
        this.#conversation.isHeld = false;
        return this.#show(await this.#conversation.settle());
      case "send":
        this.#id += 1;
        return this.#show(await this.#conversation.send(move.bytes, move.descriptors));
    }
  }

  #show(seen: readonly Seen[]): Output[] {
    const shown: Output[] = [...seen];
    for (const each of seen) {
      if (each.kind === "event") this.#log.push(`${each.event.level} ${each.event.code}: ${each.event.text}`); // prettier-ignore
      if (each.kind === "answer" && each.name === "signed") {
        const hash = each.body["exchangeHash"];
        // The first one, as RFC 4253 section 7.2 has it.
        if (hash instanceof Uint8Array && this.#variables.get("session-id")?.length === 0)
          this.#variables.set("session-id", hash);
      }
      if (each.kind === "answer" && each.body["outcome"] === failure) this.#failures += 1;
      if (each.kind === "login" && this.#exercise?.isSolvedBy(each.identity, this.#failures)) {
        this.isSolved = true;
        shown.push({ kind: "solved", number: this.#exercise.number });
      }
    }
    return shown;
  }

  /** What an honest client of the user who was looked up would sign (RFC 4252 section 7), or with parts of one's own, into $signature. */
  #signAs([name = "", ...typed]: readonly string[]): Output[] {
    const key = this.#scenario.held.find((held) => held.name === name);
    if (key === undefined)
      throw new RangeError(`you do not have the private key ${JSON.stringify(name)}; you have ${this.#scenario.held.map((held) => held.name).join(", ")}`); // prettier-ignore
    const part: AnyField = requests.publickeySign.fields.signature;
    const parts = fieldsOf(
      { user: part, service: part, algorithm: part, sessionId: part, hostKey: part, blob: part },
      typed,
      this.#variables,
    ) as Record<string, Uint8Array | undefined>; // fields of bytes give nothing else
    const algorithm = Buffer.from(parts["algorithm"] ?? "ssh-ed25519").toString();
    const { hostKey: bound } = parts;
    const data = composeSignedData({
      sessionId: parts["sessionId"] ?? this.#variables.get("session-id") ?? new Uint8Array(),
      user: parts["user"] ?? this.#variables.get("user") ?? new Uint8Array(),
      service: parts["service"] ?? Buffer.from("ssh-connection"),
      algorithm,
      blob: parts["blob"] ?? key.blob,
      ...(bound === undefined ? {} : { hostKey: bound }),
    });
    const signature = key.sign(data, algorithm);
    this.#variables.set("signature", signature);
    return text(`$signature = ${signature.length} bytes by ${name}`);
  }

  #keys(): string[] {
    const held = new Set(this.#scenario.held.map(({ name }) => name));
    return [
      ...this.#scenario.known.map(({ name }) => `${name}  ${held.has(name) ? "private key is yours: sign-as" : "public key only"}: $key.${name}`), // prettier-ignore
      ...[...this.#scenario.found].map(([name, value]) => `$${name}  ${value.length} bytes`),
    ];
  }
  #state(): string[] {
    const { phase, isOver, isBusy } = this.#conversation;
    return [
      `phase ${phase}${isOver ? ", over: reset makes a new broker" : ""}${isBusy ? ", an answer is to come: wait" : ""}`, // prettier-ignore
      ...[...this.#variables].map(([name, value]) => `$${name} = ${value.length === 0 ? "(empty)" : hex(value).slice(0, 64)}${value.length > 32 ? "..." : ""}`), // prettier-ignore
    ];
  }
  #describeExercise(): string[] {
    if (this.#exercise === undefined) return ["no exercise: start with --exercise N"];
    const { number, title, story } = this.#exercise;
    return [`Exercise ${number}: ${title}`, ...story];
  }
  #hint(): string {
    const hints = this.#exercise?.hints ?? [];
    const hint = hints[this.#hints];
    if (hint === undefined) return "there is no other hint";
    this.#hints += 1;
    return `${this.#hints} of ${hints.length}: ${hint}`;
  }
}

/** For a person: one line each. */
export function renderSeen(output: Exclude<Output, { kind: "text" }>): string {
  switch (output.kind) {
    case "answer": {
      const fields = Object.entries(output.body).map(([name, value]) => `${kebab(name)}=${show(name, value)}`); // prettier-ignore
      return `${kebab(output.name)} ${fields.join(" ")}`.trim();
    }
    case "signing":
      return output.what === "exchange" ? "an exchange hash" : "a proof of a host key";
    case "event":
      return `${output.event.level} ${output.event.code}: ${JSON.stringify(output.event.text).slice(1, -1)}${output.event.preauth === true ? " [preauth]" : ""}`; // prettier-ignore
    case "login": {
      const { user, uid, hasForcedCommand, forcedCommand, permitPty } = output.identity;
      const command = hasForcedCommand ? `the command ${JSON.stringify(Buffer.from(forcedCommand).toString())}` : "a shell"; // prettier-ignore
      return `${user} (uid ${uid}) gets ${command}${permitPty ? "" : " without a terminal"}`;
    }
    case "end":
      return `the connection ended: ${output.end}`;
    case "refused":
      return `${output.code}: ${output.text}`;
    case "crashed":
      return `the broker died of an error of its own: ${output.text}`;
    case "phase":
      return `${output.from} -> ${output.to}`;
    case "over":
      return "nobody is there any more: reset makes a new broker";
    case "solved":
      return `exercise ${output.number} is solved`;
  }
}
function show(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return value.length === 0 ? '""' : `hex:${hex(value)}`;
  if (name === "outcome") return authOutcomes[Number(value)] ?? String(value);
  return JSON.stringify(value);
}
