// Session processes that were taken over before they confined themselves: the broker looks for itself, and none of them gets a connection.
import { connect } from "node:net";
import t from "tap";
import type { Patch } from "../../lab/patches.ts";
import { startPatched } from "../support/taken-session.ts";
import { until } from "../support/until.ts";

/** In place of its own confine(). */
const confines = (instead: string): Patch => ({
  file: "session/main.js",
  search: "    confine() {\n",
  replacement: `    confine() {\n        if (true) {\n            ${instead}\n            return;\n        }\n`,
});
const liars: readonly (readonly [what: string, patch: Patch, code: string, text: RegExp])[] = [
  [
    "says that it is confined, and is root with everything",
    confines("this.#monitor.confined([]);"),
    "sandbox.layer-missing",
    /session process is not confined: .*identity: .*capabilities: .*seccomp: Seccomp is 0/,
  ],
  [
    "asks for the connection before it is confined",
    confines("this.#monitor.adopted();"),
    "monitor.violation",
    /Cannot answer adopted: not permitted in phase confining/,
  ],
];

for (const [what, patch, code, text] of liars)
  t.test(`A session process that ${what} never gets a connection`, async (t) => {
    const server = await startPatched(t, [patch]);
    const client = connect({ host: "127.0.0.1", port: server.port });
    t.teardown(() => client.destroy());
    let received = 0;
    client.on("error", () => undefined);
    client.on("data", (chunk: Buffer) => (received += chunk.length));
    const told = await until("the event", () => server.events(code)[0]);
    t.match(told.msg, text);
    t.equal(told.level, "error");
    t.equal(received, 0);
    t.strictSame(server.events("login.forked"), []);
    t.strictSame(server.events("connection.accepted"), []);
    await server.stop();
    await server.isGone();
  });
