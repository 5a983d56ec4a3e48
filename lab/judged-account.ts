// What the judge knows of one user's attempts: which succeed, which fail, how many are left. Made anew from the specifications, not from the
// broker's code: a bug that both have would be found by neither.
import type { UserRecord } from "../broker/world.ts";
import { FieldWriter } from "../ipc/fields.ts";
import type { Request } from "../ipc/monitor.ts";
import type { Grant, JudgedScenario } from "./judged-scenarios.ts";
import { hostKey } from "./lab-world.ts";
import { createPublicKey, verify } from "./remembering-crypto.ts";

export interface Verdict {
  readonly outcome: "failure" | "partial" | "keyAcceptable" | "tooMany" | "login";
  /** A failure whose time must tell nothing. */
  readonly isLate: boolean;
  readonly forcedCommand?: string | undefined;
  readonly permitPty?: boolean;
}
type Attempt = Extract<
  Request,
  { name: "authNone" | "authUnsupported" | "publickeyQuery" | "publickeySign" }
>;
type Signed = Extract<Request, { name: "publickeySign" }>["body"];

const algorithm = "ssh-ed25519";
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");
const string = (value: Uint8Array | string): Buffer => {
  const writer = new FieldWriter();
  writer.bytes(Buffer.from(value));
  return Buffer.from(writer.finish());
};

/** RFC 4252 section 7 and OpenSSH's PROTOCOL section 3.1, over the first exchange hash. */
function isGenuine(body: Signed, user: Uint8Array, sessionId: Uint8Array): boolean {
  const method = body.hostBound ? "publickey-hostbound-v00@openssh.com" : "publickey";
  const data = Buffer.concat([
    string(sessionId),
    Uint8Array.of(50),
    string(user),
    string("ssh-connection"),
    string(method),
    Uint8Array.of(1),
    string(algorithm),
    string(body.blob),
    ...(body.hostBound ? [string(body.hostKey)] : []),
  ]);
  const head = Buffer.concat([string(algorithm), Buffer.from([0, 0, 0, 64])]);
  const signature = Buffer.from(body.signature);
  if (signature.length !== head.length + 64 || !signature.subarray(0, head.length).equals(head))
    return false;
  const der = Buffer.concat([spkiPrefix, body.blob.subarray(-32)]);
  const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
  return verify(null, data, publicKey, signature.subarray(head.length));
}

export class Account {
  readonly #scenario: JudgedScenario;
  readonly #claimed: Uint8Array;
  readonly user: UserRecord | undefined;
  readonly #used: Grant[] = [];
  #attempts = 0;
  #failures = 0;

  constructor(scenario: JudgedScenario, claimed: Uint8Array) {
    this.#scenario = scenario;
    this.#claimed = claimed;
    // What follows ":" is a style (auth2.c): signed over, but no part of the name.
    const [name] = Buffer.from(claimed).toString("latin1").split(":");
    this.user = scenario.users.find((user) => user.name === name && user.unusable === undefined);
  }

  get isExhausted(): boolean {
    return this.#failures >= this.#scenario.maxAuthTries;
  }

  decide(attempt: Attempt, sessionId: Uint8Array): Verdict {
    switch (attempt.name) {
      case "authNone":
        if (this.#attempts === 0) {
          this.#attempts = 1;
          return { outcome: "failure", isLate: false };
        }
        return this.#failed();
      case "authUnsupported":
        return this.#failed();
      case "publickeyQuery":
        if (this.#grant(attempt.body) === undefined) return this.#failed();
        this.#attempts += 1;
        return { outcome: "keyAcceptable", isLate: false };
      case "publickeySign":
        return this.#signed(attempt.body, sessionId);
    }
  }

  #failed(): Verdict {
    this.#attempts += 1;
    this.#failures += 1;
    return { outcome: this.isExhausted ? "tooMany" : "failure", isLate: true };
  }

  /** The line of this user's file that this key may be used by, now, for the next step. */
  #grant(attempt: { readonly algorithm: string; readonly blob: Uint8Array }): Grant | undefined {
    const { grants, algorithms } = this.#scenario;
    if (attempt.algorithm !== algorithm || !algorithms.includes(algorithm)) return undefined;
    if (this.user === undefined) return undefined;
    const found = grants.get(this.user.name)?.find(({ key }) => Buffer.from(key.blob).equals(attempt.blob)); // prettier-ignore
    return found?.isUsable === true && !this.#used.includes(found) ? found : undefined;
  }

  #signed(body: Signed, sessionId: Uint8Array): Verdict {
    const grant = this.#grant(body);
    const isBoundElsewhere = body.hostBound && !Buffer.from(hostKey.blob).equals(body.hostKey);
    if (grant === undefined || isBoundElsewhere || !isGenuine(body, this.#claimed, sessionId))
      return this.#failed();
    if (this.user?.uid === 0 && !this.#scenario.permitsRoot) return this.#failed();
    const commands = [...this.#used, grant].flatMap((each) => each.forcedCommand ?? []);
    if (new Set(commands).size > 1) return this.#failed();
    this.#used.push(grant);
    this.#attempts += 1;
    if (this.#used.length < this.#scenario.steps) return { outcome: "partial", isLate: false };
    return {
      outcome: "login",
      isLate: false,
      forcedCommand: commands[0],
      permitPty: this.#used.every((each) => each.permitPty),
    };
  }
}
