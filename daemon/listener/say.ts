// What brokers and their ends give the log.
import { logLevels } from "../../ipc/listener.ts";
import type { PeerFault } from "../../ipc/peer-fault.ts";
import type { EventSink } from "../events.ts";
import type { BrokerEvent, Connection, Ending, Pair } from "../pool/pair.ts";

/** Fields of brokers that are numbers: messages between processes carry text. */
const numeric: ReadonlySet<string> = new Set([
  "remotePort",
  "localPort",
  "disconnectReason",
  "bytesReceived",
  "bytesSent",
  "failures",
]);
function valueOf(name: string, text: string): string | number {
  return numeric.has(name) && /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** A broker's own line. */
export function relayEvent(events: EventSink, pair: Pair, event: BrokerEvent): void {
  const fields: Record<string, string | number> = {};
  const { connection } = pair;
  if (connection !== undefined) fields["connection"] = connection.number;
  for (let i = 0; i + 1 < event.fields.length; i += 2) {
    const name = event.fields[i] ?? "";
    fields[name] = valueOf(name, event.fields[i + 1] ?? "");
  }
  const { pid, preauth } = event;
  events.event(logLevels[event.level] ?? "error", event.code, event.text, { pid, preauth, fields });
}

/** The one event that closes a connection's story. sshd has no such line, so it is quiet unless something went wrong. */
export function sayEnded(
  events: EventSink,
  pair: Pair,
  connection: Connection,
  ending: Ending,
  fault: PeerFault | undefined,
): void {
  const { number, remoteAddress, remotePort } = connection;
  const from = `connection ${number} from ${remoteAddress} port ${remotePort}`;
  const fields = {
    connection: number,
    address: remoteAddress,
    port: remotePort,
    end: ending.end,
    bytesReceived: ending.bytesReceived,
    bytesSent: ending.bytesSent,
    seconds: Math.round(performance.now() - connection.acceptedMs) / 1000,
  };
  if (fault !== undefined)
    events.event("error", "broker.fault", `broker of ${from}: ${fault.message}`, {
      fields,
      pid: pair.pid,
    });
  else if (pair.ending === undefined)
    events.event("error", "broker.died", `broker of ${from} is gone without a word`, {
      fields,
      pid: pair.pid,
    });
  events.event("debug1", "connection.ended", `${from} ended: ${ending.end}`, { fields });
}

/** A pair that was never used. */
export function sayPairFailed(events: EventSink, pair: Pair, fault: PeerFault | undefined): void {
  const why = fault?.message ?? "it is gone";
  events.event(
    "error",
    "pair.failed",
    `broker ${pair.pid} failed before it had a connection: ${why}`,
  );
}
