// Files, by every call that opens, changes or looks at one.
import { Refused, addressOf, call, callNumber, peek, poke, prot, struct, victimPage } from "../raw-calls.ts"; // prettier-ignore
import { leftOpen, secretText, type Attempt, type Targets } from "../attempt.ts";

const AT_FDCWD = -100;
const O_RDWR = 2;
const O_CREAT = 0x40;
const O_DIRECTORY = 0x10000;
const O_RDONLY = 0;

/** Proves that the descriptor leads to the secret. */
export function readSecret(fd: bigint): void {
  const bytes = new Uint8Array(secretText.length);
  call("read", fd, bytes, bytes.length);
  if (Buffer.from(bytes).toString("latin1") !== secretText)
    throw new Error("What was read is not the secret");
}
const file = (
  name: string,
  what: string,
  run: Attempt["run"],
  more: Partial<Attempt> = {},
): Attempt => ({ name, family: "files", what, run, ...more });
const opens = (name: string, what: string, open: (targets: Targets) => bigint): Attempt =>
  file(name, what, (targets) => {
    readSecret(open(targets));
  });

const handleBytes = 128;
function openByHandle({ secret, folder }: Targets): bigint {
  const handle = new Uint8Array(8 + handleBytes);
  new DataView(handle.buffer).setUint32(0, handleBytes, true);
  const mountId = new Uint8Array(8);
  call("name_to_handle_at", AT_FDCWD, secret, handle, mountId, 0);
  const mount = call("openat", AT_FDCWD, folder, O_DIRECTORY, 0);
  return call("open_by_handle_at", mount, handle, O_RDONLY);
}

/** Offsets in struct io_uring_params: its answer tells where the rings are. */
const ring = { sqTail: 44, sqMask: 48, sqArray: 64, cqHead: 80, cqes: 100 } as const;
const IORING_OP_OPENAT = 18;
function openByRing({ secret }: Targets): bigint {
  const params = new Uint8Array(120);
  const view = new DataView(params.buffer);
  const fd = call("io_uring_setup", 4, params);
  const map = (offset: number): bigint =>
    call("mmap", 0, 8192, prot.read | prot.write, 1, fd, offset);
  const rings = map(0);
  const entries = map(0x1000_0000);
  const entry = new Uint8Array(64);
  entry[0] = IORING_OP_OPENAT;
  const fields = new DataView(entry.buffer);
  fields.setInt32(4, AT_FDCWD, true);
  fields.setBigUint64(16, addressOf(Buffer.from(`${secret}\0`)), true);
  poke(entries, entry);
  const at = (offset: number): bigint => rings + BigInt(view.getUint32(offset, true));
  poke(at(ring.sqArray), new Uint8Array(4));
  poke(at(ring.sqTail), Uint8Array.of(1, 0, 0, 0));
  call("io_uring_enter", fd, 1, 1, 1, 0, 0);
  const result = peek(at(ring.cqes) + 8n) | 0;
  if (result < 0) throw new Refused(-result, "openat by io_uring");
  return BigInt(result);
}

