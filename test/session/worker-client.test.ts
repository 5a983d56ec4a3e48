// The session process's side of the worker's socket: what a worker must not be able to do to it, and what it does not do to the worker.
import t from "tap";
import type { WorkerAnswer } from "../../ipc/worker.ts";
import { RehearsalWorker } from "../../session/rehearsal-worker.ts";
import { WorkerClient } from "../../session/worker-client.ts";
import { settled } from "./served-pair.ts";

const size = (columns: number) => ({ columns, rows: 1, widthPixels: 0, heightPixels: 0 });
const nothing = new Uint8Array(0);
const ignore = (): void => undefined;

function make() {
  const worker = new RehearsalWorker({ run: ignore });
  const seen: string[] = [];
  const client = new WorkerClient(worker, {
    exited: (channel, { status }) => seen.push(`exited ${channel} ${status}`),
    gone: () => seen.push("gone"),
  });
  return { worker, client, seen, names: () => worker.seen.map(({ name }) => name) };
}

t.test("WorkerClient gives up a worker that answers what nobody asked", async (t) => {
  const answers: [WorkerAnswer["name"], object, number[]][] = [
    ["done", {}, []],
    ["refused", { why: "x" }, []],
    ["ptyOpened", { name: "x" }, [1, 2]],
    ["startedOnPipes", { description: "x" }, [1, 2, 3]],
  ];
  for (const [name, body, fds] of answers) {
    const { worker, seen } = make();
    const closed: number[] = [];
    worker.stream = (fd) => ({
      read: () => -1,
      write: () => -1,
      wait: ignore,
      onReady: ignore,
      close: () => closed.push(fd),
    });
    worker.answer(name, 77, body, fds); // the table's type is one of many
    await settled();
    t.same(seen, ["gone"], name);
    t.same(closed, fds, "and closes what came with it");
  }
});

t.test("WorkerClient gives up a worker that answers another question", async (t) => {
  const { worker, client, seen } = make();
  worker.isHolding = true;
  client.setEnv(0, nothing, nothing, () => t.fail("answered"));
  worker.isHolding = false;
  worker.answer("startedOnPty", 1, { description: "x" });
  await settled();
  t.same(seen, ["gone"]);
  client.setEnv(0, nothing, nothing, ignore);
  client.windowChange(0, size(1));
  client.closeChannel(0);
  t.equal(worker.seen.length, 1, "nothing more is sent");
});

t.test(
  "WorkerClient gives up a worker whose descriptors are no streams, and closes them all",
  async (t) => {
    const { worker, client, seen } = make();
    const closed: string[] = [];
    worker.stream = (fd) => {
      if (fd === 1001) throw new Error("Cannot wait for it");
      return {
        read: () => -1,
        write: () => -1,
        wait: ignore,
        onReady: ignore,
        close: () => closed.push(`stream ${fd}`),
      };
    };
    worker.close = (fd) => closed.push(`descriptor ${fd}`);
    client.start(0, "shell", nothing, () => t.fail("answered"));
    await settled();
    t.same(seen, ["gone"]);
    t.same(closed, ["stream 1000", "descriptor 1001", "descriptor 1002"]);
  },
);

t.test("WorkerClient tells once that the worker is gone", async (t) => {
  const { worker, seen } = make();
  worker.die();
  worker.die();
  await settled();
  t.same(seen, ["gone"]);
});

t.test(
  "WorkerClient has 64 requests on their way at most, and keeps the order of all",
  async (t) => {
    const { worker, client, names } = make();
    worker.isHolding = true;
    const answered: number[] = [];
    for (let i = 0; i < 100; i += 1)
      client.setEnv(i, nothing, nothing, () => {
        answered.push(i);
      });
    client.closeChannel(5);
    t.equal(worker.seen.length, 64);
    t.notOk(names().includes("closeChannel"));
    worker.release();
    await settled();
    t.same(answered, [...Array(100).keys()]);
    t.equal(names().at(-1), "closeChannel");
  },
);

t.test("WorkerClient keeps only the last size for a worker that does not read", async (t) => {
  const { worker, client } = make();
  worker.isDrained = false;
  for (let columns = 1; columns <= 10_000; columns += 1) client.windowChange(3, size(columns));
  client.windowChange(4, size(9));
  t.equal(worker.seen.length, 0);
  worker.drain();
  t.match(worker.seen, [
    { name: "windowChange", body: { channel: 3, columns: 10_000 } },
    { name: "windowChange", body: { channel: 4, columns: 9 } },
  ]);
  await settled();
});

t.test("WorkerClient forgets the size of a channel that is gone", (t) => {
  const { worker, client, names } = make();
  worker.isDrained = false;
  client.windowChange(3, size(1));
  client.closeChannel(3);
  worker.drain();
  t.same(names(), ["closeChannel"]);
  t.end();
});

t.test("WorkerClient tells refusals, answers and ends", async (t) => {
  const { worker, client, seen } = make();
  const answers: unknown[] = [];
  client.start(1, "subsystem", Buffer.from("refuse me"), (answer) => answers.push(answer));
  client.signal(1, Buffer.from("TERM"), (answer) => answers.push(answer));
  await settled();
  t.same(answers, [{ refused: "subsystem not found" }, "done"]);
  worker.answer("exited", 0, { channel: 1, status: 4, signal: "", coreDumped: false });
  await settled();
  t.same(seen, ["exited 1 4"]);
});
