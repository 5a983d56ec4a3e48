// One connection, played from its first step to its end: what was said, and what the server did about it.
import { randomBytes } from "node:crypto";
import { LabKey } from "../../lab/lab-key.ts";
import { isCredential, isPasswordInPlace, type Account } from "./credential.ts";
import { encodeFields, type LiveName } from "./fields.ts";
import type { Place } from "./message-tables.ts";
import { RawConnection } from "./raw-connection.ts";
import type { ClientSequence, Cut, Step } from "./sequence.ts";

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Null: nobody is known who could log in. */
  readonly account: Account | null;
}
/** As far as a client can tell. */
export type Where = "connected" | Place | "rekeying";
/** A message of ours, and the numbers of what the server said before the next. */
export interface Spoken {
  readonly where: Where;
  readonly name: string;
  /** -1: bytes outside of a packet, or a message without any. */
  readonly number: number;
  readonly isSpoilt: boolean;
  readonly answers: number[];
}
export interface Played {
  /** Ours. */
  readonly port: number;
  readonly spoken: readonly Spoken[];
  readonly where: Where;
  /** Of the server's, in order; `isProven`: who we are had been proven by then. */
  readonly heard: readonly { readonly number: number; readonly isProven: boolean }[];
  readonly isProven: boolean;
  /** Sent where passwords belong; null: nowhere, or somewhere else as well. */
  readonly password: string | null;
  /** Reason of the server's SSH_MSG_DISCONNECT. */
  readonly disconnect: number | null;
  /** The server closed: before we did, or afterwards, or not within `mostCloseMs`. */
  readonly closed: "first" | "after us" | "never";
}
export interface Watcher {
  /** Our last step is done and the connection is still there. */
  lastStep(port: number): void;
}

/** From our FIN to the end of the connection, on whatever machine. */
export const mostCloseMs = 30_000;
/** An answer that is needed to go on. */
const neededMs = 2000;
/** An answer that may come. */
const waitMs = 250;
/** When the server has been given no whole packet. */
const unlikelyMs = 40;
/** More than it takes in: what is left is not said. */
const mostUnsentBytes = 1024 * 1024;
const mostSingleBytes = 400;
const strangeKey = new LabKey("stranger");

class Performance {
  readonly #raw: RawConnection;
  readonly #account: Account | null;
  readonly #password = `pw${randomBytes(12).toString("hex")}`;
  #passwordAt: "nowhere" | "in place" | "elsewhere" = "nowhere";
  readonly spoken: Spoken[] = [];
  readonly heard: { number: number; isProven: boolean }[] = [];
  #where: Where = "connected";
  #hasIdentified = false;
  #hasOffered = false;
  /** Our half of an exchange has been made: its keys are to come. */
  #hasPublic = false;
  /** The server may be waiting for more of a packet, or has been lied to: it owes no answer. */
  #isDoubtful = false;
  /** Bytes with a wrong bit, under real keys: nothing that follows proves anything. */
  #isForged = false;
  #hasAsked = false;
  #isProven = false;
  #hasHalfClosed = false;
  #disconnect: number | null = null;
  #held = Buffer.alloc(0);

  constructor(raw: RawConnection, account: Account | null) {
    this.#raw = raw;
    this.#account = account;
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case "bytes":
        this.#note("bytes", -1, false);
        await this.#out(step.bytes, step.cut);
        if (step.bytes.includes(0x0a)) this.#hasIdentified = true;
        else this.#isDoubtful = true;
        return;
      case "send":
        await this.#send(step);
        return;
      case "wait":
        await this.#flush();
        await this.#listen(waitMs);
        return;
      case "deaf":
        this.#raw.socket.pause();
        this.#isDoubtful = true;
        return;
      case "half-close":
        await this.#flush();
        this.#halfClose();
        return;
      case "reset":
        await this.#flush();
        // libuv resets nothing that it has shut down.
        if (this.#hasHalfClosed) this.#raw.socket.destroy();
        else this.#raw.socket.resetAndDestroy();
    }
  }

