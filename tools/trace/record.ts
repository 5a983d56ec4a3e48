// `sallyport trace record`: starts a server of its own on a loopback port (server.ts), has ssh log in to it once, and writes what was said.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { userInfo } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runtimeFlags } from "../../daemon/runtime.ts";
import type { Trace } from "./format.ts";
import { parseTrace, TraceError } from "./read.ts";
import { visible } from "./visible.ts";

export const recordHelp = `usage: sallyport trace record [-o FILE] [-f CONFIG] [--set "KEYWORD VALUE"]... [--user USER] [--identity KEY]
                              [--command COMMAND | --wait] [-- SSH-ARGUMENTS]

Starts a server of its own on a loopback port, with the processes, uids and sandboxes of the real one, logs in to it once with ssh,
and writes the broker's conversation as JSONL. Must run as root. Refused connections are recorded like others.

  -o FILE            where to (default trace.jsonl; "-" is standard output)
  -f CONFIG          an sshd_config: its host keys and rules, not its addresses (default: none, and a host key for this time)
  --set LINE         a line in front of it, as -o of sallyportd
  --user USER        who logs in (default: who called sudo, or you), with a key made for this time that is accepted
  --identity KEY     log in with this private key instead; what accepts it is the configuration's to say
  --command COMMAND  what runs there (default: true)
  --wait             start no ssh: print the line to type, and record who comes first`;

/** Ours alone: StrictModes wants every folder above a key file to be nobody else's to write. */
const folder = "/run/sallyport";
/** ssh has ended; its connection may still stand in the backlog. */
const acceptGraceMs = 3000;
/** Lines of a wrong configuration that are told. */
const maxComplaints = 3;
const serverProgram = fileURLToPath(new URL("server.js", import.meta.url));

interface Options {
  readonly config: string;
  readonly lines: readonly string[];
  readonly user: string;
  readonly identity: string | undefined;
  readonly command: string;
  readonly wait: boolean;
  readonly sshArguments: readonly string[];
  /** The command's output must not be mixed with the trace. */
  readonly toStdout: boolean;
}

function makeKey(path: string): void {
  try {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "sallyport-trace", "-f", path]); // prettier-ignore
  } catch (cause) {
    throw new TraceError("ssh-keygen is missing: apt-get install openssh-client", { cause });
  }
}

/** ssh as a stranger would have it: no configuration, no agent, no known hosts. */
function sshLine(port: number, key: string, { user, command, sshArguments }: Options): string[] {
  const options = [
    `Port=${port}`,
    `User=${user}`,
    `IdentityFile=${key}`,
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
  ];
  return ["-F", "none", ...sshArguments, ...options.flatMap((option) => ["-o", option]), "127.0.0.1", command]; // prettier-ignore
}

/** Resolves with what the server said; rejects when nobody came. */
function converse(server: ChildProcess, key: string, options: Options): Promise<string> {
  let said = "";
  let complaint = "";
  let isListening = false;
  let hasClient = false;
  return new Promise((done, reject) => {
    const start = (port: number): void => {
      const line = sshLine(port, key, options);
      if (options.wait) {
        process.stderr.write(`waiting for one connection:\n  ssh ${line.slice(0, -1).join(" ")}\n`);
        return;
      }
      const output = options.toStdout ? process.stderr : "inherit";
      const ssh = spawn("ssh", line, { stdio: ["ignore", output, "inherit"] });
      ssh.once("error", () => {
        reject(new TraceError("ssh is missing: apt-get install openssh-client"));
      });
      ssh.once("exit", () => {
        setTimeout(() => {
          if (!hasClient) reject(new TraceError("ssh ended without a connection"));
        }, acceptGraceMs).unref();
      });
    };
    server.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      const match = /^listening (\d+)\n/.exec(said);
      if (match !== null && !isListening) {
        isListening = true;
        start(Number(match[1]));
      }
      hasClient ||= /^accepted$/m.test(said);
    });
    // Before it listens, what it says is why it does not; later it is a log.
    server.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      if (isListening) process.stderr.write(chunk);
      else complaint += chunk;
    });
    server.once("error", reject);
    server.once("close", (status) => {
      if (status === 0) done(said.replace(/^listening \d+\naccepted\n/, ""));
      else {
        const why = complaint.trim().split("\n").slice(0, maxComplaints).join("; ");
        reject(new TraceError(why === "" ? "the recording server ended without a trace" : why));
      }
    });
  });
}

