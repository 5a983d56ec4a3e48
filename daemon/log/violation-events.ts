// Between those who say events and the log: an event about a filter that stopped a process gets the name of the call, from the kernel's log
// where that can be read. What is said of the same connection meanwhile waits behind it.
import type { LogLevel } from "../../ipc/listener.ts";
import { callName, type Violation } from "../../sandbox/violation.ts";
import type { EventDetails, EventSink } from "../events.ts";

export interface ViolationSource {
  /** "": it can be read; else why not. */
  readonly fault: string;
  find(pid: number): Violation | undefined;
  /** Called when there is something new. */
  onRecord: (() => void) | undefined;
}

/** The kernel writes its record before the process ends, and hands it on a moment later. */
export const violationPatienceMs = 500;

interface Said {
  readonly level: LogLevel;
  readonly text: string;
  readonly details: EventDetails;
}
interface Held extends Said {
  readonly child: number;
  readonly connection: number | undefined;
  readonly behind: (() => void)[];
  readonly timer: NodeJS.Timeout;
}
export const violationCode = "sandbox.violation";

export class ViolationEvents implements EventSink {
  readonly #log: EventSink;
  readonly #source: ViolationSource;
  readonly #held = new Set<Held>();

  constructor(log: EventSink, source: ViolationSource) {
    this.#log = log;
    this.#source = source;
    source.onRecord = () => {
      for (const held of this.#held) if (source.find(held.child) !== undefined) this.#release(held);
    };
  }

  event(level: LogLevel, code: string, text: string, details: EventDetails = {}): void {
    const fields = details.fields ?? {};
    const connection = fields["connection"];
    const say = (): void => {
      this.#say(level, code, text, details);
    };
    const before = [...this.#held].find((held) => held.connection !== undefined && held.connection === connection); // prettier-ignore
    if (before === undefined) say();
    else before.behind.push(say);
  }

  /** At the end of the process: says what is held, as far as it is known. */
  flush(): void {
    for (const held of this.#held) this.#release(held);
  }

  #say(level: LogLevel, code: string, text: string, details: EventDetails): void {
    const fields = details.fields ?? {};
    const child = Number(fields["child"] ?? 0);
    if (code === violationCode && fields["syscall"] === undefined) {
      this.#name({ level, text, details }, child);
      return;
    }
    this.#log.event(level, code, text, details);
    // Of those who have no broker to tell of them.
    if (code !== "child.ended" || fields["class"] !== "violation") return;
    const kind = String(fields["kind"] ?? "process");
    const told = { process: kind, child, layer: "seccomp" };
    const said = `${kind} ${child} was stopped by its filter`;
    this.#name({ level: "error", text: said, details: { ...details, fields: told } }, child);
  }

  #name(said: Said, child: number): void {
    const connection = said.details.fields?.["connection"];
    const held: Held = {
      ...said,
      child,
      connection: typeof connection === "number" ? connection : undefined,
      behind: [],
      timer: setTimeout(() => {
        this.#release(held);
      }, violationPatienceMs),
    };
    this.#held.add(held);
    if (this.#source.fault !== "" || this.#source.find(child) !== undefined) this.#release(held);
  }

  #release(held: Held): void {
    clearTimeout(held.timer);
    this.#held.delete(held);
    const { level, text, details, child } = held;
    const violation = this.#source.find(child);
    const { fault } = this.#source;
    const unknown =
      fault === ""
        ? "the kernel's log says nothing of it"
        : `the kernel's log is not readable here (${fault})`;
    const what =
      violation === undefined
        ? `: ${unknown}, so the system call has no name: start with -d, whose filter names it`
        : ` at the system call ${callName(violation)}`;
    const named =
      violation === undefined
        ? { source: "none" }
        : { syscall: callName(violation), source: "kernel" };
    this.#log.event(level, violationCode, `${text}${what}`, {
      ...details,
      fields: { ...details.fields, ...named },
    });
    for (const next of held.behind) next();
  }
}
