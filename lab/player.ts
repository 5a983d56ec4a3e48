// A player who goes on where an honest session process would, and every so often does something else. The same seed plays the same game.
import { composeSignedData } from "../broker/signed-data.ts";
import type { Phase } from "../broker/permits.ts";
import { requests, type RequestName } from "../ipc/monitor.ts";
import type { AnyField } from "../ipc/fields.ts";
import { maxLogTextBytes } from "../ipc/limits.ts";
import { requestNames } from "./console-words.ts";
import type { JudgedScenario } from "./judged-scenarios.ts";
import { hostKey } from "./lab-world.ts";
import type { LabKey } from "./lab-key.ts";
import { sharedSecret } from "./lab-secrets.ts";
import { encodeLeniently } from "./message-bytes.ts";

/** Numbers of a seed (mulberry32): fast, and good enough to choose with. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** 0 up to, not with, `sides`. */
  roll(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  }
  percent(chance: number): boolean {
    return this.roll(100) < chance;
  }
  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const choice = choices[this.roll(choices.length)];
    if (choice === undefined) throw new TypeError("Cannot pick: no choices");
    return choice;
  }
}

export type Move =
  | { readonly kind: "send"; readonly bytes: Uint8Array; readonly descriptors: number }
  /** Answers wait from now on. */
  | { readonly kind: "hold" }
  /** Time passes. */
  | { readonly kind: "settle" };
type Body = Readonly<Record<string, unknown>>;
/** A message: its request, its fields, and in a few words what the fields are, by which the same bytes are found again. */
type Said = readonly [name: RequestName, what: string, body: () => Body];

const text = (value: string): Uint8Array => Buffer.from(value);
const kexInit = Uint8Array.of(20);
/** A line of the greatest length that a message holds. */
const longLine = "x".repeat(maxLogTextBytes);
const exchange: Body = {
  kex: "curve25519-sha256",
  hostKeyAlgorithm: "ssh-ed25519",
  clientVersion: "SSH-2.0-lab",
  serverVersion: "SSH-2.0-sallyport",
  clientKexInit: kexInit,
  serverKexInit: kexInit,
  sharedSecret,
};
const maxKept = 20_000;
/** Messages that were made before, of all players: who speaks the same again sends the very same bytes. */
const made = new Map<string, Uint8Array>();
const words = ["", "ssh-ed25519", "ssh-userauth", "rsa-sha2-512", "x", "root", "Starting session: x", "auth.accepted"]; // prettier-ignore

const plain = (name: "confined" | "adopted" | "authNone"): Said => [name, "", () => ({})];

export class Player {
  readonly #dice: Dice;
  readonly #scenario: JudgedScenario;
  sessionId: Uint8Array = new Uint8Array();
  #user = "alice";
  /** How often, in a hundred, it does what nobody should: most such moves end the game, so most games have few. */
  readonly #wildness: number;
  #last: Move | undefined;
  #repeats = 0;

  constructor(scenario: JudgedScenario, dice: Dice) {
    this.#scenario = scenario;
    this.#dice = dice;
    this.#wildness = dice.pick([1, 3, 8, 25]);
  }

  /** In the middle of saying one thing again and again. */
  get isStubborn(): boolean {
    return this.#repeats > 0;
  }

  next(phase: Phase): Move {
    if (this.#repeats > 0 && this.#last !== undefined) {
      this.#repeats -= 1;
      return this.#last;
    }
    const move = this.#choose(phase);
    if (move.kind === "send") this.#last = move;
    return move;
  }