/** The text of a trace of one connection. Leaves nothing behind. */
async function recordOne(options: Options): Promise<string> {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const own = mkdtempSync(`${folder}/trace.`);
  let server: ChildProcess | undefined;
  const clean = (): void => {
    server?.kill("SIGTERM");
    rmSync(own, { recursive: true, force: true });
  };
  const interrupted = (): void => {
    clean();
    process.exit(1);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    chmodSync(own, 0o755); // the broker reads authorized keys as the user
    const lines = [...options.lines];
    const key = options.identity ?? `${own}/login`;
    if (options.identity === undefined) {
      makeKey(key);
      chmodSync(`${key}.pub`, 0o644);
      lines.push(`AuthorizedKeysFile ${key}.pub .ssh/authorized_keys`);
    }
    if (options.config === "none" && !lines.some((line) => /^\s*hostkey\b/i.test(line))) {
      makeKey(`${own}/host`);
      lines.push(`HostKey ${own}/host`);
    }
    const { PATH = "/usr/sbin:/usr/bin:/sbin:/bin" } = process.env;
    const args = [...runtimeFlags, serverProgram, options.config, ...lines];
    const stdio = ["pipe", "pipe", "pipe"] as const;
    server = spawn(process.execPath, args, { stdio: [...stdio], env: { PATH } });
    return await converse(server, key, options);
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    clean();
  }
}

/** What a person wants to know at once. */
function summary({ records }: Trace): string {
  const ended = records.find((record) => record.kind === "connection" && record.event === "ended");
  const login = records.find((record) => record.kind === "message" && record.message === "login" && record.from === "broker"); // prettier-ignore
  const how = ended?.kind === "connection" ? (ended.end ?? "unknown") : "unknown";
  const messages = records.filter(({ kind }) => kind === "message").length;
  const user = login?.kind === "message" ? login.fields["user"] : undefined;
  const who = typeof user === "string" ? `${visible(user)} logged in` : "no login";
  return `${messages} messages of ${records.length} records; ${who}; ended: ${how}`;
}

/** The exit status. */
export async function record(args: readonly string[]): Promise<number> {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    allowPositionals: true,
    tokens: true,
    options: {
      output: { type: "string", short: "o", default: "trace.jsonl" },
      config: { type: "string", short: "f", default: "none" },
      set: { type: "string", multiple: true, default: [] },
      user: { type: "string", default: process.env["SUDO_USER"] ?? userInfo().username },
      identity: { type: "string" },
      command: { type: "string" },
      wait: { type: "boolean", default: false },
    },
  });
  const { output, config, set, user, identity, command, wait } = values;
  const end = tokens.find(({ kind }) => kind === "option-terminator");
  const stray = tokens.find((token) => token.kind === "positional" && (end === undefined || token.index < end.index)); // prettier-ignore
  if (stray?.kind === "positional")
    throw new TraceError(`unexpected ${JSON.stringify(stray.value)}; arguments for ssh stand behind --`); // prettier-ignore
  if (wait && command !== undefined) throw new TraceError("--wait starts no ssh: no --command");
  if (process.getuid?.() !== 0) throw new TraceError("a server that logs users in must run as root: sudo sallyport trace record"); // prettier-ignore
  const text = await recordOne({
    config: config === "none" ? config : resolve(config),
    lines: set,
    user,
    identity: identity === undefined ? undefined : resolve(identity),
    command: command ?? "true",
    wait,
    sshArguments: positionals,
    toStdout: output === "-",
  });
  const trace = parseTrace(text, "the recording");
  if (output === "-") {
    process.stdout.write(text);
    return 0;
  }
  try {
    writeFileSync(output, text, { mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // fs sets it
    throw new TraceError(`cannot write ${output}: ${String(code)}`, { cause: error });
  }
  console.log(`${output}: ${summary(trace)}`);
  return 0;
}
