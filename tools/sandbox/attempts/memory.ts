// Memory that can be executed, by every way to get some. Each that gets it runs code there.
import {
  call,
  callNumber,
  mapped,
  pageBytes,
  poke,
  program42,
  prot,
  run42,
  victimPage,
} from "../raw-calls.ts";
import { leftOpen, type Attempt } from "../attempt.ts";

const all = prot.read | prot.write | prot.exec;
const readWrite = prot.read | prot.write;
const readExec = prot.read | prot.exec;
const MAP_PRIVATE = 2;
const MAP_SHARED = 1;
const memory = (name: string, what: string, run: Attempt["run"]): Attempt => ({
  name,
  family: "memory",
  what,
  run,
});
function written(): bigint {
  const page = mapped(readWrite);
  poke(page, program42);
  return page;
}
function runWritten(page: bigint): void {
  poke(page, program42);
  run42(page);
}

export const memoryAttempts: readonly Attempt[] = [
  memory("mmap-rwx", "maps memory to write and execute", () => {
    runWritten(mapped(all));
  }),
  memory("mmap-high-bits", "the same, with bits above 32 in prot", () => {
    runWritten(mapped((1n << 32n) | BigInt(all)));
  }),
  memory("mprotect", "makes written memory executable", () => {
    const page = written();
    call("mprotect", page, pageBytes, readExec);
    run42(page);
  }),
  memory("pkey-mprotect", "the same by pkey_mprotect", () => {
    const page = written();
    call("pkey_mprotect", page, pageBytes, readExec, -1);
    run42(page);
  }),
  memory("mprotect-code", "makes its own code writable", () => {
    call("mprotect", victimPage(), pageBytes, all);
    runWritten(victimPage());
  }),
  memory("rewrite-code", "takes execution off its code, writes, and puts it back", () => {
    call("mprotect", victimPage(), pageBytes, readWrite);
    poke(victimPage(), program42);
    call("mprotect", victimPage(), pageBytes, readExec);
    run42(victimPage());
  }),
  memory("shmat", "attaches shared memory to execute (SHM_EXEC)", () => {
    const id = call("shmget", 0, pageBytes, 0o1700);
    try {
      runWritten(call("shmat", id, 0, 0o100000));
    } finally {
      call("shmctl", id, 0, 0); // IPC_RMID: gone with the last process that has it
    }
  }),
  memory("mmap-inherited-file", "maps a file that was left open to execute", () => {
    call("mmap", 0, pageBytes, readExec, MAP_PRIVATE, leftOpen.program, 0);
  }),
  memory("memfd-alias", "maps one memory file twice: to write, and to execute", () => {
    const fd = call("memfd_create", "x", 0);
    call("ftruncate", fd, pageBytes);
    const writable = call("mmap", 0, pageBytes, readWrite, MAP_SHARED, fd, 0);
    const executable = call("mmap", 0, pageBytes, readExec, MAP_SHARED, fd, 0);
    poke(writable, program42);
    run42(executable);
  }),
  memory("personality", "READ_IMPLIES_EXEC: what is readable becomes executable", () => {
    call("personality", 0x0400000);
    runWritten(mapped(readWrite));
  }),
  memory("remap-file-pages", "remaps a page of a file over executable memory", () => {
    const fd = call("memfd_create", "x", 0);
    call("ftruncate", fd, 2 * pageBytes);
    const page = call("mmap", 0, pageBytes, readExec, MAP_SHARED, fd, 0);
    call("remap_file_pages", page, pageBytes, 0, 1, 0);
  }),
  memory("shared-mapping", "maps memory that others could share", () => {
    callNumber(9n, 0, pageBytes, readWrite, MAP_SHARED | 0x20, -1, 0);
  }),
];