  async #send({ name, fields, lie, cut }: Extract<Step, { kind: "send" }>): Promise<void> {
    const raw = this.#raw;
    for (const field of fields) if ("live" in field) await this.#need(field.live);
    const payload = encodeFields(fields, (live, before) => this.#value(live, before));
    const number = payload[0] ?? -1;
    // Keys change with this message: they come with the server's reply.
    if (number === 21 && this.#hasPublic) await this.#until(true, () => raw.hasNewKeys);
    if (number === 21) this.#hasPublic = false;
    this.#judge(payload);
    if (lie !== undefined) {
      this.#isDoubtful = true;
      if (lie.flip !== undefined) this.#isForged = true;
    }
    // A guess: if it is wrong, the next message is ignored (RFC 4253 section 7).
    if (!this.#hasIdentified || (number === 20 && payload.at(-5) !== 0)) this.#isDoubtful = true;
    this.#note(name, number, lie !== undefined);
    const before = this.#where;
    if (number === 20) this.#hasOffered = true;
    if (number === 20 && before === "identified") this.#where = "offered";
    else if (number === 20 && (before === "authenticated" || before === "opened"))
      this.#where = "rekeying"; // prettier-ignore
    else if (number === 21 && before === "agreed") this.#where = "keyed";
    else if (number === 21 && before === "rekeying") this.#where = "authenticated";
    await this.#out(raw.seal(payload, lie), cut);
  }

  #note(name: string, number: number, isSpoilt: boolean): void {
    this.spoken.push({ where: this.#where, name, number, isSpoilt, answers: [] });
  }

  /** What this message proves, and what it gives away. */
  #judge(payload: Uint8Array): void {
    if (Buffer.from(payload).includes(this.#password)) {
      const isInPlace = isPasswordInPlace(payload, this.#password);
      this.#passwordAt = isInPlace && this.#passwordAt !== "elsewhere" ? "in place" : "elsewhere";
    }
    const hasKeys = !["connected", "identified", "offered", "agreed"].includes(this.#where);
    if (!hasKeys || this.#isForged) return;
    if (Buffer.from(payload).equals(Buffer.from("050000000c7373682d7573657261757468", "hex"))) this.#hasAsked = true; // prettier-ignore
    const { sessionId, hostKeyBlob } = this.#raw;
    if (sessionId === null || this.#account === null || !this.#hasAsked) return;
    this.#isProven ||= isCredential(payload, this.#account, sessionId, hostKeyBlob);
  }

  #value(name: LiveName, before: Uint8Array): Uint8Array {
    const own = this.#account?.key ?? strangeKey;
    switch (name) {
      case "public":
        this.#hasPublic = true;
        return this.#raw.public();
      case "host key":
        return this.#raw.hostKeyBlob;
      case "user":
        return Buffer.from(this.#account?.user ?? "nobody-is-called-so");
      case "own key":
        return own.blob;
      case "strange key":
        return strangeKey.blob;
      case "own signature":
        return own.sign(this.#raw.signedOver(before));
      case "strange signature":
        return strangeKey.sign(this.#raw.signedOver(before));
      case "password":
        return Buffer.from(this.#password);
    }
  }
  async #need(name: LiveName): Promise<void> {
    const { heard } = this;
    if (name === "public") await this.#until(this.#hasIdentified, () => heard.some(({ number }) => number === 20)); // prettier-ignore
    else if (name === "host key" || name.endsWith("signature")) await this.#until(this.#hasPublic, () => this.#raw.sessionId !== null); // prettier-ignore
  }
  /** `isOwed`: the server has what it needs for it. Once in vain is enough. */
  async #until(isOwed: boolean, isThere: () => boolean): Promise<void> {
    if (isThere()) return;
    await this.#flush();
    while (!isThere()) {
      if (await this.#hear(this.#isDoubtful || !isOwed ? unlikelyMs : neededMs)) continue;
      if (isOwed) this.#isDoubtful = true;
      return;
    }
  }

  /** False: nothing came, or nothing will. */
  async #hear(ms: number): Promise<boolean> {
    const payload = await this.#raw.nextWithin(ms);
    if (typeof payload === "string") return false;
    const [number = -1] = payload;
    this.heard.push({ number, isProven: this.#isProven });
    this.spoken.at(-1)?.answers.push(number);
    // It has read so far, and goes on.
    if ([6, 31, 51, 52, 91].includes(number)) this.#isDoubtful = false;
    if (number === 1) this.#disconnect = Buffer.from(payload).readUInt32BE(1);
    else if (number === 20 && this.#where === "connected")
      this.#where = this.#hasOffered ? "offered" : "identified"; // prettier-ignore
    else if (number === 31 && this.#where === "offered") this.#where = "agreed";
    else if (number === 6 && this.#where === "keyed") this.#where = "asked";
    else if (number === 52) this.#where = "authenticated";
    else if (number === 91) this.#where = "opened";
    return true;
  }
  async #listen(ms: number): Promise<void> {
    if (!(await this.#hear(this.#isDoubtful ? unlikelyMs : ms))) return;
    while (await this.#hear(1));
  }

  async #out(bytes: Uint8Array, cut: Cut | undefined): Promise<void> {
    if (this.#hasHalfClosed || this.#raw.isClosed) return;
    if (cut === "joined") {
      this.#held = Buffer.concat([this.#held, bytes]);
      return;
    }
    await this.#flush();
    if (cut === "byte")
      for (const byte of bytes.subarray(0, mostSingleBytes)) {
        this.#raw.bytes(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
    this.#write(bytes.subarray(cut === "byte" ? mostSingleBytes : 0));
  }
  // eslint-disable-next-line @typescript-eslint/require-await -- awaited where it is followed by waiting
  async #flush(): Promise<void> {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    this.#write(held);
  }
  #write(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#hasHalfClosed || this.#raw.isClosed) return;
    if (this.#raw.socket.writableLength > mostUnsentBytes) this.#isDoubtful = true;
    else this.#raw.bytes(bytes);
  }
  #halfClose(): void {
    this.#hasHalfClosed = true;
    this.#raw.socket.end();
  }

  /** Closes, and hears the server out. */
  async finish(watcher: Watcher | undefined): Promise<Played> {
    const raw = this.#raw;
    await this.#flush();
    raw.socket.resume();
    while (await this.#hear(this.#isDoubtful ? 1 : unlikelyMs));
    const isFirst = raw.isClosed;
    if (!isFirst) {
      watcher?.lastStep(raw.port);
      this.#halfClose();
    }
    const deadline = performance.now() + mostCloseMs;
    while (!raw.isClosed && performance.now() < deadline) await this.#hear(mostCloseMs);
    const closed = !raw.isClosed ? "never" : isFirst ? "first" : "after us";
    raw.socket.destroy();
    const { spoken, heard } = this;
    return {
      port: raw.port,
      spoken,
      heard,
      where: this.#where,
      isProven: this.#isProven,
      password: this.#passwordAt === "in place" ? this.#password : null,
      disconnect: this.#disconnect,
      closed,
    };
  }
  get isClosed(): boolean {
    return this.#raw.isClosed;
  }
}

/** Throws what connect(2) says when nobody listens. */
export async function perform(
  { host, port, account }: Target,
  { steps }: ClientSequence,
  watcher?: Watcher,
): Promise<Played> {
  const raw = await RawConnection.open(port, { host });
  const client = new Performance(raw, account);
  for (const step of steps) {
    if (client.isClosed) break;
    await client.step(step);
  }
  return client.finish(watcher);
}
