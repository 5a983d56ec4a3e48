// Does the session processes' filter fit this runtime on this machine? A canary (session/canary.ts) answers, once for each runtime, policy
// and kernel: what it has proved is remembered.
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs"; // prettier-ignore
import { release } from "node:os";
import { fileURLToPath } from "node:url";
import { closeFd, pipeFds, readFd, writeFd } from "../../native/descriptors.ts";
import { forkProcess, killPid, waitPid, waitReadable } from "../../native/process.ts";
import { sessionFilter } from "../../sandbox/confine-session.ts";
import { decodeViolation, describeCall, SIGSYS, violationStatus } from "../../sandbox/violation.ts";

/** What is in here can be deleted at any time: a canary then runs again. */
const rootFolder = "/var/cache/sallyport";
/** Old ones go when there are more. */
const maxRemembered = 64;
/** A canary takes less than two seconds of processor; this is for a machine that has none to spare. */
const patienceMs = 120_000;
const SIGKILL = 9;
const maxReportBytes = 4096;
/** Read by the listener, line by line. */
const stderrFd = 2;
const killed = "killed";

/** The compiled code that runs in session processes. */
const code = [
  "session",
  "session/ssh",
  "ipc",
  "native",
  "sandbox",
  "sandbox/architectures",
  "sandbox/policies",
  "config",
];

/** Everything that decides which calls a session process makes: the policy, the kernel, our code, and each library that is mapped. */
export function fitnessKey(): string {
  const hash = createHash("sha256");
  hash.update(sessionFilter).update(`${process.version} ${release()}\n`);
  const mapped = readFileSync("/proc/self/maps", "latin1").matchAll(/^\S+ r-xp \S+ \S+ \d+ +(\/.*)$/gm); // prettier-ignore
  for (const path of [...new Set([...mapped].map(([, name = ""]) => name))].sort()) {
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  for (const folder of code) {
    const path = fileURLToPath(new URL(`../../${folder}/`, import.meta.url));
    for (const name of readdirSync(path).sort())
      if (name.endsWith(".js"))
        hash.update(`${folder}/${name}\n`).update(readFileSync(path + name));
  }
  return hash.digest("hex");
}

/** Where it is remembered: a folder of our own that nobody else can write to. undefined where there is none. */
function cacheFolder(): string | undefined {
  const uid = process.geteuid?.() ?? 0;
  const folder = uid === 0 ? rootFolder : `/run/user/${uid}/sallyport`;
  try {
    mkdirSync(folder, { recursive: uid === 0, mode: 0o755 });
  } catch {
    // It is there, or cannot be made.
  }
  const seen = lstatSync(folder, { throwIfNoEntry: false });
  if (seen?.isDirectory() !== true || seen.uid !== uid || (seen.mode & 0o022) !== 0)
    return undefined;
  return folder;
}

function isRemembered(folder: string | undefined, key: string): boolean {
  if (folder === undefined) return false;
  return lstatSync(`${folder}/canary-${key}`, { throwIfNoEntry: false })?.isFile() === true;
}
function remember(folder: string | undefined, key: string): void {
  if (folder === undefined) return;
  try {
    const before = readdirSync(folder).filter((name) => name.startsWith("canary-"));
    if (before.length >= maxRemembered) for (const name of before) unlinkSync(`${folder}/${name}`);
    writeFileSync(`${folder}/canary-${key}`, "", { flag: "wx", mode: 0o644 });
  } catch {
    // A read-only file system, or another server was quicker.
  }
}

export type Fitness =
  /** In the forked child, which becomes the canary. */
  | { readonly isCanary: true; readonly reportFd: number }
  /** `fault` "": it fits; else why nobody must be served. */
  | { readonly isCanary: false; readonly fault: string; readonly seconds: number };

/** Forks a canary and waits for its end, unless one has been through all of this before. Single-threaded processes only. */
export function proveFitness(): Fitness {
  const folder = cacheFolder();
  const key = fitnessKey();
  if (isRemembered(folder, key)) return { isCanary: false, fault: "", seconds: 0 };
  const begunMs = performance.now();
  const [readEnd, reportFd] = pipeFds();
  const pid = forkProcess(true);
  if (pid === 0) {
    closeFd(readEnd);
    return { isCanary: true, reportFd };
  }
  closeFd(reportFd);
  const fault = judge(pid, readEnd);
  closeFd(readEnd);
  if (fault === "") remember(folder, key);
  if (fault === killed) {
    // It fills its heap, and a small container may not have that much. This says nothing of any call.
    const line = Buffer.from(
      "the sandbox's canary was killed (memory?): served without its proof\n",
    );
    writeFd(stderrFd, line, 0, line.length);
    return { isCanary: false, fault: "", seconds: 0 };
  }
  return { isCanary: false, fault, seconds: Math.round(performance.now() - begunMs) / 1000 };
}

/** Waits for the end of the canary, and says what was wrong. */
function judge(pid: number, readEnd: number): string {
  const report = Buffer.alloc(maxReportBytes);
  const endMs = performance.now() + patienceMs;
  let length = 0;
  for (;;) {
    const leftMs = Math.max(0, Math.ceil(endMs - performance.now()));
    if (waitReadable(Int32Array.of(readEnd), leftMs).length === 0) {
      killPid(pid, SIGKILL);
      waitPid(pid, false);
      return `it did not end within ${patienceMs / 1000} seconds`;
    }
    const count = length < report.length ? readFd(readEnd, report, length, report.length - length) : 0; // prettier-ignore
    if (count <= 0) break;
    length += count;
  }
  const said = report.subarray(0, length);
  const ended = waitPid(pid, false);
  const violation = decodeViolation(said);
  if (violation !== undefined || ended?.status === violationStatus) {
    const call = violation === undefined ? "a system call" : describeCall(violation);
    return `the policy of session processes lacks ${call}, which this runtime makes here`;
  }
  if (ended?.signal === SIGKILL) return killed;
  // The handler that names calls makes these two itself, and nothing else.
  if (ended?.signal === SIGSYS) return "the policy of session processes lacks write or exit_group";
  if (ended?.status === 0 && length === 0) return "";
  const how = ended?.signal === undefined ? `status ${ended?.status ?? 0}` : `signal ${ended.signal}`; // prettier-ignore
  return `it ended with ${how}: ${said.toString("utf8")}`;
}
