// The spawner: starts zygotes and signers for a listener that is confined and cannot. Nothing else can be asked of it: which program, which
// flags and which environment are its own. It waits in poll(2), and ends when the listener does.
import { maxMessageBytes } from "../../ipc/limits.ts";
import { decode, encode } from "../../ipc/protocol.ts";
import { spawnerAnswers, spawnerOrders, spawnerReports } from "../../ipc/spawner.ts";
import { closeFd } from "../../native/descriptors.ts";
import { exitNow, openPidFd, setTitle, waitPid, waitReadable } from "../../native/process.ts";
import { receiveMessage, sendMessage } from "../../native/sockets.ts";
import { heapFlags } from "../heap-flags.ts";
import { spawnOurs } from "../runtime.ts";

/** Orders and answers; reports; the first two descriptors are /dev/null, the third is read by the listener. */
const ordersFd = 3;
const reportsFd = 4;
const [nullFd, stderrFd] = [0, 2];
const forever = -1;
const fullBufferWaitMs = 5;

/** pidfd -> pid of what was started. */
const started = new Map<number, number>();
const buffer = new Uint8Array(maxMessageBytes + 1);

function send(fd: number, bytes: Uint8Array): void {
  // The listener always reads; this is for the moment in which its buffer is full.
  while (!sendMessage(fd, bytes, 0, bytes.length, []))
    waitReadable(new Int32Array(0), fullBufferWaitMs);
}

function start(program: "zygote" | "signer", fds: readonly number[]): Uint8Array {
  try {
    const pid = spawnOurs(program === "zygote" ? "zygote/start" : "signer/main", {
      flags: program === "zygote" ? ["--expose-gc", ...heapFlags] : [],
      fds: [nullFd, nullFd, stderrFd, ...fds],
      cwd: "/",
      detached: true,
    });
    started.set(openPidFd(pid), pid);
    return encode(spawnerAnswers, "started", 0, { pid });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return encode(spawnerAnswers, "failed", 0, { why: why.slice(0, 500) });
  }
}

/** False: the listener is gone. */
function order(): boolean {
  const received = receiveMessage(ordersFd, buffer);
  if (received === null) return true;
  if (received.length === 0) return false;
  // From our own listener: what cannot be read is a bug, and throws; the listener sees the end.
  const bytes = buffer.subarray(0, received.length);
  const { name } = decode(spawnerOrders, bytes, received.fds.length);
  const answer = start(name, received.fds);
  received.fds.forEach(closeFd);
  send(ordersFd, answer);
  return true;
}

function reap(pidFd: number): void {
  const pid = started.get(pidFd);
  const ended = pid === undefined ? null : waitPid(pid, true);
  if (pid === undefined || ended === null) return;
  closeFd(pidFd);
  started.delete(pidFd);
  const bySignal = ended.signal !== undefined;
  const status = ended.signal ?? ended.status ?? 0;
  send(reportsFd, encode(spawnerReports, "ended", 0, { pid, status, bySignal }));
}

setTitle("sallyportd: spawner");
for (;;) {
  const ready = waitReadable(Int32Array.from([ordersFd, ...started.keys()]), forever);
  for (const fd of ready) if (fd !== ordersFd) reap(fd);
  if (ready.includes(ordersFd) && !order()) break;
}
exitNow(0);
