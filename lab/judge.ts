// The oracles: a second, independent opinion of what a broker may do, made from what the scenario says and from what was sent. It watches a
// conversation step by step and names what the broker did that it must not.
import { permits, type Phase } from "../broker/permits.ts";
import { authOutcomes, requests, type Request, type RequestName } from "../ipc/monitor.ts";
import { Account, type Verdict } from "./judged-account.ts";
import { readRequest } from "./judged-request.ts";
import { Secrets } from "./judged-secrets.ts";
import { excessOf, mostKeptBytes, mostPending, type Work } from "./judged-work.ts";
import type { JudgedScenario } from "./judged-scenarios.ts";
import { hostKey } from "./lab-world.ts";
import { uses, type Seen } from "./conversation.ts";

/** What was sent and what came of it. */
export interface Step {
  /** Null: time passed. */
  readonly bytes: Uint8Array | null;
  readonly descriptors: number;
  /** Before it. */
  readonly isBusy: boolean;
  readonly hasConnection: boolean;
  readonly atMs: number;
  /** After it. */
  readonly phase: Phase;
  readonly isBusyAfter: boolean;
  readonly seen: readonly Seen[];
  /** Who got a login, where it is seen from outside: its restrictions are not. */
  readonly loggedIn?: string;
  /** What the broker did for it, and has still to do; absent: a broker seen from outside. */
  readonly work?: Work;
  readonly pending?: number;
}
/** A broken rule; the name of the oracle and what was seen. */
export interface Finding {
  readonly oracle: string;
  readonly text: string;
}

const same = (one: unknown, other: Uint8Array): boolean =>
  one instanceof Uint8Array && Buffer.compare(one, other) === 0;
const isSame = (one: unknown, other: string | Uint8Array): boolean =>
  typeof other === "string" ? one === other : same(one, other);
// Object.keys forgets the literal names.
const signedParts = Object.keys(requests.sign.fields) as (keyof typeof requests.sign.fields)[];
/** What a log line, its parts and the reason of a refusal may be long, in UTF-16 units, dots behind what is cut with them. */
const [maxLine, maxCode, maxField, maxRefusal] = [2003, 63, 503, 1024];
/** OpenSSH's least time of a failure. */
const leastFailureMs = 5;

class Broken extends Error {
  readonly oracle: string;
  constructor(oracle: string, text: string) {
    super(text);
    this.oracle = oracle;
  }
}
const mustHold = (holds: boolean, oracle: string, text: string): void => {
  if (!holds) throw new Broken(oracle, text);
};

/** Of a connection, however long it has been. */
export const judgeKept = (bytes: number): Finding | null =>
  bytes <= mostKeptBytes ? null : { oracle: "memory", text: `${bytes} bytes kept of one connection, ${mostKeptBytes} at most` }; // prettier-ignore

export class Judge {
  readonly #scenario: JudgedScenario;
  #phase: Phase = "confining";
  readonly #spent = new Map<RequestName, number>();
  #account: Account | undefined;
  #sessionId: Uint8Array | undefined;
  readonly #secrets = new Secrets();
  readonly #proved = new Set<string>();
  #exchanges = 0;
  #isOver = false;
  #isLoggedIn = false;
  /** The request whose answer is still to come, and what the answer must be. */
  #asked: { readonly request: Request; readonly atMs: number; readonly verdict: Verdict | undefined } | undefined; // prettier-ignore

  /** The client, as lines about its session name it. */
  readonly #peer: string;

  constructor(scenario: JudgedScenario, peer = "192.0.2.66 port 50000") {
    this.#scenario = scenario;
    this.#peer = peer.replaceAll(".", "\\.");
  }

  /** Where the broker must be. */
  get phase(): Phase {
    return this.#phase;
  }

  /** Whether this message, as the next one, must end the connection. */
  refuses(bytes: Uint8Array, descriptors: number): boolean {
    const { request, why } = this.#ruling({ descriptors, isBusy: false, hasConnection: true }, bytes); // prettier-ignore
    return request === undefined || why !== undefined;
  }

  /** The first rule that the broker broke, or null. */
  judge(step: Step): Finding | null {
    try {
      this.#judge(step);
      this.#judgeBounds(step);
      return null;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      return { oracle: error.oracle, text: error.message };
    }
  }

