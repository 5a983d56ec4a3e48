// A whole server for the console, as root: a patched copy on an address of the loopback, whose session processes obey the console.
import { randomBytes } from "node:crypto";
import { LabKey } from "./lab-key.ts";
import { mutantById } from "./mutants.ts";
import { OwnServer } from "./own-server.ts";
import { RealTalk } from "./real-talk.ts";
import type { Scenario } from "./scenario.ts";
import { takenAddress, takeOverPatches } from "./take-over.ts";
import { TakenSessionClient } from "./taken-session-client.ts";

export class RealServer {
  readonly scenario: Scenario;
  readonly #server: OwnServer;

  private constructor(server: OwnServer, key: LabKey) {
    this.#server = server;
    this.scenario = { config: [], users: [], files: new Map(), held: [key], known: [key], found: new Map() }; // prettier-ignore
  }

  /** Throws RangeError, in one line, for what is missing. */
  static async start(user: string, mutant: string | null): Promise<RealServer> {
    if (process.getuid?.() !== 0) throw new RangeError("--real needs root");
    if (user === "" || user === "root") throw new RangeError("--real needs --user USER, not root");
    const key = new LabKey("visitor", randomBytes(32));
    const patches = [...takeOverPatches, ...(mutant === null ? [] : mutantById(mutant).patches)];
    const server = await OwnServer.start({
      name: "console",
      user,
      key,
      address: takenAddress,
      config: [],
      patches,
    });
    return new RealServer(server, key);
  }

  /** A connection whose session process obeys. */
  async talk(): Promise<RealTalk> {
    const client = await TakenSessionClient.connect(this.#server.port);
    return new RealTalk(client, () => this.#server.events(), this.#server.hostKeyBlob);
  }

  /** Nothing of it is left afterwards. */
  stop(): Promise<void> {
    return this.#server.stop();
  }
}
