// One user's authentication: methods, failures, delays, lines, and the identity that a success leads to.
import type { Config } from "../config/load.ts";
import type { ServerOptions } from "../config/options.ts";
import { authOutcomes, type AuthOutcome, type Request } from "../ipc/monitor.ts";
import { describeKey, type PublicKey } from "../ipc/public-key.ts";
import type { Identity } from "../ipc/worker.ts";
import { matchesPatternList } from "../config/patterns.ts";
import { mergeKeyOptions, type KeyOptions } from "./key-options.ts";
import { failureDelay } from "./failure-delay.ts";
import {
  authorize,
  keyOfAttempt,
  provesPossession,
  refusalOfAttempt,
  type AcceptedKey,
  type KeyAttempt,
} from "./public-key-auth.ts";
import { composeSignedData } from "./signed-data.ts";
import { mayBeRoot, refusalOf } from "./user-policy.ts";
import type { ConnectionFacts } from "./monitor.ts";
import type { UserRecord, World } from "./world.ts";

type BodyOf<K extends Request["name"]> = Extract<Request, { name: K }>["body"];
export interface AuthenticationCallbacks {
  /** An answer will come later: gives what to call when it has been sent. */
  wait(): () => void;
  /** The connection has ended meanwhile: a late answer is for nobody. */
  isOver(): boolean;
  succeeded(): void;
}

/** setTimeout's longest; a longer one would fire at once. */
export const longestTimerMs = 0x7fff_ffff;
// A byte order mark is a part of the name, and no name has one.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** What follows ":" is a style (auth2.c): it belongs to what a client signs, and chooses between methods of BSD's that are not here. */
const withoutStyle = (claimed: Uint8Array): Uint8Array => {
  const colon = claimed.indexOf(0x3a);
  return colon < 0 ? claimed : claimed.subarray(0, colon);
};
/** Null for names that no passwd database can hold; they fail like unknown ones. */
function userName(bytes: Uint8Array): string | null {
  try {
    const name = decoder.decode(bytes);
    return /[\0-\x1f\x7f/]/.test(name) || name === "" ? null : name;
  } catch {
    return null;
  }
}

export class Authentication {
  readonly options: ServerOptions;
  /** For lines and titles: the claimed name, whether it exists or not; the log escapes it. */
  readonly displayName: string;
  readonly #world: World;
  readonly #facts: ConnectionFacts;
  readonly #claimed: BodyOf<"lookupUser">;
  readonly #callbacks: AuthenticationCallbacks;
  readonly #user: UserRecord | null;
  /** Of earlier steps. */
  readonly #usedKeys: Uint8Array[] = [];
  /** What is left of each list of AuthenticationMethods; null: any one method is enough. */
  #remaining: string[][] | null;
  /** Restrictions of the keys of earlier steps: all of them hold. */
  #granted: KeyOptions | undefined;
  #failures = 0;
  #attempts = 0;
  succeeded = false;

  constructor(
    world: World,
    config: Config,
    facts: ConnectionFacts,
    claimed: BodyOf<"lookupUser">,
    callbacks: AuthenticationCallbacks,
  ) {
    this.#world = world;
    this.#facts = facts;
    this.#claimed = claimed;
    this.#callbacks = callbacks;
    const named = withoutStyle(claimed.user);
    const name = userName(named);
    this.displayName = name ?? Buffer.from(named).toString("latin1");
    const found = name === null ? null : world.lookupUser(name);
    this.options = config.resolve({
      user: this.displayName,
      groups: () => found?.groupNames ?? [],
      host: facts.remoteAddress,
      address: facts.remoteAddress,
      localAddress: facts.localAddress,
      localPort: facts.localPort,
      invalidUser: found === null,
    });
    this.#user = this.#admit(found);
    const lists = this.options.authenticationMethods;
    this.#remaining = lists.length === 0 ? null : lists.map((list) => [...list]);
  }

