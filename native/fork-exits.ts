// How a forked child ends. Node's own way out joins threads of its platform, which a forked child does not have: it would hang.
import { addon } from "./addon.ts";
import { writeFd } from "./descriptors.ts";

const raw = addon as unknown as {
  exitNow: (status: number) => never;
  forkGeneration: () => number;
};
/** What Node exits with after an error that nobody caught. */
const uncaughtStatus = 1;
let hooked = false;

/** The error that is about to end the process, when no handler is going to take it. */
let fatal: { error: unknown } | undefined;

function statusOf(code: unknown): number {
  return typeof code === "number" || typeof code === "string" ? Number(code) & 0xff : 0;
}

/** To stderr with one write, as Node would; a confined process has no stderr, and that is no reason to hang. */
function report(error: unknown): void {
  const text = `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
  const bytes = Buffer.from(text);
  try {
    writeFd(2, bytes, 0, bytes.length);
  } catch {
    // Closed: the exit status says enough.
  }
}

/**
 * Makes `process.exit()`, an uncaught error and the natural end of the loop end a *forked* process at once by `_exit(2)`, with the
 * status that Node would give. Listeners of "exit" that were added before this still run; later ones do not. In the process
 * itself nothing changes.
 */
export function hookExits(): void {
  if (hooked) return;
  hooked = true;
  const born = raw.forkGeneration();
  const isForked = (): boolean => raw.forkGeneration() !== born;
  process.on("uncaughtExceptionMonitor", (error) => {
    const taken =
      process.listenerCount("uncaughtException") > 0 ||
      process.hasUncaughtExceptionCaptureCallback();
    if (!taken && isForked()) fatal = { error };
  });
  process.on("exit", (code) => {
    if (!isForked()) return;
    // Node prints it after this event, when we are gone.
    if (fatal !== undefined) report(fatal.error);
    raw.exitNow(fatal === undefined ? statusOf(process.exitCode ?? code) : uncaughtStatus);
  });
  // What process.exit() ends with, also when a listener of "exit" threw before ours.
  const host = process as unknown as { reallyExit(code?: number): never };
  const really = host.reallyExit.bind(process);
  host.reallyExit = (code?: number): never => {
    if (isForked()) raw.exitNow(statusOf(code));
    return really(code);
  };
}
