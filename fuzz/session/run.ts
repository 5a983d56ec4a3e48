// A server after the other for a long run: each is looked at before it is left, and its logs go with it.
import type { Finding } from "../../lab/judge.ts";
import type { LabKey } from "../../lab/lab-key.ts";
import type { Patch } from "../../lab/patches.ts";
import type { Sequence } from "../sequence.ts";
import { executeSession, type SessionExecution } from "./execute.ts";
import { Baseline, gone } from "./health.ts";
import { FuzzedServer, honestAddress, restingProcesses } from "./server.ts";

/** An honest client's login, by somebody else's SSH. Null: it worked; else why not. */
export type Login = (target: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly key: LabKey;
}) => Promise<string | null>;

/** Then its logs hold some 50 MB. */
const sequencesPerServer = 10_000;
/** Granted to the user without restrictions. */
const honestKey = "plain";

export class SessionRun {
  readonly #user: string;
  readonly #patches: readonly Patch[];
  readonly #login: Login;
  #server: FuzzedServer;
  #baseline: Baseline;
  #sequences = 0;

  private constructor(
    user: string,
    patches: readonly Patch[],
    login: Login,
    server: FuzzedServer,
    baseline: Baseline,
  ) {
    // prettier-ignore
    this.#user = user;
    this.#patches = patches;
    this.#login = login;
    this.#server = server;
    this.#baseline = baseline;
  }

  /** With changes to the copy of the server: a broker with a bug. Throws RangeError, in one line, for what is missing. */
  static async start(user: string, patches: readonly Patch[], login: Login): Promise<SessionRun> {
    const server = await FuzzedServer.start(user, patches);
    try {
      const run = new SessionRun(
        user,
        patches,
        login,
        server,
        await Baseline.of(server.own.pid, restingProcesses),
      );
      const problem = await run.#honestLogin();
      if (problem === null) return run;
      throw new RangeError(`--user ${user}: the server is fuzzed by logins of this user, but an honest one fails: ${problem}`); // prettier-ignore
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async execute(sequence: Sequence): Promise<SessionExecution> {
    if (this.#sequences >= sequencesPerServer) {
      const finding = await this.finish();
      this.#server = await FuzzedServer.start(this.#user, this.#patches);
      this.#baseline = await Baseline.of(this.#server.own.pid, restingProcesses);
      this.#sequences = 0;
      if (finding !== null) return { finding, brokenBy: -1, pairs: [], features: [], transitions: [], messages: 0, brokerBytes: 0 }; // prettier-ignore
    }
    this.#sequences += 1;
    return executeSession(this.#server, sequence);
  }

  /** The next login works, nothing is left behind by all connections, and nothing of the server when it ends. */
  async finish(): Promise<Finding | null> {
    const problem = await this.#honestLogin();
    let finding: Finding | null = problem === null ? null : { oracle: "next-login", text: problem };
    finding ??= await this.#baseline.returned();
    finding ??= await this.#server.takeFinding();
    const family = this.#baseline.family();
    await this.#server.stop();
    return finding ?? (await gone(family));
  }
  /** Without a look. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  #honestLogin(): Promise<string | null> {
    const key = this.#server.keys.get(honestKey);
    if (key === undefined) throw new TypeError(`No key ${honestKey}`);
    const port = this.#server.own.portOf(honestAddress);
    return this.#login({ host: honestAddress, port, user: this.#user, key });
  }
}
