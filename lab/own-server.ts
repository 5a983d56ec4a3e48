// A whole server, as root, on an address of the loopback, whose one user may do nothing that is worth stealing: a server with a bug must not be
// anybody's way to root. The built one, or a patched copy.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"; // prettier-ignore
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { LabKey } from "./lab-key.ts";
import { makePatchedTree } from "./patched-tree.ts";
import type { Patch } from "./patches.ts";
import type { ServerEvent } from "./real-talk.ts";

/** Far above what a start takes. */
const startMs = 30_000;
const lookEveryMs = 20;
const builtProgram = fileURLToPath(
  new URL(import.meta.url.includes("/dist/lab/") ? "../../bin/sallyportd" : "../bin/sallyportd", import.meta.url), // prettier-ignore
);

export interface OwnServerOptions {
  /** Whose it is, for the name of its folder. */
  readonly name: string;
  /** Who may log in, with that key and no other. */
  readonly user: string;
  readonly key: LabKey;
  /** Of the loopback. */
  readonly address: string;
  /** Lines of sshd_config before all others, so that they win. */
  readonly config: readonly string[];
  /** Blocks of Match, which come last. */
  readonly matches?: readonly string[];
  /** Absent: a new one. */
  readonly hostKey?: LabKey;
  /** Changes to a copy of the server; null: the server as it is built. */
  readonly patches: readonly Patch[] | null;
}

export class OwnServer {
  readonly folder: string;
  readonly hostKeyBlob: Uint8Array;
  readonly #child: ChildProcess;
  port = 0;

  private constructor(folder: string, child: ChildProcess, hostKeyBlob: Uint8Array) {
    this.folder = folder;
    this.#child = child;
    this.hostKeyBlob = hostKeyBlob;
  }

  /** Listens when this returns. Throws RangeError, in one line, for what is missing. */
  static async start(options: OwnServerOptions): Promise<OwnServer> {
    const { user } = options;
    if (!/^[a-z_][a-z0-9_-]*$/i.test(user)) throw new RangeError(`--user ${JSON.stringify(user)} is no name`); // prettier-ignore
    if (user === "root") throw new RangeError("--user root: whoever it is, not root");
    run("id", [user], `no user ${user}`);
    run("id", ["sallyport"], "no user sallyport for privilege separation: npm start makes it");
    const folder = mkdtempSync(`/var/tmp/sallyport-${options.name}.`);
    try {
      return await OwnServer.#startIn(folder, options);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  static async #startIn(
    folder: string,
    { user, key, address, config, matches = [], hostKey, patches }: OwnServerOptions,
  ): Promise<OwnServer> {
    if (patches !== null) makePatchedTree(folder, patches);
    chmodSync(folder, 0o755); // the user's own key file is read as the user
    mkdirSync(`${folder}/keys`);
    writeFileSync(`${folder}/keys/${user}`, key.line());
    const hostKeyFile = `${folder}/host-key`;
    if (hostKey === undefined)
      run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", hostKeyFile], "ssh-keygen is missing: apt-get install openssh-client"); // prettier-ignore
    else writeFileSync(hostKeyFile, hostKey.privateKeyFile(), { mode: 0o600 });
    const blob = hostKey?.blob ?? Buffer.from(readFileSync(`${hostKeyFile}.pub`, "utf8").split(" ")[1] ?? "", "base64"); // prettier-ignore
    const lines = [
      ...config,
      "Port 0",
      `ListenAddress ${address}`,
      `HostKey ${hostKeyFile}`,
      `PidFile ${folder}/pid`,
      `EventLog ${folder}/events`,
      `AuthorizedKeysFile ${folder}/keys/%u`,
      "LogLevel DEBUG1",
      "WarmPairs 1",
      "StrictModes no",
      "PermitRootLogin no",
      `AllowUsers ${user}`,
      "ForceCommand /bin/true",
      "PermitTTY no",
      "PermitUserRC no",
      ...matches,
    ];
    writeFileSync(`${folder}/config`, `${lines.join("\n")}\n`);
    const args = ["-D", "-f", `${folder}/config`, "-E", `${folder}/log`];
    const program = patches === null ? builtProgram : `${folder}/bin/sallyportd`;
    const child = spawn(program, args, { stdio: "ignore" });
    const server = new OwnServer(folder, child, blob);
    const deadline = performance.now() + startMs;
    for (;;) {
      await pause(lookEveryMs);
      server.port = server.portOf(address);
      if (server.port > 0) return server;
      if (!server.isRunning || performance.now() > deadline) {
        const last = server.#lastLine();
        await server.stop();
        throw new RangeError(`the server did not start: ${last}`);
      }
    }
  }

  /** Where it listens on that address; 0: not there, or not yet. */
  portOf(address: string): number {
    const listening = this.events().find(({ code, fields }) => code === "listening" && fields["address"] === address); // prettier-ignore
    return Number(listening?.fields["port"] ?? 0);
  }

  /** Of the listener. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  events(): ServerEvent[] {
    const file = `${this.folder}/events`;
    if (!existsSync(file)) return [];
    const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line) as ServerEvent); // our own server's
  }

  #lastLine(): string {
    const file = `${this.folder}/log`;
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split(/\r?\n/) : [];
    return lines.at(-1) ?? "";
  }

  /** Nothing of it is left afterwards. */
  async stop(): Promise<void> {
    if (this.isRunning) {
      const ended = new Promise((resolve) => this.#child.once("exit", resolve));
      this.#child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], problem: string): void {
  try {
    execFileSync(program, args, { stdio: "ignore" });
  } catch (cause) {
    throw new RangeError(problem, { cause });
  }
}