export const files: readonly Attempt[] = [
  opens("open", "reads a file of root's by open", ({ secret }) => call("open", secret, O_RDONLY)),
  opens("openat", "the same by openat", ({ secret }) =>
    call("openat", AT_FDCWD, secret, O_RDONLY, 0),
  ),
  opens("openat2", "the same by openat2", ({ secret }) =>
    call("openat2", AT_FDCWD, secret, struct(O_RDONLY, 0, 0), 24),
  ),
  opens("open-by-handle", "the same by name_to_handle_at and open_by_handle_at", openByHandle),
  opens("io-uring", "the same by a ring: io_uring_setup, then the kernel's own openat", openByRing),
  opens("proc-root", "the same through /proc/1/root", ({ secret }) =>
    call("openat", AT_FDCWD, `/proc/1/root${secret}`, O_RDONLY, 0),
  ),
  opens(
    "proc-broker-root",
    "the same through the broker's /proc/PID/root",
    ({ secret, brokerPid }) =>
      call("openat", AT_FDCWD, `/proc/${brokerPid}/root${secret}`, O_RDONLY, 0),
  ),
  opens("inherited-file", "reads a descriptor that a careless parent left open", () =>
    BigInt(leftOpen.file),
  ),
  opens("inherited-folder", "opens by a folder's descriptor that was left open", () =>
    call("openat", leftOpen.folder, "secret", O_RDONLY, 0),
  ),
  opens("inherited-folder-up", "climbs from that folder: openat of ../../..", ({ secret }) =>
    call("openat", leftOpen.folder, `../../../../../..${secret}`, O_RDONLY, 0),
  ),
  opens("inherited-proc-fd", "opens a left-open descriptor again, through /proc/self/fd", () =>
    call("openat", AT_FDCWD, `/proc/self/fd/${leftOpen.file}`, O_RDONLY, 0),
  ),
  opens("old-root", "reaches for the old root by its inherited working directory", ({ secret }) =>
    call("openat", AT_FDCWD, `../../../../../../..${secret}`, O_RDONLY, 0),
  ),
  file("proc-self-mem", "writes its own code through /proc/self/mem", () => {
    const fd = call("openat", AT_FDCWD, "/proc/self/mem", O_RDWR, 0);
    call("pwrite64", fd, Uint8Array.of(0x90), 1, victimPage());
  }),
  file(
    "proc-broker-mem",
    "reads the broker's memory through /proc/PID/mem",
    ({ brokerPid, secretAddress }) => {
      const fd = call("openat", AT_FDCWD, `/proc/${brokerPid}/mem`, O_RDONLY, 0);
      call("pread64", fd, new Uint8Array(16), 16, secretAddress);
    },
  ),
  file("overwrite", "opens the file to write", ({ secret }) => {
    call("write", call("openat", AT_FDCWD, secret, O_RDWR, 0), "x", 1);
  }),
  file("create", "makes a file", ({ folder }) => {
    call("creat", `${folder}/made`, 0o600);
  }),
  file("create-tmp", "makes a file in /tmp", ({ folder }) => {
    call(
      "openat",
      AT_FDCWD,
      `/tmp/${folder.slice(folder.lastIndexOf("/") + 1)}`,
      O_RDWR | O_CREAT,
      0o600,
    );
    call("unlink", `/tmp/${folder.slice(folder.lastIndexOf("/") + 1)}`);
  }),
  file("create-in-root", "makes a folder in its root directory", () => {
    call("mkdir", "/sallyport-prove", 0o700);
    call("rmdir", "/sallyport-prove");
  }),
  file("truncate", "empties the file by name", ({ secret }) => {
    call("truncate", secret, 0);
  }),
  file("unlink", "removes the file", ({ secret }) => {
    call("unlink", secret);
  }),
  file("rename", "renames the file", ({ secret }) => {
    call("renameat2", AT_FDCWD, secret, AT_FDCWD, `${secret}2`, 0);
  }),
  file("link", "gives the file a second name", ({ secret }) => {
    call("link", secret, `${secret}2`);
  }),
  file("symlink", "makes a symbolic link", ({ secret }) => {
    call("symlink", "/etc/shadow", `${secret}2`);
  }),
  file("chmod", "opens the file to everybody", ({ secret }) => {
    call("chmod", secret, 0o666);
  }),
  file("chown", "gives the file away", ({ secret }) => {
    call("chown", secret, 12345, 12345);
  }),
  file("setxattr", "writes an attribute of the file", ({ secret }) => {
    call("setxattr", secret, "user.sallyport", "x", 1, 0);
  }),
  file("utimensat", "changes the file's times", ({ secret }) => {
    call("utimensat", AT_FDCWD, secret, struct(1, 0, 1, 0), 0);
  }),
  file("mkfifo", "makes a named pipe", ({ folder }) => {
    call("mknod", `${folder}/made`, 0o10600, 0);
  }),
  file("mknod", "makes a device (the null device)", ({ folder }) => {
    call("mknod", `${folder}/made`, 0o20600, 0x103);
  }),
  file("stat", "looks whether the file is there", ({ secret }) => {
    call("newfstatat", AT_FDCWD, secret, new Uint8Array(144), 0);
  }),
  file("statx", "the same by statx", ({ secret }) => {
    call("statx", AT_FDCWD, secret, 0, 0x7ff, new Uint8Array(256));
  }),
  file("readlink", "learns where its program is", () => {
    call("readlink", "/proc/self/exe", new Uint8Array(64), 64);
  }),
  file("list-folder", "lists a folder", ({ folder }) => {
    call(
      "getdents64",
      call("openat", AT_FDCWD, folder, O_DIRECTORY, 0),
      new Uint8Array(1024),
      1024,
    );
  }),
  file("inotify", "watches a folder", ({ folder }) => {
    call("inotify_add_watch", call("inotify_init1", 0), folder, 0xfff);
  }),
  file("fanotify", "watches a mount", () => {
    call("fanotify_init", 0, 0);
  }),
  file("file-with-high-bits", "openat, with bits above 32 in its flags", ({ secret }) => {
    readSecret(callNumber(257n, AT_FDCWD, secret, 1n << 40n, 0));
  }),
];
