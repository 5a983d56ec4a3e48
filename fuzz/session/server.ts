// The server that is fuzzed: a copy whose session processes obey when the client comes to one address, and are themselves on the other. What it
// writes is read as it comes, and what every one of its processes may never do is looked for in it.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { execFileSync } from "node:child_process";
import type { Finding } from "../../lab/judge.ts";
import { FileTail, parseEvent } from "../../lab/event-tail.ts";
import type { LabKey } from "../../lab/lab-key.ts";
import { hostKey } from "../../lab/lab-world.ts";
import { OwnServer } from "../../lab/own-server.ts";
import type { Patch } from "../../lab/patches.ts";
import type { ServerEvent } from "../../lab/real-talk.ts";
import { takenAddress, takeOverPatches } from "../../lab/take-over.ts";
import { keyFile, matches, ownKeys } from "./scenarios.ts";
import { Secrets } from "./secrets.ts";

export const honestAddress = "127.0.0.1";
const warmPairs = 2;
/** Listener, spawner, zygote, signer; and for each pair its broker, its session process and a login that waits. */
export const restingProcesses = 4 + 3 * warmPairs;
const lookEveryMs = 2;
/** For processes that take their time to end. */
export const settleMs = 30_000;

/** What no sequence of messages may bring about, whoever it happens to. */
const never: ReadonlySet<string> = new Set([
  "broker.died",
  "broker.fault",
  "broker.order",
  "child.stderr",
  "connection.dropped",
  "listener.failed",
  "log.failed",
  "pair.failed",
  "sandbox.layer-missing",
  "signer.retry",
  "spawner.gone",
  "zygote.retry",
]);
/** A process that is gone, in the first words that come of it. */
const crashes: ReadonlySet<string> = new Set(["broker.died", "child.stderr"]);
/** Control characters that no line of a log may hold: a terminal obeys them. */
const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** A login ends as its session does; every other process has nothing to end with but success. */
const isAbnormal = ({ fields }: ServerEvent): boolean =>
  fields["kind"] !== "login" && fields["class"] !== "done";
const longestText = 2000;

export class FuzzedServer {
  readonly own: OwnServer;
  readonly user: string;
  readonly uid: number;
  readonly keys: ReadonlyMap<string, LabKey>;
  /** Agreed on in every key exchange; no line of a log may hold it. */
  readonly sharedSecret: Uint8Array = Buffer.concat([Uint8Array.of(0x51), randomBytes(31)]);
  readonly #secrets: Secrets;
  readonly #eventTail: FileTail;
  readonly #logTail: FileTail;
  readonly #events: ServerEvent[] = [];
  #finding: Finding | null = null;
  #isStopped = false;

