// -i: one connection on standard input and output. The same processes as ever, for it alone.
import { fstatSync } from "node:fs";
import { closeFd, dupFd, openFd } from "../native/descriptors.ts";
import { setNoDelay, socketAddresses } from "../native/sockets.ts";
import { sayMissingLayer } from "./say-missing-layer.ts";
import { relayEvent, sayEnded, sayPairFailed } from "./listener/say.ts";
import { violationPatienceMs } from "./log/violation-events.ts";
import type { Connection } from "./pool/pair.ts";
import { Pool } from "./pool/pool.ts";
import { Supervisor, type SupervisorOptions } from "./pool/supervisor.ts";
import type { Settings } from "./settings.ts";
import { waitPid } from "../native/process.ts";

const failure = 255;
const O_RDWR = 2;
/** What sshd says of a connection that is no TCP socket. */
const unknown = { address: "UNKNOWN", port: 65_535, localAddress: "UNKNOWN", localPort: 65_535 };

interface Ends {
  readonly connection: Connection;
  readonly fd: number;
  readonly outputFd: number | undefined;
}

/** Standard input and output, taken from this process, which keeps /dev/null in their place. */
function takeStandardStreams(): Ends {
  const [input, output] = [fstatSync(0), fstatSync(1)];
  const isOne = input.isSocket() && input.ino === output.ino && input.dev === output.dev;
  const addresses = input.isSocket() ? socketAddresses(0) : null;
  const fd = dupFd(0);
  const outputFd = isOne ? undefined : dupFd(1);
  for (const number of [0, 1]) {
    closeFd(number);
    openFd("/dev/null", O_RDWR, 0);
  }
  if (addresses !== null) setNoDelay(fd);
  const { address, port, localAddress, localPort } = addresses ?? unknown;
  const acceptedMs = performance.now();
  const connection = {
    number: 1,
    remoteAddress: address,
    remotePort: port,
    localAddress,
    localPort,
    acceptedMs,
  };
  return { connection, fd, outputFd };
}

export function serveInetd(settings: Settings, options: SupervisorOptions): void {
  const { events } = options;
  let isEnding = false;
  const end = (status: number): void => {
    isEnding = true;
    pool.close();
    supervisor.close();
    process.exit(status);
  };
  const pool = new Pool(options.poller, {
    event: (pair, event) => {
      relayEvent(events, pair, event);
    },
    login: (_, identity, sessionFd) => {
      supervisor.login(identity, sessionFd, () => undefined);
    },
    ended: (pair, connection, ending, fault) => {
      sayEnded(events, pair, connection, ending, fault);
      // The kernel may be about to name the call (log/violation-events.ts).
      if (ending.end === "violation") setTimeout(end, violationPatienceMs, failure);
      else end(ending.end === "ok" ? 0 : failure);
    },
    failed: (pair, fault) => {
      sayPairFailed(events, pair, fault);
    },
    refused: () => {
      if (isEnding) return; // why has been said
      events.event("error", "connection.refused", "no session process could be had");
      end(failure);
    },
    missingLayer: (layer) => {
      sayMissingLayer(events, "session processes lack", layer);
    },
  });
  const supervisor = new Supervisor(options, pool, {
    unfit: () => {
      end(failure);
    },
    loaded: (_, keys, errors) => {
      for (const error of errors) events.event("error", "host-key.failed", error);
      if (keys.length > 0) return true;
      events.event("info", "host-key.none", "sshd: no hostkeys available -- exiting.");
      end(1);
      return false;
    },
    ready: () => undefined,
  });
  process.on("SIGCHLD", () => {
    for (;;) {
      try {
        const ended = waitPid(-1, true);
        if (ended === null) return;
        const bySignal = ended.signal !== undefined;
        supervisor.reaped(ended.pid, { status: ended.signal ?? ended.status ?? 0, bySignal });
      } catch {
        return; // ECHILD
      }
    }
  });
  // ssh hangs up on its ProxyCommand when it is done; the end of its pipe is what ends the connection, and the log gets its last lines.
  process.on("SIGHUP", () => undefined);
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      for (const pair of pool.serving) pair.stop();
      if (pool.serving.size === 0) end(failure);
    });
  supervisor.apply(settings);
  const { connection, fd, outputFd } = takeStandardStreams();
  pool.serve(connection, fd, outputFd);
}
