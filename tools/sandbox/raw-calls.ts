// System calls as an attacker with native code makes them. Only in processes that were forked to be attacked from within.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { syscallName } from "../../sandbox/bpf-disassembler.ts";
import { syscalls, x32Bit, type SyscallName } from "../../sandbox/syscalls-x86-64.ts";

interface Addon {
  readonly enter64: (nr: bigint, ...args: bigint[]) => bigint;
  readonly enter32: (nr: bigint, ...args: bigint[]) => bigint;
  readonly cloneAndEnd: (nr: bigint, ...args: bigint[]) => bigint;
  readonly addressOf: (bytes: Uint8Array) => bigint;
  readonly poke: (address: bigint, bytes: Uint8Array) => void;
  readonly peek: (address: bigint) => number;
  readonly execute: (address: bigint) => number;
  readonly victimPage: () => bigint;
  readonly trap: () => never;
}
const here = import.meta.url;
const root = here.includes("/dist/tools/") ? "../../.." : "../..";
const path = new URL(`${root}/native/build/Release/sallyport-prove.node`, here);
const addon = createRequire(here)(fileURLToPath(path)) as Addon; // native/prove/prove.cc is its type

/** A number, an address, bytes (their address goes), or a string (with its NUL). */
export type Word = number | bigint | Uint8Array | string;

/** What the kernel answered with instead of doing it. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly errno: number;
  readonly call: string;
  constructor(errno: number, call: string) {
    super(`${call}: errno ${errno}`);
    this.errno = errno;
    this.call = call;
  }
}

export interface MadeCall {
  readonly nr: number;
  readonly args: readonly bigint[];
  /** The i386 entry: another table, so the number means another call. */
  readonly isForeign: boolean;
}
let last: MadeCall | undefined;
/** The call that was made last: what a filter would say of it can be looked up. */
export const lastCall = (): MadeCall | undefined => last;

/** Memory that calls were given addresses of: not to be collected before the process ends. */
const kept: Uint8Array[] = [];
/** The address of `bytes`, which stays where it is. */
export function addressOf(bytes: Uint8Array): bigint {
  kept.push(bytes);
  return addon.addressOf(bytes);
}
function word(value: Word): bigint {
  if (typeof value === "number") return BigInt(value);
  if (typeof value === "bigint") return value;
  return addressOf(typeof value === "string" ? Buffer.from(`${value}\0`) : value);
}

function judged(answer: bigint, call: string): bigint {
  if (answer < 0n && answer > -4096n) throw new Refused(Number(-answer), call);
  return answer;
}
function made(nr: bigint, args: readonly bigint[], isForeign = false): void {
  last = { nr: Number(BigInt.asUintN(32, nr)), args, isForeign };
}

/** The call's answer; throws Refused. */
export function call(name: SyscallName, ...args: readonly Word[]): bigint {
  return callNumber(BigInt(syscalls[name]), ...args);
}
/** The same with any 64 bits as the number. */
export function callNumber(nr: bigint, ...args: readonly Word[]): bigint {
  const words = args.map(word);
  made(nr, words);
  return judged(addon.enter64(nr, ...words), syscallName(Number(BigInt.asUintN(32, nr))));
}
/** The x32 form: the same table, one bit more. */
export function callX32(name: SyscallName, ...args: readonly Word[]): bigint {
  return callNumber(BigInt(syscalls[name] + x32Bit), ...args);
}
/** By `int 0x80`, with a number of the i386 table. Addresses must be below 4 GiB: `lowMemory`. */
export function callI386(nr: number, ...args: readonly (number | bigint)[]): bigint {
  const words = args.map(word);
  made(BigInt(nr), words, true);
  return judged(addon.enter32(BigInt(nr), ...words), `i386 call ${nr}`);
}
/** A fork of some kind, whose child ends at once. The new pid. */
export function callTwice(
  name: "fork" | "vfork" | "clone" | "clone3",
  ...args: readonly Word[]
): bigint {
  const words = args.map(word);
  made(BigInt(syscalls[name]), words);
  return judged(addon.cloneAndEnd(BigInt(syscalls[name]), ...words), name);
}

export const pageBytes = 4096;
export const prot = { read: 1, write: 2, exec: 4 } as const;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MAP_32BIT = 0x40;
const noFd = -1;
/** Anonymous, private memory. */
export const mapped = (protection: number | bigint, more = 0): bigint =>
  call("mmap", 0, pageBytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | more, noFd, 0);
/** A page below 4 GiB that begins with `bytes`. */
export function lowMemory(bytes: Uint8Array): bigint {
  const page = mapped(prot.read | prot.write, MAP_32BIT);
  poke(page, bytes);
  return page;
}
export const poke = addon.poke;
export const peek = addon.peek;

/** `mov $42, %eax; ret` */
export const program42 = Uint8Array.of(0xb8, 42, 0, 0, 0, 0xc3);
/** Runs what is at `address`; throws unless it is `program42`. */
export function run42(address: bigint): void {
  const answer = addon.execute(address);
  if (answer !== 42) throw new Error(`Code that was written did not run: it returned ${answer}`);
}
export const victimPage = addon.victimPage;
/** Dies by SIGILL, with a core where the kernel writes one. Not a system call: no filter sees it. */
export const trap = addon.trap;

/** A 64-bit little-endian word after the other. */
export function struct(...words: readonly Word[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 8));
  words.forEach((value, i) => {
    view.setBigUint64(i * 8, BigInt.asUintN(64, word(value)), true);
  });
  return new Uint8Array(view.buffer);
}
