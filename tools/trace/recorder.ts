// Collects what belongs to one connection: what its broker reports, what went to and from the zygote, and what /proc shows of the
// processes. Runs in the recording listener (server.ts).
import { randomBytes } from "node:crypto";
import { release } from "node:os";
import type { Connection, Ending, Pair } from "../../daemon/pool/pair.ts";
import { loginOrders, zygoteOrders, zygoteReports } from "../../ipc/listener.ts";
import { encode, type Protocol } from "../../ipc/protocol.ts";
import { disclose, type TraceParty } from "../../ipc/trace.ts";
import type { Identity } from "../../ipc/worker.ts";
import type { MessageTap, TappedMessage } from "../../native/message-socket.ts";
import { formatName, formatVersion, type Header, type MessageRecord } from "./format.ts";
import { fieldsOf, type Draft } from "./from-report.ts";
import { processFacts, roleOf } from "./process-facts.ts";

/** A conversation that is longer is cut, and says so. */
const maxRecords = 100_000;
/** The login's process ends by itself when its session process has; a program that it left behind may hold it. */
const lastWordsMs = 3000;
const lookEveryMs = 1;

type ConnectionDraft =
  | { atUs: number; kind: "connection"; event: "accepted" }
  | { atUs: number; kind: "connection"; event: "ended"; end: string; bytesReceived: number; bytesSent: number }; // prettier-ignore

const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);
const salt = new Uint8Array(randomBytes(16));

/** What the zygote was asked and answered, and for whom it turned out to be. */
interface ZygoteMessage {
  readonly draft: Omit<MessageRecord, "n">;
  pid: number;
}

/** `done` gets the trace, a line each, when the connection and its processes have ended. */
export class Recorder {
  readonly #done: (lines: readonly string[]) => void;
  readonly #byPair = new Map<Pair, Draft[]>();
  readonly #zygote: ZygoteMessage[] = [];
  /** `pair` and `login` that the zygote has not answered: it answers in order. */
  readonly #unanswered: ZygoteMessage[] = [];
  /** Of all pairs and logins; those of the connection are told. */
  readonly #births: Extract<Draft, { kind: "process" }>[] = [];
  readonly #mine: (Draft | ConnectionDraft)[] = [];
  readonly #endedPids = new Set<number>();
  #pair: Pair | undefined;
  #connection: Connection | undefined;
  #acceptedUs = 0;
  #loginPid = 0;
  #ending: Ending | undefined;

  constructor(done: (lines: readonly string[]) => void) {
    this.#done = done;
  }

  trace(pair: Pair, draft: Draft): void {
    const drafts = this.#byPair.get(pair) ?? [];
    this.#byPair.set(pair, drafts);
    if (drafts.length < maxRecords) drafts.push(draft);
    else if (drafts.length === maxRecords) drafts.push({ atUs: nowUs(), kind: "lost", count: 1 });
  }

  accepted(connection: Connection): void {
    this.#acceptedUs = nowUs();
    this.#connection = connection;
    this.#mine.push({ atUs: this.#acceptedUs, kind: "connection", event: "accepted" });
  }

  /** The pair that got the connection: known when its broker says the first word about it. */
  served(pair: Pair): void {
    if (this.#pair !== undefined || pair.connection === undefined) return;
    this.#pair = pair;
    const look: [TraceParty, number][] = [
      ["listener", process.pid],
      ["zygote", pair.zygote.pid],
      ["signer", pair.signer.pid],
      ["broker", pair.pid],
      ["session", pair.sessionPid],
    ];
    for (const [party, pid] of look) this.#see(party, pid);
  }

  #see(party: TraceParty, pid: number): void {
    const facts = processFacts(pid);
    if (facts === undefined) return;
    const { uid, gid, layers } = facts;
    const event = "seen";
    this.#mine.push({ atUs: nowUs(), kind: "process", party, event, by: "listener", pid, uid, gid, layers }); // prettier-ignore
  }

  /** From root's login to the user's worker: looked at until it has become the one, or is gone. */
  login(pid: number, identity: Identity): void {
    this.#loginPid = pid;
    const bytes = encode(loginOrders, "identity", 0, identity).length;
    const told = { name: "identity", id: 0, body: identity, bytes, descriptors: 1 };
    this.#mine.push(this.#message("listener", "login", loginOrders, told));
    if (roleOf(pid) !== "worker") this.#see("login", pid);
    const look = (): void => {
      const role = roleOf(pid);
      if (role === "worker") this.#see("worker", pid);
      else if (role !== undefined) setTimeout(look, lookEveryMs);
    };
    look();
  }

