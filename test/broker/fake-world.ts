// A world for the monitor in which nothing happens by itself: deterministic, without an operating system. Tests look at what it was told.
import { createHash } from "node:crypto";
import type { KeyFile } from "../../broker/key-file.ts";
import type { LogEvent, Signed, UserRecord, World } from "../../broker/world.ts";
import type { ConnectionEnd } from "../../ipc/listener.ts";
import type { Identity } from "../../ipc/worker.ts";

export const alice: UserRecord = {
  name: "alice",
  uid: 1000,
  gid: 1000,
  groups: [1000],
  groupNames: ["alice"],
  home: "/home/alice",
  shell: "/bin/sh",
};
export const root: UserRecord = {
  ...alice,
  name: "root",
  uid: 0,
  gid: 0,
  groupNames: ["root"],
  home: "/root",
};

export class FakeWorld implements World {
  readonly delaySecret = new Uint8Array(32);
  readonly users = new Map([alice, root].map((user) => [user.name, user]));
  /** Path to the text of an authorized_keys file. */
  readonly files = new Map<string, string>();
  readonly events: LogEvent[] = [];
  readonly answers: { name: string; id: number; body: Record<string, unknown> }[] = [];
  readonly delays: number[] = [];
  identity: Identity | undefined;
  ended: ConnectionEnd | undefined;
  /** Signatures asked for; answered at once unless held. */
  signatures = 0;
  held: (() => void)[] | undefined;
  readonly #now = 1_800_000_000_000;

  nowMs(): number {
    return this.#now;
  }
  elapsedMs(): number {
    return 0;
  }
  later(ms: number, action: () => void): void {
    this.delays.push(ms);
    action();
  }
  lookupUser(name: string): UserRecord | null {
    return this.users.get(name) ?? null;
  }
  readKeyFile(path: string): KeyFile {
    const text = this.files.get(path);
    return text === undefined ? { absent: true } : { text };
  }
  readBanner(): Uint8Array {
    return new Uint8Array();
  }
  readonly sign: World["sign"] = (kind, _body, done) => {
    this.signatures += 1;
    const exchangeHash =
      kind === "exchange"
        ? createHash("sha256").update(`exchange ${this.signatures}`).digest()
        : new Uint8Array();
    const signed: Signed = { exchangeHash, signature: Uint8Array.of(1, 2, 3) };
    if (this.held === undefined) done(signed);
    else
      this.held.push(() => {
        done(signed);
      });
  };
  log(event: LogEvent): void {
    this.events.push(event);
  }
  readonly answer: World["answer"] = (name, id, body) => {
    this.answers.push({ name, id, body });
  };
  readonly authenticated: World["authenticated"] = (_id, identity) => {
    this.identity = identity;
  };
  end(end: ConnectionEnd): void {
    this.ended = end;
  }

  /** The last answer's outcome number, or undefined. */
  get outcome(): unknown {
    return this.answers.at(-1)?.body["outcome"];
  }
  get lines(): string[] {
    return this.events.map(({ text }) => text);
  }
}
