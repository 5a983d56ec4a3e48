// A child that is confined as a broker is tries one thing; `argv[2]` names it. Prints, as JSON, how the child ended and what it said.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createSocket } from "node:dgram";
import { asUser, chrootTo, setIds } from "../../../native/confine.ts";
import { closeFd, pipeFds, readFd, writeFd } from "../../../native/descriptors.ts";
import {
  exitNow,
  forkProcess,
  killPid,
  prepareFork,
  prlimit,
  waitPid,
  waitReadable,
} from "../../../native/process.ts";
import { connectDatagram, listenTcp } from "../../../native/sockets.ts";
import { userByName } from "../../../native/users.ts";
import { BrokerFilter, confineBroker } from "../../../sandbox/confine-broker.ts";
import { unconfinedBroker } from "../../../sandbox/verify-broker.ts";
import { code, say } from "./report.ts";

const attempt = process.argv[2] ?? "";
const usesDatabaseDaemons = process.argv[3] === "daemons";
const SIGKILL = 9;
const RLIMIT_NOFILE = 7;
prepareFork();
userByName("root"); // as the zygote: the services are loaded

const folder = mkdtempSync("/tmp/sallyport-broker-");
const mine = `${folder}/file`;
writeFileSync(mine, "before");

const asked = 7;
interface Sleeper {
  readonly pid: number;
  /** Wakes it up, and waits for its end: whether it ended because it was asked to, and not of a signal that was on its way. */
  lived(): boolean;
}
/** Forked first, asleep until it is killed or asked to end. */
const sleeper = (): Sleeper => {
  const [readEnd, writeEnd] = pipeFds();
  const pid = forkProcess(false);
  if (pid === 0) {
    waitReadable(Int32Array.of(readEnd), 60_000);
    exitNow(asked);
  }
  const lived = (): boolean => {
    writeFd(writeEnd, Uint8Array.of(0), 0, 1);
    return waitPid(pid, false)?.status === asked;
  };
  return { pid, lived };
};
const sleepers = { session: sleeper(), stranger: sleeper() };
const [session, stranger] = [sleepers.session.pid, sleepers.stranger.pid];

const attempts: Record<string, () => unknown> = {
  nothing: () => unconfinedBroker(process.pid, true),
  write: () => code(() => { writeFileSync(mine, "after"); }), // prettier-ignore
  create: () => code(() => { writeFileSync(`${folder}/new`, ""); }), // prettier-ignore
  unlink: () => code(() => { rmSync(mine); }), // prettier-ignore
  exec: () => code(() => execFileSync("/bin/true")),
  fork: () => forkProcess(false),
  udp: () => code(() => createSocket("udp4")),
  listen: () => code(() => listenTcp("127.0.0.1", 0, 1)),
  syslog: () => code(() => connectDatagram("/dev/log")),
  chroot: () => code(() => { chrootTo(folder); }), // prettier-ignore
  killStranger: () => killPid(stranger, SIGKILL),
  limitStranger: () => code(() => { prlimit(stranger, 0, 0, RLIMIT_NOFILE, 0, 0); }), // prettier-ignore
  /** What it is for. */
  killSession: () => killPid(session, SIGKILL),
  limitSession: () => code(() => { prlimit(session, 0, 0, RLIMIT_NOFILE, 0, 1024); }), // prettier-ignore
  readAsUser: () => asUser(1234, 1234, [], () => code(() => readFileSync("/etc/shadow"))),
  read: () => readFileSync(mine, "latin1"),
  lookUp: () => [userByName("root")?.uid, userByName("sallyport:nobody")],
  becomeUser: () => code(() => { setIds(1234, 1234, []); }), // prettier-ignore
};

const [readEnd, writeEnd] = pipeFds();
const child = forkProcess(false);
if (child === 0) {
  closeFd(readEnd);
  const filter = new BrokerFilter(usesDatabaseDaemons);
  confineBroker({ filter, isRoot: true, required: new Set() }, session);
  const said = new TextEncoder().encode(JSON.stringify(attempts[attempt]?.() ?? null));
  writeFd(writeEnd, said, 0, said.length);
  exitNow(0);
}
closeFd(writeEnd);
const ended = waitPid(child, false);
const buffer = new Uint8Array(4096);
const length = readFd(readEnd, buffer, 0, buffer.length);
const said = length <= 0 ? null : Buffer.from(buffer.subarray(0, length)).toString();
say({
  signal: ended?.signal ?? 0,
  said: said === null ? null : (JSON.parse(said) as unknown),
  file: readFileSync(mine, "latin1"),
  sessionLives: sleepers.session.lived(),
  strangerLives: sleepers.stranger.lived(),
});
rmSync(folder, { recursive: true });
exitNow(0);
