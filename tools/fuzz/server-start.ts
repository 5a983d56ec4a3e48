// The server that is fuzzed: one of our own, started for it, or one that runs on this machine.
import { randomBytes } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import { EventLog } from "../../fuzz/server/event-log.ts";
import type { Examined } from "../../fuzz/server/examine.ts";
import { Watch } from "../../fuzz/server/watch.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { OwnServer } from "../../lab/own-server.ts";
import { serverMutantById } from "../../lab/session-mutants.ts";

export interface Started {
  readonly examined: Examined;
  /** Nothing of it is left afterwards. */
  readonly stop: () => Promise<void>;
}

const warmPairs = 2;

/** Throws RangeError, in one line, for what is missing. */
export async function startOwn(user: string, mutant: string | null): Promise<Started> {
  const patches = mutant === null ? null : serverMutantById(mutant).patches;
  if (process.getuid?.() !== 0)
    throw new RangeError("a server of its own needs root: sudo bin/sallyport fuzz server (or --address for one that runs)"); // prettier-ignore
  const key = new LabKey("visitor", randomBytes(32));
  const hostSeed = randomBytes(32);
  const server = await OwnServer.start({
    name: "fuzz-server",
    user,
    key,
    address: "127.0.0.1",
    patches,
    hostKey: new LabKey("host", hostSeed),
    config: [
      `WarmPairs ${warmPairs}`,
      "MaxStartups 1000",
      "LogLevel DEBUG3",
      // Data in both directions, and nothing else: it ends with its input.
      "ForceCommand /bin/cat",
      "PermitTTY yes",
      "MaxAuthTries 20",
    ],
  });
  try {
    const events = new EventLog(`${server.folder}/events`);
    return {
      examined: {
        target: { host: "127.0.0.1", port: server.port, account: { user, key } },
        events,
        watch: new Watch(server.pid, warmPairs),
        logFiles: [`${server.folder}/events`, `${server.folder}/log`],
        secrets: new Map([["the private host key", hostSeed]]),
        isRunning: () => server.isRunning,
      },
      stop: () => {
        events.close();
        return server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** 127.0.0.0/8 or [::1], and a port. Throws RangeError, naming what else it is. */
export function loopbackAddress(given: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits = ""] =
    /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(given) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || host === "" || port < 1 || port > 65_535)
    throw new RangeError(`--address ${JSON.stringify(given)} is not HOST:PORT, such as 127.0.0.1:2222 or [::1]:2222`); // prettier-ignore
  const isLoopback = (isIPv4(host) && host.startsWith("127.")) || (isIPv6(host) && host === "::1");
  if (!isLoopback) throw new RangeError(`--address ${JSON.stringify(given)} is refused: ${JSON.stringify(host)} is no address of the loopback (127.0.0.0/8 or [::1]); see --help for why`); // prettier-ignore
  return { host, port };
}

/** One that runs already. Throws RangeError when the event log cannot be read. */
export function pointAt(address: string, eventLog: string | undefined): Started {
  const { host, port } = loopbackAddress(address);
  let events: EventLog | null = null;
  if (eventLog !== undefined)
    try {
      events = new EventLog(eventLog);
    } catch (error) {
      throw new RangeError(`cannot read ${eventLog}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, { cause: error }); // prettier-ignore
    }
  return {
    examined: {
      target: { host, port, account: null },
      events,
      watch: null,
      logFiles: eventLog === undefined ? [] : [eventLog],
      secrets: new Map(),
      isRunning: () => true,
    },
    stop: () => {
      events?.close();
      return Promise.resolve();
    },
  };
}
