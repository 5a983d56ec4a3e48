import t, { type Test } from "tap";
import {
  closeFd,
  dupFd,
  openFds,
  pipeFds,
  readFd,
  setNonBlocking,
  writeFd,
} from "../../native/descriptors.ts";
import { Poller } from "../../native/poller.ts";
import { runProgram } from "./run-program.ts";

function setUp(t: Test) {
  const poller = new Poller();
  const made: number[] = [];
  t.teardown(() => {
    poller.close();
    const open = new Set(openFds());
    for (const fd of new Set(made)) if (open.has(fd)) closeFd(fd);
  });
  return {
    poller,
    made,
    pipe: () => {
      const [reader, writer] = pipeFds();
      setNonBlocking(reader, true);
      setNonBlocking(writer, true);
      made.push(reader, writer);
      return [reader, writer] as const;
    },
  };
}
const put = (fd: number) => writeFd(fd, Uint8Array.of(1), 0, 1);

t.test(
  "Poller.set() refuses a new descriptor without a callback, and one that is not open",
  (t) => {
    const { poller, pipe } = setUp(t);
    const [reader, writer] = pipe();
    t.throws(() => {
      poller.set(reader, true, false);
    }, TypeError);
    closeFd(reader);
    closeFd(writer);
    t.throws(
      () => {
        poller.set(reader, true, false, () => undefined);
      },
      { code: "EBADF", message: new RegExp(`descriptor ${reader}`) },
    );
    t.end();
  },
);

t.test("Poller says readable, writable and hung up as they are", (t) => {
  const { poller, pipe } = setUp(t);
  const [reader, writer] = pipe();
  const seen: string[] = [];
  poller.set(writer, false, true, (readable, writable, hungUp) => {
    seen.push(`writer ${readable} ${writable} ${hungUp}`);
    poller.remove(writer);
    put(writer);
  });
  poller.set(reader, true, false, (readable, writable, hungUp) => {
    seen.push(`reader ${readable} ${writable} ${hungUp}`);
    const got = readFd(reader, new Uint8Array(8), 0, 8);
    if (got > 0) {
      closeFd(writer);
      return;
    }
    poller.remove(reader);
    t.same(seen, ["writer false true false", "reader true false false", "reader false false true"]);
    t.end();
  });
});

t.test("Poller.set() again changes what is watched and keeps the callback", (t) => {
  const { poller, pipe } = setUp(t);
  const [reader, writer] = pipe();
  put(writer);
  let paused = true;
  poller.set(reader, false, false, () => {
    t.notOk(paused, "nothing is told while nothing is watched");
    poller.remove(reader);
    t.end();
  });
  setTimeout(() => {
    paused = false;
    poller.set(reader, true, false);
  }, 20);
});

t.test(
  "Poller tells nothing of a descriptor that an earlier callback of the batch removed",
  (t) => {
    const { poller, pipe } = setUp(t);
    const pipes = [pipe(), pipe()];
    let calls = 0;
    for (const [, writer] of pipes) put(writer);
    for (const [reader] of pipes) {
      poller.set(reader, true, false, () => {
        calls += 1;
        for (const [other] of pipes) poller.remove(other);
        setTimeout(() => {
          t.equal(calls, 1);
          t.end();
        }, 20);
      });
    }
  },
);

t.test("Poller tells a new owner of a number nothing that was meant for the old one", (t) => {
  const { poller, pipe, made } = setUp(t);
  const [, firstWriter] = pipe();
  const [quiet] = pipe();
  const pipes = [pipe(), pipe()];
  put(firstWriter);
  for (const [, writer] of pipes) closeFd(writer); // both readers hang up, in one batch
  let replaced = false;
  for (const [reader] of pipes) {
    poller.set(reader, true, false, () => {
      poller.remove(reader);
      if (replaced) return;
      replaced = true;
      // The other one is closed, and its number goes to a descriptor on which nothing happens.
      const other = pipes.find(([fd]) => fd !== reader)?.[0] ?? -1;
      poller.remove(other);
      closeFd(other);
      for (let copy = -1; copy !== other;) {
        copy = dupFd(quiet);
        made.push(copy);
      }
      poller.set(other, true, false, () => {
        t.fail("told of the old one's end");
      });
      setTimeout(() => {
        poller.remove(other);
        t.end();
      }, 20);
    });
  }
});

t.test("Poller serves more descriptors than fit one batch", (t) => {
  const { poller, pipe } = setUp(t);
  const waiting = new Set<number>();
  for (let i = 0; i < 150; i += 1) {
    const [reader, writer] = pipe();
    put(writer);
    waiting.add(reader);
    poller.set(reader, true, false, () => {
      poller.remove(reader);
      waiting.delete(reader);
      if (waiting.size === 0) t.end();
    });
  }
});

t.test("Poller.remove() throws for a descriptor that was closed first, and forgets it", (t) => {
  const { poller, pipe } = setUp(t);
  const [reader, writer] = pipe();
  poller.set(reader, true, false, () => undefined);
  closeFd(reader);
  t.throws(
    () => {
      poller.remove(reader);
    },
    { code: "EBADF" },
  );
  poller.remove(reader);
  poller.remove(writer);
  t.end();
});

for (const [scenario, out] of [
  ["idle", "ended"],
  ["watching", "told\nended"],
  ["removed", "ended"],
  ["throwing", "uncaught planted\nended"],
  ["closedInside", "told\nended"],
] as const) {
  t.test(`a process with a Poller that is ${scenario} ends when it should`, (t) => {
    t.match(runProgram("polled", [scenario]), { status: 0, out: `${out}\n` });
    t.end();
  });
}
