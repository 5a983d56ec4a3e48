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

/** Forked first, asleep until it is killed. */
const sleeper = (): number => {
  const pid = forkProcess(false);
  if (pid === 0) waitReadable(new Int32Array(0), 60_000);
  return pid;
};
const [session, stranger] = [sleeper(), sleeper()];

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
const alive = [session, stranger].map((pid) => waitPid(pid, true) === null);
for (const pid of [session, stranger]) killPid(pid, SIGKILL);
say({
  signal: ended?.signal ?? 0,
  said: said === null ? null : (JSON.parse(said) as unknown),
  file: readFileSync(mine, "latin1"),
  sessionLives: alive[0],
  strangerLives: alive[1],
});
rmSync(folder, { recursive: true });
exitNow(0);
