// A whole server for the console, as root: a patched copy on an address of the loopback, whose session processes obey the console, and whose one
// user may do nothing that is worth stealing. A broker with a bug, run as root, must not be anybody's way to root.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"; // prettier-ignore
import { setTimeout as pause } from "node:timers/promises";
import { LabKey } from "./lab-key.ts";
import { mutantById } from "./mutants.ts";
import { makePatchedTree } from "./patched-tree.ts";
import { RealTalk, type ServerEvent } from "./real-talk.ts";
import type { Scenario } from "./scenario.ts";
import { takenAddress, takeOverPatches } from "./take-over.ts";
import { TakenSessionClient } from "./taken-session-client.ts";

/** Far above what a start takes. */
const startMs = 30_000;
const lookEveryMs = 20;

export class RealServer {
  readonly scenario: Scenario;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #hostKey: Uint8Array;
  #port = 0;

  private constructor(folder: string, child: ChildProcess, key: LabKey, hostKey: Uint8Array) {
    this.#folder = folder;
    this.#child = child;
    this.#hostKey = hostKey;
    this.scenario = { config: [], users: [], files: new Map(), held: [key], known: [key], found: new Map() }; // prettier-ignore
  }

  /** Throws RangeError, in one line, for what is missing. */
  static async start(user: string, mutant: string | null): Promise<RealServer> {
    if (process.getuid?.() !== 0) throw new RangeError("--real needs root");
    if (user === "" || user === "root") throw new RangeError("--real needs --user USER, not root");
    if (!/^[a-z_][a-z0-9_-]*$/i.test(user)) throw new RangeError(`--user ${JSON.stringify(user)} is no name`); // prettier-ignore
    run("id", [user], `no user ${user}`);
    run("id", ["sallyport"], "no user sallyport for privilege separation: npm start makes it");
    const folder = mkdtempSync("/var/tmp/sallyport-console.");
    try {
      const key = new LabKey("visitor", randomBytes(32));
      const server = await RealServer.#startIn(folder, user, key, mutant);
      return server;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  static async #startIn(
    folder: string,
    user: string,
    key: LabKey,
    mutant: string | null,
  ): Promise<RealServer> {
    makePatchedTree(folder, [...takeOverPatches, ...(mutant === null ? [] : mutantById(mutant).patches)]); // prettier-ignore
    chmodSync(folder, 0o755); // the user's own key file is read as the user
    mkdirSync(`${folder}/keys`);
    writeFileSync(`${folder}/keys/${user}`, key.line());
    const hostKeyFile = `${folder}/host-key`;
    run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", hostKeyFile], "ssh-keygen is missing: apt-get install openssh-client"); // prettier-ignore
    const [, base64 = ""] = readFileSync(`${hostKeyFile}.pub`, "utf8").split(" ");
    const config = [
      "Port 0",
      `ListenAddress ${takenAddress}`,
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
    ];
    writeFileSync(`${folder}/config`, `${config.join("\n")}\n`);
    const args = ["-D", "-f", `${folder}/config`, "-E", `${folder}/log`];
    const child = spawn(`${folder}/bin/sallyportd`, args, { stdio: "ignore" });
    const server = new RealServer(folder, child, key, Buffer.from(base64, "base64"));
    const deadline = performance.now() + startMs;
    for (;;) {
      await pause(lookEveryMs);
      const listening = server.events().find(({ code }) => code === "listening");
      server.#port = Number(listening?.fields["port"] ?? 0);
      if (server.#port > 0) return server;
      if (child.exitCode !== null || performance.now() > deadline) {
        const last = server.#lastLine();
        await server.stop();
        throw new RangeError(`the copied server did not start: ${last}`);
      }
    }
  }

  events(): ServerEvent[] {
    const file = `${this.#folder}/events`;
    if (!existsSync(file)) return [];
    const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line) as ServerEvent); // our own server's
  }

  #lastLine(): string {
    const file = `${this.#folder}/log`;
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split(/\r?\n/) : [];
    return lines.at(-1) ?? "";
  }

  /** A connection whose session process obeys. */
  async talk(): Promise<RealTalk> {
    const client = await TakenSessionClient.connect(this.#port);
    return new RealTalk(client, () => this.events(), this.#hostKey);
  }

  /** Nothing of it is left afterwards. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once("exit", resolve));
      this.#child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], problem: string): void {
  try {
    execFileSync(program, args, { stdio: "ignore" });
  } catch (cause) {
    throw new RangeError(problem, { cause });
  }
}