  readonly zygoteTap: MessageTap = {
    sent: (message) => {
      if (message.name !== "pair" && message.name !== "login") return;
      const seen = { draft: this.#message("listener", "zygote", zygoteOrders, message), pid: 0 };
      this.#zygote.push(seen);
      this.#unanswered.push(seen);
    },
    received: (message) => {
      const draft = this.#message("zygote", "listener", zygoteReports, message);
      const pid = Number(message.body["pid"] ?? 0);
      if (message.name === "forked") {
        const asked = this.#unanswered.shift();
        if (asked === undefined) return;
        asked.pid = pid;
        const party = asked.draft.message === "login" ? "login" : "broker";
        const born = { kind: "process", party, event: "forked", by: "zygote", pid } as const;
        this.#births.push({ atUs: nowUs(), ...born });
      }
      if (pid > 0) this.#zygote.push({ draft, pid });
      if (message.name === "childEnded") this.#childEnded(pid, message.body);
    },
    handled: () => undefined,
    unreadable: () => undefined,
  };

  #message(
    from: TraceParty,
    to: TraceParty,
    table: Protocol,
    { name, id, body, bytes, descriptors }: TappedMessage,
  ): ZygoteMessage["draft"] {
    const spec = table[name];
    const details = spec === undefined ? [] : disclose(spec, body, salt);
    const fields = fieldsOf(details);
    return { atUs: nowUs(), kind: "message", from, to, message: name, id, bytes, descriptors, fields, outcome: "done" }; // prettier-ignore
  }

  #childEnded(pid: number, body: TappedMessage["body"]): void {
    this.#endedPids.add(pid);
    const party =
      pid === this.#loginPid ? "worker" : pid === this.#pair?.pid ? "broker" : undefined;
    if (party === undefined) return;
    const number = (key: string): number => Number(body[key] ?? 0);
    const how = body["bySignal"] === true ? "signal" : "status";
    const fact = { [how]: number("status"), cpuUs: number("cpuUs") };
    this.#mine.push({ atUs: nowUs(), kind: "process", party, event: "ended", by: "zygote", pid, ...fact }); // prettier-ignore
    this.#finishIfOver();
  }

  ended(ending: Ending): void {
    this.#ending = ending;
    const { end, bytesReceived, bytesSent } = ending;
    this.#mine.push({ atUs: nowUs(), kind: "connection", event: "ended", end, bytesReceived, bytesSent }); // prettier-ignore
    setTimeout(() => {
      this.#finish();
    }, lastWordsMs);
    this.#finishIfOver();
  }

  #finishIfOver(): void {
    const pids = [this.#pair?.pid ?? 0, this.#loginPid].filter((pid) => pid > 0);
    if (this.#ending !== undefined && pids.every((pid) => this.#endedPids.has(pid))) this.#finish();
  }

  #finish(): void {
    const pair = this.#pair;
    const pids = new Set([pair?.pid, this.#loginPid].filter((pid) => pid !== undefined && pid > 0));
    const drafts = [
      ...this.#mine,
      ...this.#births.filter(({ pid }) => pids.has(pid)),
      ...(pair === undefined ? [] : (this.#byPair.get(pair) ?? [])),
      ...this.#zygote.filter(({ pid }) => pids.has(pid)).map(({ draft }) => draft),
    ].sort((one, other) => one.atUs - other.atUs);
    const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = this.#connection ?? {}; // prettier-ignore
    const header: Header = {
      kind: "header",
      format: formatName,
      v: formatVersion,
      recorded: new Date().toISOString(),
      server: "sallyport_0.1.0",
      kernel: release(),
      connection: { remoteAddress, remotePort, localAddress, localPort },
    };
    const lines = drafts.map((draft, i) => {
      // The broker knows its child by the fork; what it then saw of it is the same process.
      const pid = draft.kind === "process" && draft.pid === 0 ? { pid: pair?.sessionPid ?? 0 } : {};
      return JSON.stringify({ n: i + 1, ...draft, ...pid, atUs: draft.atUs - this.#acceptedUs });
    });
    this.#done([JSON.stringify(header), ...lines]);
  }
}
