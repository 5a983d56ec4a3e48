// A process that is confined as the listener is tries all of these, none of which ends it; `argv[2]` is a folder. Prints, as JSON, what came of each.
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { chrootTo, setIds } from "../../../native/confine.ts";
import { exitNow, forkProcess, killPid, remakeLoop } from "../../../native/process.ts";
import { listenTcp, seqpacketPair } from "../../../native/sockets.ts";
import { threadReport } from "../../../native/threads.ts";
import { confineListener } from "../../../sandbox/confine-listener.ts";
import { code, say } from "./report.ts";

const [folder = ""] = process.argv.slice(2);
remakeLoop();
const missing = confineListener({
  isRoot: true,
  required: new Set(["capabilities", "landlock", "noNewPrivs", "seccomp"]),
  writableFolders: [`${folder}/logs`, `${folder}/absent`],
  pidFile: `${folder}/run/pid`,
  usesAbstractSocket: false,
});

const attempts: Record<string, () => unknown> = {
  exec: () => code(() => execFileSync("/bin/true")),
  fork: () => code(() => forkProcess(false)),
  write: () => code(() => { writeFileSync(`${folder}/elsewhere`, ""); }), // prettier-ignore
  over: () => code(() => { writeFileSync("/etc/passwd", ""); }), // prettier-ignore
  unlink: () => code(() => { rmSync(`${folder}/kept`); }), // prettier-ignore
  rename: () => code(() => { renameSync(`${folder}/kept`, `${folder}/logs/kept`); }), // prettier-ignore
  /** What a root that is free below /run could do. */
  unit: () => code(() => { writeFileSync(`${folder}/run/systemd/system/mine.service`, ""); }), // prettier-ignore
  besidePidFile: () => code(() => { writeFileSync(`${folder}/run/other`, ""); }), // prettier-ignore
  chroot: () => code(() => { chrootTo(folder); }), // prettier-ignore
  becomeUser: () => code(() => { setIds(1234, 1234, []); }), // prettier-ignore
  /** What it is for. */
  log: () => code(() => { writeFileSync(`${folder}/logs/log`, "line\n", { flag: "a" }); }), // prettier-ignore
  pidFile: () => code(() => { writeFileSync(`${folder}/run/pid`, "1\n"); rmSync(`${folder}/run/pid`); }), // prettier-ignore
  read: () => readFileSync(`${folder}/kept`, "latin1"),
  listen: () => code(() => listenTcp("127.0.0.1", 0, 1)),
  pair: () => code(() => seqpacketPair()),
  signal: () => code(() => killPid(process.pid, 0)),
  threads: () => [
    missing,
    ...new Set(threadReport().map(({ noNewPrivs, seccomp, capabilities: { effective, permitted, bounding } }) => `${noNewPrivs} ${seccomp} ${effective} ${permitted} ${bounding}`)), // prettier-ignore
  ],
};
say(Object.fromEntries(Object.entries(attempts).map(([name, attempt]) => [name, attempt()])));
exitNow(0);
