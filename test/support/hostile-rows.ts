// Tables of misbehaviour: each row is one connection that the server must end, with one event that says why; many at a time over one server.
import type { Test } from "tap";
import { WireReader } from "../../session/ssh/wire.ts";
import type { RawConnection } from "../../fuzz/server/raw-connection.ts";
import type { ServerEvent, TestServer } from "./test-server.ts";

export interface HostileRow {
  /** Completes "The server ends a connection: ...". */
  readonly name: string;
  /** Goes as far as it goes; the server must close by itself afterwards. */
  act(server: TestServer): Promise<RawConnection>;
  /** Reason in the SSH_MSG_DISCONNECT that must come (RFC 4253 section 11.1); null: none may; undefined: it may get lost. */
  readonly disconnect: number | null | undefined;
  readonly code: string;
  /** What the line of that event says. */
  readonly text?: string;
  /** Field `end` of the last event. */
  readonly end: string;
}

/** How a connection went, in the terms of a row. */
interface Outcome {
  readonly port: number;
  readonly disconnect: number | null;
  readonly problem: string;
}

const rowsAtOnce = 6;

async function perform(row: HostileRow, server: TestServer): Promise<Outcome> {
  let raw: RawConnection | undefined;
  try {
    raw = await row.act(server);
    const rest = await raw.rest();
    const last = rest.find(([type]) => type === 1);
    const disconnect = last === undefined ? null : new WireReader(last, 1).uint32();
    return { port: raw.port, disconnect, problem: "" };
  } catch (error) {
    return { port: raw?.port ?? 0, disconnect: null, problem: String(error) };
  } finally {
    raw?.socket.destroy();
  }
}

/** Events of each connection by the client's port. A port may serve again, one connection after the other: they are in order. */
function byPort(server: TestServer, before: number): Map<number, ServerEvent[][]> {
  const ofConnection = new Map<number, ServerEvent[]>();
  for (const event of server.events()) {
    if (event.connection === undefined) continue;
    const known = ofConnection.get(event.connection) ?? [];
    known.push(event);
    ofConnection.set(event.connection, known);
  }
  const found = new Map<number, ServerEvent[][]>();
  for (const { fields, connection = 0 } of server.events("connection.accepted").slice(before)) {
    const port = Number(fields["remotePort"]);
    found.set(port, [...(found.get(port) ?? []), ofConnection.get(connection) ?? []]);
  }
  return found;
}

/** One test for each row. */
export async function endsEach(t: Test, server: TestServer, rows: readonly HostileRow[]) {
  const before = server.events("connection.accepted").length;
  /** In the order of their ends. */
  const outcomes = new Map<HostileRow, Outcome>();
  const waiting = [...rows];
  const work = async (): Promise<void> => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift())
      outcomes.set(row, await perform(row, server));
  };
  await Promise.all(Array.from({ length: rowsAtOnce }, work));
  await server.endedConnections();
  const events = byPort(server, before);
  for (const [row, outcome] of outcomes) {
    const told = events.get(outcome.port)?.shift() ?? [];
    void t.test(`The server ends a connection: ${row.name}`, (t) => {
      const ends = told.filter(({ code }) => code === "connection.ended");
      const reasons = told.filter(({ code }) => code === row.code);
      t.match(
        {
          problem: outcome.problem,
          disconnect: outcome.disconnect,
          events: reasons.length,
          text: reasons[0]?.msg ?? "",
          ends: ends.map(({ fields }) => fields["end"]),
          alarms: told.filter(({ level }) => level === "fatal").length,
        },
        {
          problem: "",
          ...(row.disconnect === undefined ? {} : { disconnect: row.disconnect }),
          events: 1,
          ...(row.text === undefined ? {} : { text: row.text }),
          ends: [row.end],
          alarms: 0,
        },
        told.map(({ code, msg }) => `${code}: ${msg}`).join("; "),
      );
      t.end();
    });
  }
}
