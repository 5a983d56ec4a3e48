// A session that echoes lines, and that a test can talk to while other things happen.
import type { ChildProcess } from "node:child_process";
import type { Test } from "tap";
import { sshArguments, start, tool } from "./ssh-client.ts";
import type { TestServer } from "./test-server.ts";
import type { TestUser } from "./test-user.ts";
import { until } from "./until.ts";

export class EchoSession {
  readonly child: ChildProcess;
  #output = "";
  #isEnded = false;

  /** `options`: of ssh, as with `-o`. Killed when the test ends. */
  constructor(t: Test, server: TestServer, user: TestUser, options: readonly string[] = []) {
    this.child = start(tool("ssh"), sshArguments(server, user, ["cat"], { options }));
    this.child.stdout?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    this.child.stdin?.on("error", () => undefined);
    this.child.once("close", () => (this.#isEnded = true));
    t.teardown(() => this.child.kill("SIGKILL"));
  }

  async says(word: string): Promise<void> {
    this.child.stdin?.write(`${word}\n`);
    await until(`${word.slice(0, 40)} comes back`, () => this.#output.endsWith(`${word}\n`));
  }
  ended(): Promise<true> {
    return until("the client ends", () => this.#isEnded);
  }
  async close(): Promise<void> {
    this.child.stdin?.end();
    await this.ended();
  }
}
