// What a broker that is recorded tells the listener of its conversation (sallyport trace). It exists only in brokers of a listener that
// asked for it before their zygote was started; it changes no decision, and secrets leave here as lengths and digests (ipc/trace.ts).
import { randomBytes } from "node:crypto";
import { brokerOrders, brokerReports } from "../ipc/listener.ts";
import { answers, requests, type RequestName } from "../ipc/monitor.ts";
import type { PeerFault } from "../ipc/peer-fault.ts";
import type { Body, Protocol } from "../ipc/protocol.ts";
import { signatureAnswers, signatureRequests } from "../ipc/signer.ts";
import { disclose, nameOfType, traceKinds, traceParties, type TraceParty } from "../ipc/trace.ts";
import type { MessageTap, TappedMessage } from "../native/message-socket.ts";
import type { Ended } from "../native/process.ts";
import type { Verification } from "../sandbox/verify.ts";
import type { Monitor } from "./monitor.ts";
import type { ListenerSocket } from "./system-world.ts";

type Report = Body<(typeof brokerReports)["trace"]>;

const unbounded = 0xffff_ffff;
const saltBytes = 16;
const maxRefusal = 500;
const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);
const refusalOf = ({ code, message }: PeerFault): string =>
  `${code}: ${message}`.slice(0, maxRefusal);
const isRequest = (name: string): name is RequestName => Object.hasOwn(requests, name);

export class Recording {
  /** Of this connection, and never told: a digest of something short could be guessed otherwise. */
  readonly #salt = new Uint8Array(randomBytes(saltBytes));
  #listener: ListenerSocket | undefined;
  #monitor: Monitor | undefined;
  /** The message that is being handled, and what was sent meanwhile: told when it is known what has become of it. */
  #handling: Report | undefined;
  #held: Report[] = [];
  #lost = 0;

  readonly listenerTap = this.#tap("listener", brokerOrders, brokerReports);
  readonly sessionTap = this.#tap("session", requests, answers);
  readonly signerTap = this.#tap("signer", signatureAnswers, signatureRequests);

  attach(listener: ListenerSocket, monitor: Monitor): void {
    this.#listener = listener;
    this.#monitor = monitor;
  }

  /** The monitor refuses the message that is being handled. */
  refused(fault: PeerFault): void {
    if (this.#handling !== undefined) this.#handling.refusal = refusalOf(fault);
  }

  forked(pid: number): void {
    this.#process("forked", ["pid", "number", String(pid)]);
  }
  reaped({ pid, status, signal, cpuUs }: Ended): void {
    const details = ["pid", "number", String(pid), "cpuUs", "number", String(cpuUs)];
    if (status !== undefined) details.push("status", "number", String(status));
    if (signal !== undefined) details.push("signal", "number", String(signal));
    this.#process("ended", details);
  }

  /** What the broker read of its session process in /proc, layer by layer. */
  verified({ checked, missing, fatal }: Verification): void {
    const told = (name: string, line: string | undefined): string[] => {
      const state = line === undefined ? "verified" : `missing${line.slice(name.length)}`;
      return [name, "text", state.slice(0, maxRefusal)];
    };
    const of = (name: string): string | undefined =>
      missing.find((line) => line.startsWith(`${name}:`));
    const unseen = missing.filter((line) => !checked.some((name) => of(name) === line));
    const details = [
      ...checked.flatMap((name) => told(name, of(name))),
      ...unseen.flatMap((line) => told(line.slice(0, line.indexOf(":") + 1).slice(0, -1), line)),
    ];
    const refusal = fatal.length === 0 ? "" : `REQUIRED: ${fatal.join("; ")}`.slice(0, maxRefusal);
    this.#tell({ ...this.#report("layers", "broker", "session", "verified"), details, refusal });
  }

  /** Tells what is held back: the broker is about to end. */
  flush(): void {
    const held = this.#held;
    this.#held = [];
    if (this.#handling !== undefined) this.#handling.phaseAfter = this.#phase();
    this.#handling = undefined;
    for (const report of held) this.#send(report);
  }

  #phase(): string {
    return this.#monitor?.phase ?? "confining";
  }

  #report(
    kind: (typeof traceKinds)[number],
    from: TraceParty,
    to: TraceParty,
    name: string,
  ): Report {
    const phase = this.#phase();
    return {
      atUs: nowUs(),
      kind: traceKinds.indexOf(kind),
      from: traceParties.indexOf(from),
      to: traceParties.indexOf(to),
      name: name.slice(0, 64),
      id: 0,
      bytes: 0,
      descriptors: 0,
      phaseBefore: phase,
      phaseAfter: phase,
      usesLeft: 0,
      refusal: "",
      details: [],
    };
  }

  #process(name: string, details: string[]): void {
    this.#tell({ ...this.#report("process", "broker", "session", name), details });
  }

  #message(
    from: TraceParty,
    to: TraceParty,
    table: Protocol,
    { name, id, body, bytes, descriptors }: TappedMessage,
  ): Report {
    const spec = table[name];
    return {
      ...this.#report("message", from, to, name),
      id,
      bytes,
      descriptors,
      details: spec === undefined ? [] : disclose(spec, body, this.#salt),
    };
  }

  #tap(peer: TraceParty, incoming: Protocol, outgoing: Protocol): MessageTap {
    return {
      sent: (message) => {
        // Its own reports are no part of the conversation.
        if (peer === "listener" && message.name === "trace") return;
        this.#tell(this.#message("broker", peer, outgoing, message));
      },
      received: (message) => {
        const report = this.#message(peer, "broker", incoming, message);
        if (peer === "session" && isRequest(message.name)) {
          const left = this.#monitor?.left(message.name) ?? 0;
          report.usesLeft = left === Infinity ? unbounded : left;
        }
        this.#handling = report;
        this.#held.push(report);
      },
      handled: () => {
        this.flush();
      },
      unreadable: (fault, bytes, type, descriptors) => {
        const name = type === undefined ? "nothing" : nameOfType(incoming, type);
        const report = this.#report("message", peer, "broker", name);
        this.#tell({ ...report, bytes, descriptors, refusal: refusalOf(fault) });
      },
    };
  }

  #tell(report: Report): void {
    if (this.#held.length > 0) this.#held.push(report);
    else this.#send(report);
  }

  #send(report: Report): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    // A recording must not end a connection: a listener that does not read loses reports, and learns how many.
    if (listener.isCrowded) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      const details = ["count", "number", String(this.#lost)];
      this.#lost = 0;
      listener.send("trace", 0, { ...this.#report("lost", "broker", "listener", "lost"), details });
    }
    listener.send("trace", 0, report);
  }
}
