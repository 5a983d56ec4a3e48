// Logs in as a client that nobody here wrote (ssh2), runs a command, and says how long each step took: for health checks, and for the
// self-test of `npm start`.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { parseArgs } from "node:util";
import ssh2 from "ssh2";

const help = `usage: sallyport probe [--host HOST] [--port PORT] --user USER --identity FILE [OPTIONS]

  --host HOST            default 127.0.0.1
  --port PORT            default 22
  --user USER            whom to log in as
  --identity FILE        private key (no passphrase)
  --fingerprint SHA256:  the host key must have this fingerprint
  --command COMMAND      what to run (default: true)
  --timeout SECONDS      for all of it (default 10)
  --json                 one object

Exit status: 0 the command ended with 0; 1 it did not, or there was no login; 2 the call was wrong.`;

/** A day: beyond 24 days timers overflow, and nobody waits that long. */
const maxTimeoutSeconds = 86_400;

export interface Outcome {
  readonly ok: boolean;
  readonly error?: string;
  readonly fingerprint?: string;
  /** Milliseconds from the start. */
  readonly connectedMs?: number;
  readonly authenticatedMs?: number;
  readonly doneMs?: number;
  readonly exitStatus?: number;
}
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly privateKey: Buffer;
  readonly fingerprint: string | undefined;
  readonly command: string;
  readonly timeoutMs: number;
}

/** Logs in, runs the command, and leaves. Never rejects: what went wrong is in `error`. */
export function login(target: Target): Promise<Outcome> {
  const began = performance.now();
  const elapsed = (): number => Math.round(10 * (performance.now() - began)) / 10;
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    let seen: Partial<Outcome> = {};
    const end = (outcome: { ok: boolean; error?: string; exitStatus?: number }): void => {
      clearTimeout(deadline);
      client.destroy();
      resolve({ ...seen, ...outcome, doneMs: elapsed() });
    };
    const deadline = setTimeout(() => {
      end({ ok: false, error: `no answer in ${target.timeoutMs / 1000} seconds` });
    }, target.timeoutMs);
    client.on("error", (error) => {
      end({ ok: false, error: error.message });
    });
    client.on("ready", () => {
      seen = { ...seen, authenticatedMs: elapsed() };
      client.exec(target.command, (error, channel) => {
        if (error !== undefined) {
          end({ ok: false, error: error.message });
          return;
        }
        channel.resume();
        channel.stderr.resume();
        channel.on("close", (status: number | null) => {
          if (status === 0) end({ ok: true, exitStatus: 0 });
          else
            end({
              ok: false,
              error: `the command ended with ${status ?? "a signal"}`,
              exitStatus: status ?? 255,
            });
        });
      });
    });
    const socket = connect(target.port, target.host, () => {
      seen = { ...seen, connectedMs: elapsed() };
    });
    client.connect({
      sock: socket,
      username: target.username,
      privateKey: target.privateKey,
      hostVerifier: (key: Buffer) => {
        const fingerprint = `SHA256:${createHash("sha256").update(key).digest("base64").replaceAll("=", "")}`;
        seen = { ...seen, fingerprint };
        return target.fingerprint === undefined || target.fingerprint === fingerprint;
      },
    });
  });
}

/** The exit status. */
export async function probe(args: readonly string[]): Promise<number> {
  const wrong = (text: string): number => {
    console.error(`sallyport probe: ${text}`);
    return 2;
  };
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: "22" },
        user: { type: "string" },
        identity: { type: "string" },
        fingerprint: { type: "string" },
        command: { type: "string", default: "true" },
        timeout: { type: "string", default: "10" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (values.help) {
    console.log(help);
    return 0;
  }
  const { user, identity } = values;
  const [port, timeout] = [Number(values.port), Number(values.timeout)];
  if (user === undefined || identity === undefined)
    return wrong("--user and --identity are needed; see --help");
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return wrong(`--port ${values.port} is not a port`);
  if (!(timeout > 0 && timeout <= maxTimeoutSeconds))
    return wrong(
      `--timeout ${values.timeout} is not a number of seconds up to ${maxTimeoutSeconds}`,
    );
  let privateKey: Buffer;
  try {
    privateKey = readFileSync(identity);
  } catch (error) {
    return wrong(
      `cannot read ${identity}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) return wrong(`cannot use ${identity}: ${parsed.message}`);
  if (!parsed.isPrivateKey()) return wrong(`cannot use ${identity}: it is a public key`);
  const { host, command, fingerprint } = values;
  const outcome = await login({
    host,
    port,
    username: user,
    privateKey,
    fingerprint,
    command,
    timeoutMs: timeout * 1000,
  });
  if (values.json) console.log(JSON.stringify(outcome));
  else if (outcome.ok) {
    const { connectedMs = 0, authenticatedMs = 0, doneMs = 0 } = outcome;
    console.log(
      `${user}@${host}:${port} connected after ${connectedMs} ms, logged in after ${authenticatedMs} ms, done after ${doneMs} ms`,
    );
  } else console.error(`sallyport probe: ${user}@${host}:${port}: ${outcome.error ?? "failed"}`);
  return outcome.ok ? 0 : 1;
}
