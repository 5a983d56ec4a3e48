// Whether a process dies with its parent; `argv[2]` names the case. Prints JSON.
import { asUser, setParentDeathSignal } from "../../../native/confine.ts";
import { closeFd, pipeFds, readFd, writeFd } from "../../../native/descriptors.ts";
import {
  currentPid,
  exitNow,
  forkProcess,
  prepareFork,
  waitPid,
  waitReadable,
} from "../../../native/process.ts";
import { code, say } from "./report.ts";

const SIGKILL = 9;
prepareFork();

const cases: Record<string, () => void> = {
  /** As `sleeper` tells: the signal that a change of identity makes the kernel forget is there again. */
  asUserDeathSignal: () => {
    sleeper((tell) => {
      setParentDeathSignal(SIGKILL);
      asUser(1234, 2345, [], () => 1);
      tell();
    });
  },
  deathSignal: () => {
    sleeper((tell) => {
      setParentDeathSignal(SIGKILL);
      tell();
    });
  },
  /** The parent is gone before the call. */
  deathSignalLate: () => {
    const [goReader, goWriter] = pipeFds();
    const [reader, writer] = pipeFds();
    const middle = forkProcess(false);
    if (middle === 0) {
      if (forkProcess(false) !== 0) exitNow(0);
      readFd(goReader, new Uint8Array(1), 0, 1);
      const answer = Buffer.from(
        code(() => {
          setParentDeathSignal(SIGKILL);
        }),
      );
      writeFd(writer, answer, 0, answer.length);
      exitNow(0);
    }
    waitPid(middle, false);
    writeFd(goWriter, new Uint8Array(1), 0, 1);
    const buffer = new Uint8Array(64);
    say({ error: Buffer.from(buffer.subarray(0, readFd(reader, buffer, 0, 64))).toString() });
  },
};

/** A grandchild whose parent dies after it has told that it is ready: says whether it died too. */
function sleeper(prepare: (tell: () => void) => void): void {
  const [reader, writer] = pipeFds();
  const [goReader, goWriter] = pipeFds();
  const middle = forkProcess(false);
  if (middle === 0) {
    const pid = forkProcess(false);
    if (pid === 0) {
      closeFd(goWriter);
      prepare(() => {
        const text = Buffer.from(String(currentPid()));
        writeFd(writer, text, 0, text.length);
      });
      // Alive until killed; the pipe's end that it holds tells when that is.
      for (;;) waitReadable(new Int32Array(0), -1);
    }
    readFd(goReader, new Uint8Array(1), 0, 1);
    exitNow(0);
  }
  closeFd(writer);
  const buffer = new Uint8Array(32);
  readFd(reader, buffer, 0, buffer.length); // it is ready
  writeFd(goWriter, new Uint8Array(1), 0, 1); // its parent may die
  waitPid(middle, false);
  const ended =
    waitReadable(Int32Array.of(reader), 10_000).length === 1 && readFd(reader, buffer, 0, 1) === 0;
  say({ ended });
}

cases[process.argv[2] ?? ""]?.();
