// `sallyport sandbox status`: every process of the running server as the kernel shows it, against what is required of its role.
import { statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { filtersOf, inheritedFilters } from "../../sandbox/inherited-filters.ts";
import { processFacts, type ProcessFacts } from "./process-facts.ts";
import { judge, requirementsOf, type Judgement, type Requirements } from "./requirements.ts";
import { SandboxError } from "./sandbox-error.ts";
import { findServer, serverProcesses, type ServerProcess } from "./server-processes.ts";
import { render } from "./status-output.ts";

export const statusHelp = `usage: sallyport sandbox status [-f FILE | --pid N] [--verbose] [--json]

  Shows each process of the running server, and whether what its role requires holds: by the code with which the server itself
  looks at them. As root.

  -f FILE      the server's configuration, for its PidFile; without: /etc/ssh/sshd_config, then that of \`npm start\`
  --pid N      the listener's pid
  --verbose    thread by thread, with capabilities, namespaces, limits and descriptors
  --json       all of it

Exit status: 0 everything that is required holds; 1 something does not; 2 the call was wrong, or no server was found.`;

export interface ProcessStatus extends ServerProcess, Judgement {
  readonly facts: ProcessFacts;
  /** Whose rules its filter has; none where it has no filter of its own. */
  readonly filter: string | null;
  /** No kernel shows these from outside: the process said at its start when it could not have them, and the server tells that in its log. */
  readonly mdwe: "unseen";
  readonly landlock: "unseen";
}

const filterOf = ({ role }: ServerProcess): string | null =>
  role === "session" || role === "signer" || role === "broker" || role === "listener" ? role : null;

function look(listenerPid: number, wanted: Requirements): ProcessStatus[] {
  return serverProcesses(listenerPid).flatMap((process) => {
    const facts = processFacts(process.pid, listenerPid);
    if (facts === undefined) return []; // it ended while it was looked at
    const isFiltered = facts.threads.some(({ seccomp }) => seccomp === 2);
    return [{ ...process, ...judge(process, facts, wanted), facts, filter: isFiltered ? filterOf(process) : null, mdwe: "unseen", landlock: "unseen" }]; // prettier-ignore
  });
}

/** What the server was started with: its zygote has it still, and nothing of ours. */
function filtersBefore(listenerPid: number): number {
  const zygote = serverProcesses(listenerPid).find(({ role }) => role === "zygote");
  return zygote === undefined ? inheritedFilters : filtersOf(zygote.pid);
}

/** A pair that was forked just now is still being confined: what is wrong is looked at again before it is said. */
const looks = 5;
const betweenLooksMs = 200;

async function lookAgain(listenerPid: number, wanted: Requirements): Promise<ProcessStatus[]> {
  for (let i = 1; ; i += 1) {
    const found = look(listenerPid, wanted);
    if (i === looks || found.every(({ verdict }) => verdict !== "broken")) return found;
    await pause(betweenLooksMs);
  }
}

/** The exit status. */
export async function status(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: "string", short: "f" },
      pid: { type: "string" },
      verbose: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  if (values.pid !== undefined && !/^[1-9]\d{0,9}$/.test(values.pid))
    throw new SandboxError(`${JSON.stringify(values.pid)} is no pid`);
  const { pid, config } = findServer({ file: values.config, pid: values.pid === undefined ? undefined : Number(values.pid) }); // prettier-ignore
  const uid = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? 0;
  if (process.getuid?.() !== 0 && process.getuid?.() !== uid)
    throw new SandboxError("only root can look at root's processes: run it with sudo");
  const processes = await lookAgain(pid, requirementsOf(config, uid, filtersBefore(pid)));
  const isGood = processes.every(({ verdict }) => verdict !== "broken");
  if (values.json) console.log(JSON.stringify({ holds: isGood, listener: pid, processes }, null, 1));
  else console.log(render(processes, { isVerbose: values.verbose, isColoured: process.stdout.isTTY && process.env["NO_COLOR"] === undefined })); // prettier-ignore
  return isGood ? 0 : 1;
}