  /** MaxAuthTries is reached: nothing more is decided. */
  get isExhausted(): boolean {
    return !this.succeeded && this.#failures >= this.options.maxAuthTries;
  }
  get isValid(): boolean {
    return this.#user !== null;
  }
  /** How the connection ended, when it ends before success. */
  get failureEnd(): "no-auth" | "invalid-user" | "auth-failed" {
    if (this.#user === null) return "invalid-user";
    return this.#failures > 0 ? "auth-failed" : "no-auth";
  }

  #peer(): string {
    return `${this.#facts.remoteAddress} port ${this.#facts.remotePort}`;
  }
  #fields(more: Record<string, string | number> = {}): Record<string, string | number> {
    const { remoteAddress, remotePort } = this.#facts;
    return { user: this.displayName, remoteAddress, remotePort, ...more };
  }

  #admit(found: UserRecord | null): UserRecord | null {
    const log = (code: string, text: string): null => {
      this.#world.log({ level: "info", code, text, fields: this.#fields() });
      return null;
    };
    if (found === null)
      return log("user.invalid", `Invalid user ${this.displayName} from ${this.#peer()}`);
    const refusal = refusalOf(found, this.#facts.remoteAddress, this.options);
    return refusal === undefined ? found : log("user.not-allowed", refusal);
  }

  none(id: number): void {
    // The first "none" asks which methods there are: free, and answered at once, as in sshd. There was nothing to check whose time could tell.
    if (this.#attempts > 0) this.#fail(id, true);
    else {
      this.#attempts += 1;
      this.#answer(id, "failure");
    }
  }
  unsupported(id: number): void {
    this.#fail(id, true);
  }

  query(id: number, attempt: KeyAttempt): void {
    const began = this.#world.elapsedMs();
    const key = keyOfAttempt(attempt, this.options);
    const accepted = this.#accept(key);
    if (accepted === null) {
      this.#logFailure(key, attempt);
      this.#fail(id, true, began);
      return;
    }
    this.#attempts += 1;
    this.#world.log({
      level: "verbose",
      code: "auth.postponed",
      text: `Postponed publickey for ${this.displayName} from ${this.#peer()} ssh2`,
      preauth: true,
      fields: this.#fields(),
    });
    this.#answer(id, "keyAcceptable");
  }

  signed(
    id: number,
    body: BodyOf<"publickeySign">,
    sessionId: Uint8Array,
    initialHostKey: Uint8Array | undefined,
  ): void {
    const began = this.#world.elapsedMs();
    // A client that was told another host key than ours is in the hands of somebody else: its attempt fails, as with sshd.
    const isBoundElsewhere =
      body.hostBound &&
      (initialHostKey === undefined || !Buffer.from(body.hostKey).equals(initialHostKey));
    const key = keyOfAttempt(body, this.options);
    const accepted = this.#accept(key);
    const data = composeSignedData({
      sessionId,
      user: this.#claimed.user,
      service: this.#claimed.service,
      algorithm: body.algorithm,
      blob: body.blob,
      ...(body.hostBound ? { hostKey: body.hostKey } : {}),
    });
    if (
      accepted === null ||
      isBoundElsewhere ||
      this.#user === null ||
      !provesPossession(accepted, body.algorithm, body.signature, data, this.options)
    ) {
      this.#logFailure(key, body);
      this.#fail(id, true, began);
      return;
    }
    // forced-commands-only asks for the key's own command= (auth_root_allowed); ForceCommand is no part of the key.
    const forced = accepted.options.forcedCommand !== undefined;
    if (!mayBeRoot(this.#user.uid, this.options, forced)) {
      this.#world.log({
        level: "info",
        code: "auth.root-refused",
        text: `ROOT LOGIN REFUSED FROM ${this.#peer()}`,
        fields: this.#fields(),
      });
      this.#logFailure(key, body);
      this.#fail(id, true, began);
      return;
    }
    const options =
      this.#granted === undefined
        ? accepted.options
        : mergeKeyOptions(this.#granted, accepted.options);
    const remaining = this.#remaining
      ?.filter(([next]) => next === "publickey")
      .map((list) => list.slice(1));
    // Keys with different forced commands contradict one another, and publickey may not be what comes next: both fail, as with sshd.
    if (options === undefined || remaining?.length === 0) {
      this.#logFailure(key, body);
      this.#fail(id, true, began);
      return;
    }
    this.#usedKeys.push(body.blob);
    this.#attempts += 1;
    this.#granted = options;
    if (remaining !== undefined && !remaining.some((list) => list.length === 0)) {
      this.#remaining = remaining;
      this.#logMethod("Partial", "info", accepted.key);
      this.#answer(id, "partial");
      return;
    }
    this.#succeed(id, this.#user, { key: accepted.key, options });
  }

  /** The key may be used by this (valid) user now, and was not used up by an earlier step. */
  #accept(key: PublicKey | null): AcceptedKey | null {
    if (key === null || this.#user === null) return null;
    if (this.#usedKeys.some((used) => Buffer.compare(used, key.blob) === 0)) return null;
    return authorize(key, this.#user, this.#facts.remoteAddress, this.options, this.#world);
  }

  #logMethod(
    verb: "Accepted" | "Failed" | "Partial",
    level: "info" | "verbose",
    key: PublicKey,
  ): void {
    const described = describeKey(key);
    this.#world.log({
      level,
      code: `auth.${verb.toLowerCase()}`,
      text: `${verb} publickey for ${this.displayName} from ${this.#peer()} ssh2: ${described}`,
      fields: this.#fields({ method: "publickey", key: described }),
    });
  }
  /** As sshd, which does not look at the key of an invalid user, and has lines of their own for keys that are not even judged. */
  #logFailure(key: PublicKey | null, attempt: KeyAttempt): void {
    if (this.#user === null || !this.options.pubkeyAuthentication) return;
    if (key === null) {
      const refusal = refusalOfAttempt(attempt, this.options);
      this.#world.log({ ...refusal, code: "auth.key-refused", preauth: true, fields: this.#fields() }); // prettier-ignore
      return;
    }
    const loud = this.#failures >= Math.floor(this.options.maxAuthTries / 2);
    this.#logMethod("Failed", loud ? "info" : "verbose", key);
  }

  #methods(): string {
    return this.options.pubkeyAuthentication ? "publickey" : "";
  }
  #answer(id: number, outcome: AuthOutcome): void {
    this.#world.answer("authResult", id, {
      outcome: authOutcomes.indexOf(outcome),
      methods: this.#methods(),
    });
  }

  /** Answers late, so that the time of a failure tells nothing. */
  #fail(id: number, counts: boolean, began = this.#world.elapsedMs()): void {
    this.#attempts += 1;
    if (counts) this.#failures += 1;
    const tooMany = this.#failures >= this.options.maxAuthTries;
    if (tooMany) {
      const invalid = this.#user === null ? "invalid user " : "";
      this.#world.log({
        level: "error",
        code: "auth.too-many",
        text: `maximum authentication attempts exceeded for ${invalid}${this.displayName} from ${this.#peer()} ssh2`,
        preauth: true,
        fields: this.#fields({ failures: this.#failures }),
      });
    }
    const done = this.#callbacks.wait();
    const delay = failureDelay(
      this.#world.elapsedMs() - began,
      this.#claimed.user,
      this.#world.delaySecret,
    );
    this.#world.later(delay, () => {
      if (this.#callbacks.isOver()) return;
      this.#answer(id, tooMany ? "tooMany" : "failure");
      done();
    });
  }

  #succeed(id: number, user: UserRecord, { key, options }: AcceptedKey): void {
    this.succeeded = true;
    this.#callbacks.succeeded();
    this.#logMethod("Accepted", "info", key);
    const identity: Identity = {
      ...this.#facts,
      user: user.name,
      uid: user.uid,
      gid: user.gid,
      home: Buffer.from(user.home),
      shell: Buffer.from(user.shell),
      permitPty: options.permitPty,
      permitUserRc: options.permitUserRc,
      hasForcedCommand: options.forcedCommand !== undefined,
      forcedCommand: options.forcedCommand ?? new Uint8Array(),
      environment: this.#permittedEnvironment(options.environment),
    };
    this.#world.authenticated(id, identity, {
      clientAliveIntervalMs: Math.min(this.options.clientAliveInterval * 1000, longestTimerMs),
      clientAliveCountMax: this.options.clientAliveCountMax,
      maxSessions: this.options.maxSessions,
      rekeyBytes: this.options.rekeyLimit.bytes,
      rekeySeconds: this.options.rekeyLimit.seconds,
      user: user.name,
    });
  }

  /** `environment=` counts only where PermitUserEnvironment has it. */
  #permittedEnvironment(environment: readonly string[]): Uint8Array[] {
    const { permitUserEnvironment: permit } = this.options;
    if (permit === "no") return [];
    const isPermitted = (entry: string): boolean =>
      permit === "yes" || matchesPatternList(entry.slice(0, entry.indexOf("=")), permit.split(","));
    return environment.filter(isPermitted).map((entry) => Buffer.from(entry, "latin1"));
  }
}
