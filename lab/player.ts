// A player who goes on where an honest session process would, and every so often does something else. The same seed plays the same game.
import { composeSignedData } from "../broker/signed-data.ts";
import type { Phase } from "../broker/permits.ts";
import { requests, type RequestName } from "../ipc/monitor.ts";
import type { AnyField } from "../ipc/fields.ts";
import { requestNames } from "./console-words.ts";
import type { JudgedScenario } from "./judged-scenarios.ts";
import { hostKey } from "./lab-world.ts";
import type { LabKey } from "./lab-key.ts";
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

const text = (value: string): Uint8Array => Buffer.from(value);
const kexInit = Uint8Array.of(20);
const exchange: Body = {
  kex: "curve25519-sha256",
  hostKeyAlgorithm: "ssh-ed25519",
  clientVersion: "SSH-2.0-lab",
  serverVersion: "SSH-2.0-sallyport",
  clientKexInit: kexInit,
  serverKexInit: kexInit,
  sharedSecret: kexInit,
};
const words = ["", "ssh-ed25519", "ssh-userauth", "rsa-sha2-512", "x", "root", "Starting session: x", "auth.accepted"]; // prettier-ignore

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
      return this.#dice.percent(3) ? { kind: "settle" } : this.#send(...this.#honest(phase));
    const roll = this.#dice.roll(100);
    if (roll < 35) return this.#send(...this.#honest(this.#anyPhase()));
    if (roll < 55 && this.#last !== undefined) {
      // More often than any bound before authentication.
      this.#repeats = this.#dice.percent(10) ? 130 : 0;
      return this.#repeats > 0 && this.#dice.percent(50) ? this.#send(...this.#line()) : this.#last;
    }
    if (roll < 75) return this.#spoilt(phase);
    if (roll < 90) return { kind: "hold" };
    const name = this.#dice.pick(requestNames);
    return this.#send(name, this.#anyBody(name));
  }

  #anyPhase(): Phase {
    return this.#dice.pick<Phase>(["handover", "kex", "lookup", "authenticating", "authenticating", "postauth"]); // prettier-ignore
  }

  #honest(phase: Phase): [RequestName, Body] {
    switch (phase) {
      case "confining":
        return ["confined", {}];
      case "handover":
        return ["adopted", {}];
      case "kex":
        return this.#dice.percent(10) ? this.#line() : this.#exchange();
      case "lookup":
        this.#user = this.#dice.pick(["alice", "alice", "alice", "root", "locked", "nobody", "alice:style"]);
        return ["lookupUser", { user: this.#user, service: this.#dice.percent(92) ? "ssh-connection" : "ssh-userauth" }]; // prettier-ignore
      case "authenticating":
      case "refused":
        return this.#attempt();
      case "postauth":
      case "ended":
        return this.#dice.pick<[RequestName, Body]>([
          this.#exchange(),
          ["proveHostKey", { blob: hostKey.blob, algorithm: "ssh-ed25519" }],
          ["proveHostKey", { blob: hostKey.blob, algorithm: "ssh-ed25519" }],
          ["proveHostKey", { blob: this.#key().blob, algorithm: "ssh-ed25519" }],
          this.#line(),
          this.#attempt(),
          ["ended", { reason: 0 }],
        ]);
    }
  }
  #exchange(): [RequestName, Body] {
    return ["sign", { ...exchange, clientKexInit: Uint8Array.of(20, this.#dice.roll(256)) }];
  }
  #line(): [RequestName, Body] {
    const about = `user ${this.#dice.pick(["alice", "root"])} from 192.0.2.66 port 50000`;
    const text = this.#dice.pick([...words, `Close session: ${about} id 0`, `Accepted publickey for ${about}`]); // prettier-ignore
    return ["log", { level: this.#dice.roll(6), code: "auth.accepted", text }];
  }

  #key(): LabKey {
    const own = this.#scenario.grants.get(this.#user.replace(/:.*/, ""));
    return own !== undefined && this.#dice.percent(75) ? this.#dice.pick(own).key : this.#dice.pick(this.#scenario.known); // prettier-ignore
  }

  /** An attempt of some key, honest or with one lie. */
  #attempt(): [RequestName, Body] {
    const roll = this.#dice.roll(20);
    if (roll === 0) return ["authNone", {}];
    if (roll <= 2) return ["authUnsupported", { method: "password" }];
    if (roll === 3) return ["ended", { reason: 0 }];
    const key = this.#key();
    const algorithm = this.#dice.percent(8) ? "rsa-sha2-512" : "ssh-ed25519";
    if (roll <= 8) return ["publickeyQuery", { algorithm, blob: key.blob }];
    const signer = this.#dice.percent(10) ? this.#key() : key;
    const lie = this.#dice.roll(16);
    const hostBound = lie === 0 || lie === 1;
    const bound = lie === 0 ? this.#key().blob : hostKey.blob;
    const data = composeSignedData({
      sessionId: lie === 2 ? this.#dice.pick([new Uint8Array(), new Uint8Array(32)]) : this.sessionId, // prettier-ignore
      user: text(lie === 3 ? "root" : this.#user),
      service: text(lie === 4 ? "ssh-userauth" : "ssh-connection"),
      algorithm,
      blob: key.blob,
      ...(hostBound ? { hostKey: bound } : {}),
    });
    const signature = lie === 5 ? new Uint8Array() : signer.sign(data, algorithm);
    const body = { algorithm, blob: key.blob, signature, hostBound, hostKey: hostBound ? bound : "" }; // prettier-ignore
    return ["publickeySign", body];
  }

  #send(name: RequestName, body: Body): Move {
    const bytes = encodeLeniently(requests[name], this.#dice.roll(1000), body);
    return { kind: "send", bytes, descriptors: 0 };
  }
  /** An honest message, with its bytes or its descriptors spoilt. */
  #spoilt(phase: Phase): Move {
    const move = this.#send(...this.#honest(phase));
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
