// Doors that few programs use and many exploits did; and the other ways into the kernel.
import { call, callI386, callX32, lowMemory, struct, trap } from "../raw-calls.ts";
import { errno, leftOpen, type Attempt, type Targets } from "../attempt.ts";
import { readSecret } from "./files.ts";

const AT_FDCWD = -100;
const TIOCSTI = 0x5412;
const RLIMIT_CORE = 4;
/** So much of a core is enough to see it made. */
const coreBytes = 65536;

const kernel = (
  name: string,
  what: string,
  run: (targets: Targets) => void,
  more: Partial<Attempt> = {},
): Attempt => ({ name, family: "kernel", what, run, ...more });
const entry = (
  name: string,
  what: string,
  run: (targets: Targets) => void,
  more: Partial<Attempt> = {},
): Attempt => ({ name, family: "abi", what, run, ...more });

export const otherEntries: readonly Attempt[] = [
  entry("i386-getuid", "any call of the i386 table, by int 0x80", () => {
    callI386(24);
  }),
  entry("i386-open", "opens a file by the i386 table", ({ secret }) => {
    readSecret(callI386(5, lowMemory(Buffer.from(`${secret}\0`)), 0, 0));
  }),
  entry(
    "i386-execve",
    "i386 call 11 (execve there, munmap here)",
    () => {
      callI386(11, lowMemory(Buffer.from("/nonexistent\0")), 0, 0);
    },
    { reaches: [errno.ENOENT] },
  ),
  entry("x32-getpid", "any call of the x32 table", () => {
    callX32("getpid");
  }),
  entry("x32-open", "opens a file by the x32 table", ({ secret }) => {
    readSecret(callX32("openat", AT_FDCWD, secret, 0, 0));
  }),
];

export const kernelDoors: readonly Attempt[] = [
  kernel("userfaultfd", "handles its own page faults", () => {
    call("userfaultfd", 0);
  }),
  kernel("bpf", "makes a BPF map", () => {
    const attributes = new Uint8Array(72);
    new Uint32Array(attributes.buffer).set([2, 4, 4, 1]); // BPF_MAP_TYPE_ARRAY; sizes of key and value; entries
    call("bpf", 0, attributes, 72);
  }),
  kernel("perf", "measures the kernel", () => {
    const attributes = new Uint8Array(112);
    new Uint32Array(attributes.buffer).set([1, 112]); // PERF_TYPE_SOFTWARE, size
    call("perf_event_open", attributes, 0, -1, -1, 0);
  }),
  kernel("add-key", "adds to a keyring", () => {
    call("add_key", "user", "sallyport-prove", "x", 1, -2);
  }),
  kernel("keyctl", "joins a session keyring", () => {
    call("keyctl", 1, 0, 0, 0, 0);
  }),
  kernel(
    "init-module",
    "loads a kernel module",
    () => {
      call("init_module", new Uint8Array(64), 64, "");
    },
    { reaches: [errno.ENOEXEC] },
  ),
  kernel(
    "reboot",
    "reboots (with a wrong magic number, so that nothing comes of it)",
    () => {
      call("reboot", 0, 0, 0, 0);
    },
    { reaches: [errno.EINVAL] },
  ),
  kernel(
    "swapon",
    "turns swapping on (for a file that is not there)",
    ({ folder }) => {
      call("swapon", `${folder}/none`, 0);
    },
    { reaches: [errno.ENOENT] },
  ),
  kernel(
    "acct",
    "turns process accounting on (for a file that is not there)",
    ({ folder }) => {
      call("acct", `${folder}/none`);
    },
    { reaches: [errno.ENOENT] },
  ),
  kernel("syslog", "reads the kernel's log", () => {
    call("syslog", 3, new Uint8Array(64), 64);
  }),
  kernel("iopl", "asks for the machine's ports", () => {
    call("iopl", 3);
  }),
  kernel("modify-ldt", "makes a segment of its own", () => {
    const descriptor = new Uint8Array(16);
    new Uint32Array(descriptor.buffer).set([0, 0, 0, 0x38]); // not present: it changes nothing
    call("modify_ldt", 1, descriptor, 16);
  }),
  kernel("ptmx", "opens a pseudo-terminal", () => {
    call("openat", AT_FDCWD, "/dev/ptmx", 2, 0);
  }),
  kernel("tiocsti", "types into a terminal that was left open (TIOCSTI)", () => {
    call("ioctl", leftOpen.terminal, TIOCSTI, "x");
  }),
  kernel("timer", "makes a timer that signals", () => {
    call("timer_create", 1, 0, new Uint8Array(8));
  }),
  kernel("handler", "handles SIGSYS itself", () => {
    call("rt_sigaction", 31, struct(1, 0, 0, 0), 0, 8);
  }),
  kernel("landlock", "makes a Landlock ruleset", () => {
    call("landlock_create_ruleset", struct(1), 8, 0);
  }),
  kernel("message-queue", "makes a message queue for others", () => {
    const id = call("msgget", 0, 0o1600);
    call("msgctl", id, 0, 0);
  }),
  kernel(
    "splice",
    "moves data between left-open descriptors",
    () => {
      call("tee", leftOpen.file, leftOpen.terminal, 1, 0);
    },
    { reaches: [errno.EINVAL] },
  ),
  kernel(
    "core-dump",
    "leaves its memory behind in a core",
    () => {
      trap();
    },
    {
      succeedsBy: "core",
      prepare: ({ folder }) => {
        call("chdir", folder);
        call("setrlimit", RLIMIT_CORE, struct(coreBytes, coreBytes));
      },
    },
  ),
];
