// The server that `sallyport trace record` starts: the real pool, supervisor and processes on a loopback port of its own, with a listener
// that asked for recordings, for one connection. Started on the pinned runtime with the server's flags; argv: the configuration file and
// lines in front of it. Says `listening PORT` and `accepted` on stdout, then the trace, and ends; its log goes to stderr.
import { writeSync } from "node:fs";
import { parseFlags } from "../../config/flags.ts";
import { collectOutput } from "../../daemon/children-output.ts";
import { Acceptor } from "../../daemon/listener/acceptor.ts";
import { openListeningSockets } from "../../daemon/listener/listening-sockets.ts";
import { relayEvent, sayEnded, sayPairFailed } from "../../daemon/listener/say.ts";
import { Log } from "../../daemon/log/log.ts";
import { raiseOpenFilesLimit } from "../../daemon/open-files.ts";
import { Pool } from "../../daemon/pool/pool.ts";
import { Supervisor } from "../../daemon/pool/supervisor.ts";
import { runtimeFault } from "../../daemon/runtime.ts";
import { loadSettings } from "../../daemon/settings.ts";
import { openFd } from "../../native/descriptors.ts";
import { Poller } from "../../native/poller.ts";
import { setTitle, waitPid } from "../../native/process.ts";
import { draftOf } from "./from-report.ts";
import { Recorder } from "./recorder.ts";

const O_RDWR = 2;
const print = (line: string): void => {
  writeSync(1, `${line}\n`);
};

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

const fault = runtimeFault();
if (fault !== undefined) fail(fault);
const [file = "none", ...lines] = process.argv.slice(2);
const settings = (() => {
  try {
    const flags = parseFlags(["-f", file, ...lines.flatMap((line) => ["-o", line])]);
    return { ...loadSettings(flags), isRecorded: true, warmPairs: 1 };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
})();
setTitle("sallyportd: recorder");
raiseOpenFilesLimit(settings.openFiles);
process.umask(0o022);
const { global } = settings.config;
const events = new Log({ level: "error", output: "stderr", facility: global.syslogFacility, eventLog: "none" }); // prettier-ignore
const poller = new Poller();
const recorder = new Recorder((trace) => {
  for (const line of trace) print(line);
  process.exit(0);
});
let isListening = false;

function listen(): void {
  if (isListening) return;
  isListening = true;
  // Wherever the configuration would listen: this is for one connection from this machine.
  const loopback = { ...global, addressFamily: "any" as const, listenAddress: [{ address: "127.0.0.1", port: 0 }] }; // prettier-ignore
  const sockets = openListeningSockets(loopback, [], events);
  const acceptor = new Acceptor(poller, events, loopback, {
    accepted: (connection, fd) => {
      acceptor.stop();
      print("accepted");
      recorder.accepted(connection);
      pool.serve(connection, fd);
    },
    startups: () => 0,
  });
  acceptor.listen(sockets, loopback);
  print(`listening ${sockets[0]?.port ?? 0}`);
}

const pool: Pool = new Pool(poller, {
  event: (pair, event) => {
    recorder.served(pair);
    relayEvent(events, pair, event);
  },
  trace: (pair, report) => {
    recorder.trace(pair, draftOf(report));
    recorder.served(pair);
    // A pair is warm: births are part of the story.
    if (report.name === "ready") listen();
  },
  login: (_, identity, sessionFd) => {
    supervisor.login(identity, sessionFd, (pid) => {
      recorder.login(pid, identity);
    });
  },
  ended: (pair, connection, ending, brokerFault) => {
    sayEnded(events, pair, connection, ending, brokerFault);
    recorder.ended(ending);
  },
  failed: (pair, pairFault) => {
    sayPairFailed(events, pair, pairFault);
    if (!isListening) fail("no session process could be had");
  },
  refused: () => {
    fail("no session process could be had");
  },
  missingLayer: () => undefined,
});
const nullFd = openFd("/dev/null", O_RDWR, 0);
const supervisor = new Supervisor(
  {
    poller,
    events,
    nullFd,
    stderrFd: collectOutput(poller, events),
    zygoteTap: recorder.zygoteTap,
  },
  pool,
  {
    loaded: (_, keys, errors) => {
      if (keys.length === 0) fail(errors[0] ?? "no host key");
      return true;
    },
    ready: () => undefined,
  },
);
process.on("SIGCHLD", () => {
  for (;;) {
    let ended;
    try {
      ended = waitPid(-1, true);
    } catch {
      return; // no child is left
    }
    if (ended === null) return;
    const bySignal = ended.signal !== undefined;
    supervisor.reaped(ended.pid, { status: ended.signal ?? ended.status ?? 0, bySignal });
  }
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(1));
// Standard input is a pipe whose other end is with who wants the trace: it is readable when he is gone.
poller.set(0, true, false, () => process.exit(1));
supervisor.apply(settings);