  private constructor(
    own: OwnServer,
    user: string,
    uid: number,
    keys: ReadonlyMap<string, LabKey>,
  ) {
    // prettier-ignore
    this.own = own;
    this.keys = keys;
    this.user = user;
    this.uid = uid;
    writeFileSync(`${own.folder}/keys/${user}`, keyFile(this.keys));
    this.#eventTail = new FileTail(`${own.folder}/events`);
    this.#logTail = new FileTail(`${own.folder}/log`);
    this.#secrets = new Secrets(
      new Map([
        ["the host's private key", hostKey.seed],
        ["the shared secret of a key exchange", this.sharedSecret],
      ]),
    );
  }

  /** Throws RangeError, in one line, for what is missing. */
  static async start(user: string, patches: readonly Patch[]): Promise<FuzzedServer> {
    const keys = ownKeys();
    const [key = hostKey] = keys.values();
    const own = await OwnServer.start({
      name: "fuzz",
      user,
      key, // the others are written down beside it
      address: takenAddress,
      config: [`ListenAddress ${honestAddress}`, "LogLevel DEBUG3", `WarmPairs ${warmPairs}`],
      matches,
      hostKey,
      patches: [...takeOverPatches, ...patches],
    });
    const uid = Number(execFileSync("id", ["-u", user], { encoding: "utf8" }));
    return new FuzzedServer(own, user, uid, keys);
  }

  /** All events of one connection, once it has ended; null when that does not happen. */
  async connection(port: number, address: string): Promise<ServerEvent[] | null> {
    const ended = await this.until(() =>
      this.#events.find(({ code, fields }) => code === "connection.ended" && fields["port"] === port && fields["address"] === address)); // prettier-ignore
    if (ended === null) return null;
    return this.#events.filter(({ connection }) => connection === ended.connection);
  }
  /** The first event with that code and about our end, or about a login; null when none comes. */
  event(code: string, port: number): Promise<ServerEvent | null> {
    return this.until(() => this.#events.find((event) => event.code === code && (code === "login.forked" || event.fields["remotePort"] === port))); // prettier-ignore
  }
  /** What `look` finds when all that was written is read; null when it finds nothing for long. */
  async until<T>(look: () => T | undefined): Promise<T | null> {
    const deadline = performance.now() + settleMs;
    for (;;) {
      this.#read();
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() > deadline) return null;
      await pause(lookEveryMs);
    }
  }
  /** Events of earlier sequences. */
  forget(): void {
    this.#read();
    this.#events.length = 0;
  }

  /** The first thing that it did and never may, since the last call. */
  async takeFinding(): Promise<Finding | null> {
    this.#read();
    if (this.#finding?.oracle === "crash") this.#finding = await this.#detailed(this.#finding);
    const finding = this.#finding;
    this.#finding = null;
    return finding;
  }

  /** How the process ended, and what it said about it or was stopped at: all that comes when it is gone. */
  async #detailed({ oracle, text }: Finding): Promise<Finding> {
    const isEnd = (event: ServerEvent): boolean => event.code === "child.ended" && isAbnormal(event); // prettier-ignore
    const end = await this.until(() => this.#events.find(isEnd));
    // An error of JavaScript is told on stderr, a call that the filter stopped by the kernel; other signals by nobody.
    const isTold = /exit status|SIGSYS/.test(end?.msg ?? "");
    const codes = ["child.stderr", "sandbox.violation"];
    if (isTold) await this.until(() => this.#events.find(({ code }) => codes.includes(code)));
    const told = this.#events.filter(({ code, msg }) => codes.includes(code) && msg !== text);
    const all = [end?.msg ?? text, text, ...told.map(({ msg }) => msg)];
    return { oracle, text: [...new Set(all)].join("; ").slice(0, longestText) };
  }

  #found(oracle: string, text: string): void {
    this.#finding ??= { oracle, text };
  }
  #read(): void {
    for (const line of this.#eventTail.take()) {
      this.#scan(line);
      try {
        const event = parseEvent(line);
        this.#events.push(event);
        this.#judge(event);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        this.#found("log-line", `the event log has a line that is no JSON: ${line.slice(0, 200)}`);
      }
    }
    for (const line of this.#logTail.take()) {
      this.#scan(line);
      if (control.test(line.replace(/\r$/, ""))) this.#found("log-line", `a control character in the log: ${JSON.stringify(line.slice(0, 200))}`); // prettier-ignore
    }
  }
  #scan(line: string): void {
    const secret = this.#secrets.in(line);
    if (secret !== undefined) this.#found("secret", `${secret} stands in the log`);
  }
  #judge(event: ServerEvent): void {
    const { code, level, fields, msg } = event;
    const isBroken = never.has(code) || level === "fatal";
    const isOfOthers = code === "sandbox.violation" && fields["process"] !== "session";
    if (isBroken || isOfOthers) this.#found(crashes.has(code) ? "crash" : code, msg);
    if (code === "child.ended" && isAbnormal(event)) this.#found("crash", msg);
  }

  /** Nothing of it is left afterwards; again: nothing happens. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#eventTail.close();
    this.#logTail.close();
    await this.own.stop();
  }
}
