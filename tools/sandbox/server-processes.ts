// The processes of a running server, by who started whom. A title is believed only where that parent has such children: a user's own
// program, below a worker, can call itself what it likes.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadConfig, type Config } from "../../config/load.ts";
import { SandboxError } from "./sandbox-error.ts";

export const roles = ["listener", "spawner", "signer", "zygote", "broker", "session", "login", "worker"] as const; // prettier-ignore
export type Role = (typeof roles)[number];
const childrenOf: Readonly<Record<Role, readonly Role[]>> = {
  listener: ["spawner", "signer", "zygote"],
  spawner: ["signer", "zygote"],
  signer: [],
  zygote: ["broker", "login", "worker"],
  broker: ["session"],
  session: [],
  login: [],
  worker: [],
};

export interface ServerProcess {
  readonly role: Role;
  readonly pid: number;
  readonly parent: number;
  readonly title: string;
}

function titleOf(pid: number | string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
  } catch {
    return ""; // it has ended
  }
}
function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold anything, so the fields begin behind the last bracket.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}
const isListener = (title: string): boolean => /^sallyportd: .*\[listener\]/.test(title);

/** The listener and all below it, parents first. Throws SandboxError when `pid` is no listener of ours. */
export function serverProcesses(pid: number): ServerProcess[] {
  const title = titleOf(pid);
  if (!isListener(title)) throw new SandboxError(`process ${pid} is no listener of sallyportd`);
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(name);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: ServerProcess[] = [{ role: "listener", pid, parent: 0, title }];
  // Grows while it is walked.
  for (const { pid: parent, role } of found)
    for (const child of children.get(parent) ?? []) {
      const childTitle = titleOf(child);
      const childRole = childrenOf[role].find((name) => childTitle.startsWith(`sallyportd: ${name}`)); // prettier-ignore
      if (childRole !== undefined)
        found.push({ role: childRole, pid: child, parent, title: childTitle });
    }
  return found.sort((one, other) => roles.indexOf(one.role) - roles.indexOf(other.role));
}

/** sallyportd's own default. */
const defaultFile = "/etc/ssh/sshd_config";
/** `npm start`'s. */
const startFile = fileURLToPath(new URL("../../../var/sshd_config", import.meta.url));

export interface RunningServer {
  readonly pid: number;
  readonly config: Config;
}

function serverOf(file: string): RunningServer | undefined {
  const config = loadConfig({ file });
  const { pidFile } = config.global;
  if (pidFile === "none" || !existsSync(pidFile)) return undefined;
  const pid = Number(readFileSync(pidFile, "latin1").trim());
  return Number.isInteger(pid) && pid > 0 && isListener(titleOf(pid)) ? { pid, config } : undefined;
}

/** By its pid, by its configuration's PidFile, or one of the usual two. Throws SandboxError when none runs. */
export function findServer({
  file,
  pid,
}: {
  file?: string | undefined;
  pid?: number | undefined;
}): RunningServer {
  const files =
    file === undefined ? [defaultFile, startFile].filter((path) => existsSync(path)) : [file];
  try {
    if (pid !== undefined) return { pid, config: loadConfig({ file: files[0] ?? "none" }) };
    for (const path of files) {
      const server = serverOf(path);
      if (server !== undefined) return server;
    }
  } catch (error) {
    throw new SandboxError(error instanceof Error ? error.message : String(error));
  }
  throw new SandboxError(
    files.length === 0
      ? `no server runs: there is neither ${defaultFile} nor ${startFile}; see -f and --pid`
      : `no server runs by the PidFile of ${files.join(" or ")}; see -f and --pid`,
  );
}