  #choose(phase: Phase): Move {
    if (!this.#dice.percent(this.#wildness))
      return this.#dice.percent(3) ? { kind: "settle" } : this.#send(this.#honest(phase));
    const roll = this.#dice.roll(100);
    if (roll < 35) return this.#send(this.#honest(this.#anyPhase()));
    if (roll < 55 && this.#last !== undefined) {
      // More often than any bound before authentication.
      this.#repeats = this.#dice.percent(10) ? 130 : 0;
      return this.#repeats > 0 && this.#dice.percent(50) ? this.#send(this.#line()) : this.#last;
    }
    if (roll < 75) return this.#spoilt(phase);
    if (roll < 90) return { kind: "hold" };
    const name = this.#dice.pick(requestNames);
    const body = this.#anyBody(name);
    return { kind: "send", bytes: encodeLeniently(requests[name], this.#dice.roll(8), body), descriptors: 0 }; // prettier-ignore
  }

  #anyPhase(): Phase {
    return this.#dice.pick<Phase>(["handover", "kex", "lookup", "authenticating", "authenticating", "postauth"]); // prettier-ignore
  }

  #honest(phase: Phase): Said {
    switch (phase) {
      case "confining":
        return plain("confined");
      case "handover":
        return plain("adopted");
      case "kex":
        return this.#dice.percent(10) ? this.#line() : this.#exchange();
      case "lookup":
        this.#user = this.#dice.pick([
          "alice",
          "alice",
          "alice",
          "root",
          "locked",
          "nobody",
          "alice:style",
        ]);
        return this.#lookup(this.#user, this.#dice.percent(92) ? "ssh-connection" : "ssh-userauth");
      case "authenticating":
      case "refused":
        return this.#attempt();
      case "postauth":
      case "ended":
        return this.#afterwards();
    }
  }
  #afterwards(): Said {
    switch (this.#dice.roll(7)) {
      case 0:
        return this.#exchange();
      case 1:
      case 2:
        return this.#proof(hostKey);
      case 3:
        return this.#proof(this.#key());
      case 4:
        return this.#line();
      case 5:
        return this.#attempt();
      default:
        return this.#end();
    }
  }
  #end(): Said {
    const code = this.#dice.pick([0, 11, 0xffff, 0xffff_ffff]);
    return ["ended", String(code), () => ({ reason: 0, code })];
  }
  #lookup(user: string, service: string): Said {
    return ["lookupUser", `${user} ${service}`, () => ({ user, service })];
  }
  #proof({ name, blob }: LabKey): Said {
    return ["proveHostKey", name, () => ({ blob, algorithm: "ssh-ed25519" })];
  }
  #exchange(): Said {
    const last = this.#dice.roll(8);
    return ["sign", String(last), () => ({ ...exchange, clientKexInit: Uint8Array.of(20, last) })];
  }
  #line(): Said {
    const about = `user ${this.#dice.pick(["alice", "root"])} from 192.0.2.66 port 50000`;
    const text = this.#dice.pick([...words, longLine, `Close session: ${about} id 0`, `Accepted publickey for ${about}`]); // prettier-ignore
    const level = this.#dice.roll(6);
    return ["log", `${level} ${text}`, () => ({ level, code: "auth.accepted", text })];
  }

  #key(): LabKey {
    const own = this.#scenario.grants.get(this.#user.replace(/:.*/, ""));
    return own !== undefined && this.#dice.percent(75) ? this.#dice.pick(own).key : this.#dice.pick(this.#scenario.known); // prettier-ignore
  }

  /** An attempt of some key, honest or with one lie. */
  #attempt(): Said {
    const roll = this.#dice.roll(20);
    if (roll === 0) return plain("authNone");
    if (roll <= 2) {
      const method = this.#dice.pick(["password", "keyboard-interactive", "pam,pam,pam,pam"]);
      return ["authUnsupported", method, () => ({ method })];
    }
    if (roll === 3) return this.#end();
    const key = this.#key();
    const algorithm = this.#dice.percent(8) ? "rsa-sha2-512" : "ssh-ed25519";
    if (roll <= 8)
      return ["publickeyQuery", `${algorithm} ${key.name}`, () => ({ algorithm, blob: key.blob })];
    const signer = this.#dice.percent(10) ? this.#key() : key;
    const lie = this.#dice.roll(16);
    const hostBound = lie === 0 || lie === 1;
    const bound = lie === 0 ? this.#key() : hostKey;
    const sessionId = lie === 2 ? this.#dice.pick([new Uint8Array(), new Uint8Array(32)]) : this.sessionId; // prettier-ignore
    const user = lie === 3 ? "root" : this.#user;
    const what = `${algorithm} ${key.name} ${signer.name} ${lie} ${bound.name} ${user} ${Buffer.from(sessionId).toString("latin1")}`; // prettier-ignore
    const body = (): Body => {
      const data = composeSignedData({
        sessionId,
        user: text(user),
        service: text(lie === 4 ? "ssh-userauth" : "ssh-connection"),
        algorithm,
        blob: key.blob,
        ...(hostBound ? { hostKey: bound.blob } : {}),
      });
      const signature = lie === 5 ? new Uint8Array() : signer.sign(data, algorithm);
      return { algorithm, blob: key.blob, signature, hostBound, hostKey: hostBound ? bound.blob : "" }; // prettier-ignore
    };
    return ["publickeySign", what, body];
  }

  #send([name, what, body]: Said): Move {
    const id = this.#dice.roll(8);
    const all = `${name} ${id} ${what}`;
    let bytes = made.get(all);
    if (bytes === undefined) {
      bytes = encodeLeniently(requests[name], id, body());
      if (made.size >= maxKept) made.clear();
      made.set(all, bytes);
    }
    return { kind: "send", bytes, descriptors: 0 };
  }
  /** An honest message, with its bytes or its descriptors spoilt. */
  #spoilt(phase: Phase): Move {
    const move = this.#send(this.#honest(phase));
    if (move.kind !== "send") return move;
    if (this.#dice.percent(50)) return { ...move, descriptors: 1 + this.#dice.roll(2) };
    const bytes = Uint8Array.from(move.bytes);
    const at = this.#dice.roll(bytes.length);
    if (this.#dice.percent(50)) bytes[at] = this.#dice.roll(256);
    return { ...move, bytes: this.#dice.percent(30) ? bytes.subarray(0, at) : bytes };
  }
  #anyBody(name: RequestName): Body {
    const fields: Readonly<Record<string, AnyField>> = requests[name].fields;
    return Object.fromEntries(Object.entries(fields).map(([field, kind]) => [field, this.#anyValue(kind)])); // prettier-ignore
  }
  #anyValue(field: AnyField): unknown {
    switch (field.kind) {
      case "bool":
        return this.#dice.roll(3);
      case "u8":
      case "u32":
      case "u64":
        return this.#dice.pick([0, 1, field.max, 255]) & 0xff;
      case "bytes":
      case "text":
        return this.#dice.percent(20) ? this.#key().blob : this.#dice.pick(words);
      case "list":
        return Array.from({ length: this.#dice.roll(3) }, () => this.#dice.pick(words));
    }
  }
}
