// What attempts are let loose on: a folder with a secret, two processes, listeners, and descriptors left open. Made and looked after by the runner.
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { closeFd, openFd, readFd, setNonBlocking, writeFd } from "../../native/descriptors.ts";
import { setDumpable, setIds } from "../../native/confine.ts";
import { exitNow, forkProcess, killPid, waitPid, waitReadable } from "../../native/process.ts";
import { openPty } from "../../native/pty.ts";
import { listenTcp, receiveMessage, sendMessage, seqpacketPair } from "../../native/sockets.ts";
import { leftOpen, secretText, type Targets } from "./attempt.ts";
import { addressOf, call } from "./raw-calls.ts";

const AF_UNIX = 1;
const STREAM = 1;
/** Nobody accepts: as many as all the attempts together make. */
const backlog = 4096;
const SIGKILL = 9;
const O_DIRECTORY = 0x10000;
/** For one that lives; a busy machine. */
const patienceMs = 5000;

/** In a process that stands for another: gives back what it is sent, until nobody is there. */
function echo(fd: number): never {
  setNonBlocking(fd, false);
  const byte = new Uint8Array(1);
  while (readFd(fd, byte, 0, 1) > 0) writeFd(fd, byte, 0, 1);
  exitNow(0);
}
/** One of them, as its maker sees it. */
interface Victim {
  readonly pid: number;
  readonly fd: number;
}

export class Field {
  readonly #folder: string;
  readonly #privsep: { readonly uid: number; readonly gid: number };
  readonly #secretBytes = new Uint8Array(Buffer.from(secretText));
  readonly #secretAddress = addressOf(this.#secretBytes);
  readonly #port: number;
  readonly #abstractName: string;
  #sibling: Victim | undefined;
  #broker: Victim | undefined;
  #untouched = "";

  /** `folder` is empty and stays the caller's to remove. */
  constructor(folder: string, privsep: { readonly uid: number; readonly gid: number }) {
    this.#folder = folder;
    this.#privsep = privsep;
    this.#abstractName = `\0${folder}`;
    mkdirSync(`${folder}/inner`, { mode: 0o755 });
    mkdirSync(`${folder}/empty`, { mode: 0o755 });
    this.#port = listenTcp("127.0.0.1", 0, backlog).port;
    for (const name of [this.#abstractName, `${folder}/socket\0`]) {
      const fd = call("socket", AF_UNIX, STREAM, 0);
      const address = Uint8Array.of(AF_UNIX, 0, ...Buffer.from(name, "latin1"));
      call("bind", fd, address, address.length);
      call("listen", fd, backlog);
    }
    this.#leaveOpen(leftOpen.namespace, openFd("/proc/self/ns/mnt", 0, 0));
    this.#leaveOpen(leftOpen.program, openFd("/bin/sh", 0, 0));
    this.#leaveOpen(leftOpen.folder, openFd(folder, O_DIRECTORY, 0));
    this.#leaveOpen(leftOpen.terminal, openPty().slaveFd);
    this.restore();
  }

  /** Where a session process has its root when it has no mount namespace. */
  get emptyRoot(): string {
    return `${this.#folder}/empty`;
  }
  get targets(): Targets {
    return {
      folder: this.#folder,
      secret: `${this.#folder}/secret`,
      siblingPid: this.#sibling?.pid ?? 0,
      brokerPid: this.#broker?.pid ?? 0,
      secretAddress: this.#secretAddress,
      port: this.#port,
      abstractName: this.#abstractName,
    };
  }

  /** What is not as it was made, or undefined. */
  touched(): string | undefined {
    if (!this.#lives(this.#sibling)) return "the sibling was killed";
    if (!this.#lives(this.#broker)) return "the broker was killed";
    return this.#seen() === this.#untouched ? undefined : "the folder or the secret was changed";
  }

  /** Everything as it was made. */
  restore(): void {
    for (const name of readdirSync(this.#folder))
      if (!["inner", "empty", "socket"].includes(name)) rmSync(`${this.#folder}/${name}`, { recursive: true }); // prettier-ignore
    for (const name of readdirSync(this.emptyRoot)) rmSync(`${this.emptyRoot}/${name}`, { recursive: true }); // prettier-ignore
    writeFileSync(`${this.#folder}/secret`, secretText, { mode: 0o600 });
    this.#leaveOpen(leftOpen.file, openFd(`${this.#folder}/secret`, 0, 0));
    if (!this.#lives(this.#sibling)) this.#sibling = this.#replace(this.#sibling, true);
    if (!this.#lives(this.#broker)) this.#broker = this.#replace(this.#broker, false);
    this.#untouched = this.#seen();
  }

  /** A descriptor that was left open is read from its beginning each time. */
  rewind(): void {
    call("lseek", leftOpen.file, 0, 0);
  }

  end(): void {
    this.#kill(this.#sibling);
    this.#kill(this.#broker);
  }

  #leaveOpen(number: number, fd: number): void {
    call("dup2", fd, number);
    closeFd(fd);
  }

  /** It answers: one with a signal under way that will end it does not. */
  #lives(victim: Victim | undefined): victim is Victim {
    if (victim === undefined) return false;
    try {
      sendMessage(victim.fd, Uint8Array.of(1), 0, 1, []);
    } catch {
      return false; // EPIPE: nobody is there
    }
    waitReadable(Int32Array.of(victim.fd), patienceMs);
    return (receiveMessage(victim.fd, new Uint8Array(1))?.length ?? 0) > 0;
  }

  #kill(victim: Victim | undefined): void {
    if (victim === undefined) return;
    killPid(victim.pid, SIGKILL);
    waitPid(victim.pid, false);
    closeFd(victim.fd);
  }

  #replace(old: Victim | undefined, isSibling: boolean): Victim {
    this.#kill(old);
    const [ours, theirs] = seqpacketPair();
    const pid = forkProcess(false);
    if (pid !== 0) {
      closeFd(theirs);
      return { pid, fd: ours };
    }
    closeFd(ours);
    if (isSibling) {
      setIds(this.#privsep.uid, this.#privsep.gid, []);
      setDumpable(true); // easier to get at than a real one
    }
    echo(theirs);
  }

  #seen(): string {
    const secret = `${this.#folder}/secret`;
    const { ctimeMs, mode, nlink, uid, size } = lstatSync(secret, { throwIfNoEntry: false }) ?? {};
    const text = size === undefined ? "" : readFileSync(secret, "latin1");
    const names = [this.#folder, this.emptyRoot, `${this.#folder}/inner`].map((path) => readdirSync(path)); // prettier-ignore
    return JSON.stringify({ ctimeMs, mode, nlink, uid, text, names });
  }
}
