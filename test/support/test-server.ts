// bin/sallyportd as it is built, on a free port of the loopback, with a configuration, host keys and logs in a folder that goes with the test.
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import { family, isAlive, openSockets, processes, type Process } from "../../lab/processes.ts";
import { makeKey } from "./ssh-keys.ts";
import { until } from "./until.ts";

// Tap runs the sources, so this is two folders below the root.
const builtProgram = fileURLToPath(new URL("../../bin/sallyportd", import.meta.url));

export interface ServerEvent {
  readonly level: string;
  readonly code: string;
  readonly pid: number;
  readonly connection?: number;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly msg: string;
}
interface ServerOptions {
  /** Lines of sshd_config in front of the test's own. */
  readonly config?: readonly string[];
  /** Arguments of ssh-keygen for each host key; ed25519 without. */
  readonly hostKeys?: readonly (readonly [kind: string, ...more: string[]])[];
  /** The kernel chooses one without. */
  readonly port?: number;
  /** Another sallyportd than the built one: a patched copy (lab/patched-tree.ts). */
  readonly program?: string;
}

export class TestServer {
  readonly folder: string;
  /** Paths of the private host keys. */
  readonly hostKeys: readonly string[];
  port = 0;
  readonly #child: ChildProcess;
  readonly #seen = new Map<number, Process>();

  private constructor(folder: string, hostKeys: readonly string[], child: ChildProcess) {
    this.folder = folder;
    this.hostKeys = hostKeys;
    this.#child = child;
  }

  /** Listens when this returns; ends, with all that it started, when the test does. */
  static async start(
    t: Test,
    { config = [], hostKeys = [["ed25519"]], port = 0, program = builtProgram }: ServerOptions = {},
  ) {
    if (spawnSync("id", ["sallyport"]).status !== 0)
      execFileSync("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "sallyport"]); // prettier-ignore
    const folder = mkdtempSync("/var/tmp/sallyport-server.");
    t.teardown(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const keys = hostKeys.map(([kind, ...more]) => makeKey(folder, kind, ...more).path);
    const lines = [
      ...config,
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      ...keys.map((path) => `HostKey ${path}`),
      `PidFile ${folder}/pid`,
      `EventLog ${folder}/events`,
      "LogLevel VERBOSE",
      "WarmPairs 1",
    ];
    writeFileSync(`${folder}/config`, `${lines.join("\n")}\n`);
    const child = spawn(program, ["-D", "-f", `${folder}/config`, "-E", `${folder}/log`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const server = new TestServer(folder, keys, child);
    t.teardown(() => server.stop("SIGKILL"));
    const listening = await until("the server listens", () => {
      if (child.exitCode !== null) throw new Error(`The server ended: ${server.log}`);
      return existsSync(`${folder}/pid`) && server.events("listening").find(({ fields }) => fields["address"] === "127.0.0.1"); // prettier-ignore
    });
    server.port = Number(listening.fields["port"]);
    return server;
  }

  /** Of the listener. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }
  /** What -E wrote, lines without their CR. */
  get log(): string {
    const file = `${this.folder}/log`;
    return existsSync(file) ? readFileSync(file, "utf8").replaceAll("\r\n", "\n") : "";
  }
  /** Those with that code, or all. */
  events(code?: string): ServerEvent[] {
    const file = `${this.folder}/events`;
    if (!existsSync(file)) return [];
    const text = readFileSync(file, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== ""); // prettier-ignore
    const all = whole.map((line) => JSON.parse(line) as ServerEvent);
    return code === undefined ? all : all.filter((event) => event.code === code);
  }
  /** All events of one connection: the next to end behind the `after` that have ended already. */
  async connection(after = 0): Promise<ServerEvent[]> {
    const end = await until("the connection ends", () => this.events("connection.ended")[after]);
    return this.events().filter((event) => event.connection === end.connection);
  }
  /** How many connections have ended, once all have: a client is gone before the server has said the last of it. */
  endedConnections(): Promise<number> {
    return until("all connections end", () => {
      const ended = this.events("connection.ended").length;
      const isQuiet =
        this.children("broker").every(({ title }) => title.includes("[warm]")) &&
        this.events("connection.accepted").length === ended;
      return isQuiet ? ended : undefined;
    });
  }

  /** Its processes by the word behind "sallyportd: " in their titles: zygote, signer, broker, session, login, worker. */
  children(kind?: string): Process[] {
    const found = family(this.pid);
    for (const process of found) this.#seen.set(process.pid, process);
    return kind === undefined ? found : found.filter(({ title }) => title.startsWith(`sallyportd: ${kind}`)); // prettier-ignore
  }

  /** Ends the listener and waits for it; what it leaves behind is in `leftovers()`. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.children();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill(signal);
    await ended;
  }

  /** Processes that belonged to this server and run yet, and sockets on its port. */
  leftovers(): string[] {
    const zygotes = new Set([...this.#seen.values()].filter(({ title }) => title.startsWith("sallyportd: zygote")).map(({ pid }) => pid)); // prettier-ignore
    const left = new Map([...this.#seen.values()].filter(isAlive).map((found) => [found.pid, found])); // prettier-ignore
    for (const found of processes()) if (zygotes.has(found.session)) left.set(found.pid, found);
    const sockets = openSockets(this.port);
    return [
      ...[...left.values()].map(({ pid, title }) => `${pid} ${title}`),
      ...(sockets > 0 ? [`${sockets} sockets`] : []),
    ];
  }

  /** Waits until nothing of a server that was stopped is left. */
  async isGone(): Promise<void> {
    let left: string[] = [];
    await until("nothing is left", () => {
      left = this.leftovers();
      return left.length === 0;
    }).catch(() => {
      throw new Error(`Left behind: ${left.join("; ")}`);
    });
  }
}