  #judge(step: Step): void {
    const crash = step.seen.find(({ kind }) => kind === "crashed");
    mustHold(crash === undefined, "own-error", crash?.kind === "crashed" ? crash.text : "");
    if (this.#isOver) {
      const after = step.seen.find(({ kind }) => kind !== "over" && kind !== "refused");
      mustHold(after === undefined, "after-end", `${after?.kind ?? ""} after the end`);
      return;
    }
    if (step.bytes !== null) this.#judgeRequest(step, step.bytes);
    if (step.loggedIn !== undefined) this.#judgeLogin(step.loggedIn);
    for (const seen of step.seen) this.#judgeSeen(seen);
    if (!step.isBusyAfter) this.#judgePhase(step.phase);
  }

  /** What holds whatever was asked: bounded work, nothing left to do behind it, lines that are short and tell no secret. */
  #judgeBounds({ bytes, descriptors, seen, work, pending = 0 }: Step): void {
    // Seen from outside: what a real server writes is not what its broker said, letter by letter.
    if (work === undefined) return;
    const excess = excessOf(work);
    mustHold(excess === undefined, "work", excess ?? "");
    mustHold(pending <= mostPending, "memory", `${pending} answers are still to come`);
    if (bytes !== null) {
      const read = readRequest(bytes, descriptors);
      this.#secrets.sent(bytes, "request" in read ? read.request : undefined);
    }
    for (const each of seen) {
      if (each.kind === "refused" || each.kind === "crashed")
        this.#judgeText(each.text, maxRefusal);
      if (each.kind !== "event") continue;
      const { code, text, fields = {} } = each.event;
      this.#judgeText(code, maxCode);
      this.#judgeText(text, maxLine);
      for (const field of Object.values(fields)) if (typeof field === "string") this.#judgeText(field, maxField); // prettier-ignore
    }
  }
  #judgeText(text: string, max: number): void {
    mustHold(
      text.length <= max,
      "log-length",
      `${text.length} letters of ${max}: ${text.slice(0, 40)}...`,
    );
    const told = this.#secrets.toldBy(text);
    mustHold(told === undefined, "secret", `${told ?? ""} in a line: ${text.slice(0, 60)}`);
  }

  #judgeRequest(step: Step, bytes: Uint8Array): void {
    const isRefused = step.seen.some(({ kind }) => kind === "refused");
    const { request, why } = this.#ruling(step, bytes);
    if (request === undefined || why !== undefined) {
      mustHold(isRefused, why?.oracle ?? "permit-table", why?.text ?? "");
      return;
    }
    mustHold(!isRefused, "honest-refused", `${request.name} was refused in ${this.#phase}`);
    this.#spent.set(request.name, (this.#spent.get(request.name) ?? 0) + 1);
    this.#take(request, step.atMs);
  }

  /** Whether it must be refused, and by which rule. */
  #ruling(
    step: Pick<Step, "descriptors" | "isBusy" | "hasConnection">,
    bytes: Uint8Array,
  ): { request?: Request; why?: Finding } {
    const no = (oracle: string, text: string): { why: Finding } => ({ why: { oracle, text } });
    const read = readRequest(bytes, step.descriptors);
    if ("fault" in read) return no(read.fault, read.text);
    const { request } = read;
    const { name, body } = request;
    if (step.isBusy) return no("one-at-a-time", `${name} taken before the last answer`);
    const left = uses(permits[this.#phase][name]) - (this.#spent.get(name) ?? 0);
    if (left <= 0) return no("permit-table", `${name} taken in phase ${this.#phase}`);
    switch (name) {
      case "adopted":
        if (!step.hasConnection) return no("hand-over", "adopted without a connection");
        break;
      case "sign":
        if (body.hostKeyAlgorithm !== "ssh-ed25519") return no("sign-key", "no such host key");
        break;
      case "lookupUser":
        if (Buffer.from(body.service).toString("latin1") !== "ssh-connection")
          return no("service", `${JSON.stringify(Buffer.from(body.service).toString())} taken`);
        break;
      case "proveHostKey":
        if (!same(body.blob, hostKey.blob) || body.algorithm !== "ssh-ed25519")
          return no("proof-key", "a proof of a key that is not ours");
        if (this.#proved.size > 0) return no("proof-once", "a second proof");
        break;
      case "log":
        if (!/^[a-z][a-z0-9.-]{0,39}$/.test(body.code)) return no("log-name", body.code);
        break;
      case "confined":
      case "authNone":
      case "authUnsupported":
      case "publickeyQuery":
      case "publickeySign":
      case "ended":
    }
    return { request };
  }

  /** What a request that was rightly taken leads to. */
  #take(request: Request, atMs: number): void {
    let verdict: Verdict | undefined;
    switch (request.name) {
      case "confined":
        this.#enter("handover");
        break;
      case "adopted":
        this.#enter("kex");
        break;
      case "lookupUser":
        this.#account = new Account(this.#scenario, request.body.user);
        this.#enter("authenticating");
        break;
      case "authNone":
      case "authUnsupported":
      case "publickeyQuery":
      case "publickeySign":
        verdict = this.#account?.decide(request, this.#sessionId ?? new Uint8Array());
        if (verdict?.outcome === "login") this.#enter("postauth");
        else if (this.#account?.isExhausted === true) this.#enter("refused");
        break;
      case "ended":
        this.#enter("ended");
        break;
      case "proveHostKey":
        this.#proved.add(Buffer.from(request.body.blob).toString("base64"));
        break;
      case "sign":
      case "log":
    }
    this.#asked = { request, atMs, verdict };
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#spent.clear();
  }
  #judgePhase(phase: Phase): void {
    if (this.#isOver) mustHold(phase === "ended", "phase", `${phase} after the end`);
    else mustHold(phase === this.#phase, "phase", `${phase} where ${this.#phase} was due`);
  }

  #judgeSeen(seen: Seen): void {
    switch (seen.kind) {
      case "signing":
        this.#judgeSigning(seen.what, seen.body);
        return;
      case "answer":
        this.#judgeAnswer(seen.name, seen.body, seen.atMs);
        return;
      case "login": {
        const { identity } = seen;
        const wanted = this.#judgeLogin(identity.user);
        const command = identity.hasForcedCommand ? Buffer.from(identity.forcedCommand).toString() : undefined; // prettier-ignore
        mustHold(command === wanted.forcedCommand, "restrictions", `command ${command ?? "none"}`);
        mustHold(identity.permitPty === wanted.permitPty, "restrictions", "terminal");
        mustHold(identity.environment.length === 0, "restrictions", "environment=");
        return;
      }
      case "end":
        mustHold(!this.#isOver, "after-end", "a second end");
        this.#isOver = true;
        return;
      case "event": {
        const asked = this.#asked?.request;
        if (asked?.name !== "log" || seen.event.code.startsWith("monitor.")) return;
        mustHold(seen.event.code === `session.${asked.body.code}`, "log-origin", seen.event.code);
        const { text, preauth } = seen.event;
        const isMarked = text.startsWith("session process of ") || this.#isOwnLine(text);
        mustHold(this.#isLoggedIn || preauth === true, "log-origin", "not said to be preauth");
        mustHold(isMarked, "log-origin", seen.event.text.slice(0, 60));
        return;
      }
      case "refused":
      case "crashed":
      case "phase":
      case "over":
    }
  }

  /** The credential that it was given for. */
  #judgeLogin(user: string): Verdict {
    mustHold(!this.#isLoggedIn, "one-login", "a second login");
    this.#isLoggedIn = true;
    const verdict = this.#asked?.verdict;
    if (verdict?.outcome !== "login")
      throw new Broken("credential", `${user} without a credential`);
    mustHold(user === this.#account?.user?.name, "one-user", `${user} for another`);
    return verdict;
  }

  /** sshd's lines about a session, of this very user and connection. */
  #isOwnLine(text: string): boolean {
    const name = this.#account?.user?.name;
    if (!this.#isLoggedIn || name === undefined) return false;
    return (
      new RegExp(`^(Starting session: .* for|Close session: user) ${name} from ${this.#peer} id \\d+$`).test(text) || // prettier-ignore
      new RegExp(`^subsystem request for .* by user ${name} failed, (subsystem not found|execution failed)$`).test(text) // prettier-ignore
    );
  }

  /** Nothing is signed but what was asked for just now, and a proof is over the session id. */
  #judgeSigning(what: "exchange" | "proof", body: Readonly<Record<string, unknown>>): void {
    const asked = this.#asked?.request;
    if (what === "proof") {
      mustHold(asked?.name === "proveHostKey", "signing", "a proof that nobody asked for");
      mustHold(same(body["blob"], hostKey.blob), "proof-key", "a proof of a key that is not ours");
      mustHold(same(body["sessionId"], this.#sessionId ?? new Uint8Array()), "signing", "a proof that is not over the session id"); // prettier-ignore
      return;
    }
    this.#exchanges += 1;
    mustHold(this.#isLoggedIn || this.#exchanges === 1, "signing", "two hashes before authentication"); // prettier-ignore
    const isAsked = asked?.name === "sign" && signedParts.every((part) => isSame(body[part], asked.body[part])); // prettier-ignore
    mustHold(isAsked, "signing", "parts that nobody sent");
  }

  #judgeAnswer(name: string, body: Readonly<Record<string, unknown>>, atMs: number): void {
    const asked = this.#asked;
    if (name === "signed" && this.#sessionId === undefined) {
      const hash = body["exchangeHash"];
      if (hash instanceof Uint8Array) this.#sessionId = hash;
      this.#enter("lookup");
    }
    if (name !== "authResult") return;
    const outcome = authOutcomes[Number(body["outcome"])];
    const wanted = asked?.verdict?.outcome;
    mustHold(outcome === wanted, "outcome", `${outcome ?? "none"} where ${wanted ?? "nothing"} was due`); // prettier-ignore
    if (asked?.verdict?.isLate !== true) return;
    mustHold(atMs - asked.atMs >= leastFailureMs, "failure-time", `${atMs - asked.atMs} ms`);
  }
}
