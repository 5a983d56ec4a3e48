// The broker, from the moment its session process is verified: it reads (never writes) files, looks users up, changes its effective ids to
// read keys as their owner, and holds one session process. It has no way to start a program or a process, and none to a socket but
// local ones, where a daemon keeps the users.
import type { Architecture } from "../architecture.ts";
import { x86_64 } from "../architectures/x86-64.ts";
import type { CapabilityName } from "../constants.ts";
import { equals32, within, type Policy, type Rule } from "../rule.ts";
import { endings, memory, time, unavailable } from "./memory.ts";

const unchanged = 0xffff_ffffn;
/**
 * O_NOCTTY, O_NONBLOCK, O_CLOEXEC, O_PATH, O_DIRECTORY, O_NOFOLLOW, O_LARGEFILE: O_RDONLY is 0, so nothing that writes or creates. O_TMPFILE is
 * a bit of its own beside O_DIRECTORY's.
 */
const readOnly = ({ open }: Architecture): bigint =>
  0x100n | 0x800n | 0x8_0000n | 0x20_0000n | open.directory | open.noFollow | open.largeFile;
const AF_UNIX = 1n;
const SIGKILL = 9n;
const RLIMIT_NOFILE = 7n;
const PR_GET_PDEATHSIG = 2n;
const PR_SET_NAME = 15n;
const FIONBIO = 0x5421n;
const O_ASYNC = 0x2000n;

const messages: readonly Rule[] = [
  {
    syscall: "recvmsg",
    reason: "messages of the listener (the connection with one), session process and signer",
  },
  {
    syscall: "sendmsg",
    reason: "messages that carry a descriptor: the connection, the worker's socket",
  },
  { syscall: "write", reason: "messages to listener, session process and signer" },
  { syscall: "read", reason: "files of users, passwd and group; libuv's wake-ups" },
  { syscall: "close", reason: "files that were read, descriptors that were passed on" },
  { syscall: "epoll_wait", reason: "our Poller takes what is ready" },
  {
    syscall: "epoll_pwait",
    reason: "libuv's loop waits here for listener, session process and signer",
  },
  { syscall: "epoll_ctl", reason: "our Poller changes what it waits for" },
  {
    syscall: "ioctl",
    reason: "FIONBIO: a new signer's socket is made non-blocking",
    rare: "only when the signer was replaced",
    args: [equals32(1, FIONBIO, "request is FIONBIO")],
  },
  {
    syscall: "ioctl",
    reason: "stdio asks whether stderr is a terminal before an abort message",
    rare: "only when it aborts",
    errno: "ENOTTY",
  },
  {
    syscall: "writev",
    reason: "libuv's own stderr on an uncaught error",
    rare: "only when it fails",
  },
];

const files = (architecture: Architecture): readonly Rule[] => [
  {
    syscall: "openat",
    reason: "authorized keys (as their owner), the Banner, passwd, group, shadow: to read",
    args: [
      within(
        2,
        readOnly(architecture),
        "flags have no O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_TMPFILE",
      ),
    ],
  },
  {
    syscall: "openat",
    reason: "any other open: a service of nsswitch.conf that would write finds it cannot",
    rare: "no service of Debian's does",
    errno: "EACCES",
  },
  { syscall: "statx", reason: "StrictModes and the user's shell: stat of node:fs" },
  { syscall: "newfstatat", reason: "glibc's stat of nsswitch.conf and of the databases" },
  {
    syscall: "fstat",
    reason: "glibc before 2.33 in a service of nsswitch.conf",
    rare: "Debian 12's glibc has newfstatat",
  },
  { syscall: "lseek", reason: "glibc rewinds passwd and group" },
  {
    syscall: "readlink",
    reason: "realpath of the keys' folder (StrictModes)",
    rare: "only where it leads through a symbolic link",
  },
  { syscall: "pread64", reason: "node:fs reads the Banner by position", rare: "only with Banner" },
];

const identity: readonly Rule[] = [
  {
    syscall: "setresuid",
    reason: "becomes effectively the user whose keys are read, and root again",
    args: [
      equals32(0, unchanged, "real uid is unchanged"),
      equals32(2, unchanged, "saved uid is unchanged"),
    ],
  },
  {
    syscall: "setresuid",
    reason: "takes the session process's real uid for the moment of its prlimit, and root's again",
    args: [
      equals32(1, unchanged, "effective uid is unchanged"),
      equals32(2, unchanged, "saved uid is unchanged"),
    ],
  },
  {
    syscall: "setresgid",
    reason: "as setresuid, effective",
    args: [
      equals32(0, unchanged, "real gid is unchanged"),
      equals32(2, unchanged, "saved gid is unchanged"),
    ],
  },
  {
    syscall: "setresgid",
    reason: "as setresuid, real",
    args: [
      equals32(1, unchanged, "effective gid is unchanged"),
      equals32(2, unchanged, "saved gid is unchanged"),
    ],
  },
  { syscall: "setgroups", reason: "the groups of the user whose keys are read, and its own again" },
  { syscall: "getgroups", reason: "its own groups, to come back to them" },
  { syscall: "capget", reason: "its own capabilities, to come back to them" },
  {
    syscall: "capset",
    reason: "none effective while it reads as a user; never more than its permitted set",
  },
  {
    syscall: "prctl",
    reason: "asUser: a parent-death signal is forgotten when ids change",
    args: [equals32(0, PR_GET_PDEATHSIG, "option is PR_GET_PDEATHSIG")],
  },
  {
    syscall: "prctl",
    reason: "the name in ps: [accepted], then the user",
    args: [equals32(0, PR_SET_NAME, "option is PR_SET_NAME")],
  },
  { syscall: "getuid", reason: "proves that the change of identity has happened, and is undone" },
  { syscall: "geteuid", reason: "proves a change of identity, and the way back, as getuid does" },
  { syscall: "getgid", reason: "proves a change of identity, and the way back, as getuid does" },
  { syscall: "getegid", reason: "proves a change of identity, and the way back, as getuid does" },
];

const itsSessionProcess = (sessionPid: bigint): readonly Rule[] => [
  {
    syscall: "prlimit64",
    reason:
      "no descriptor for the session process until authentication, then what its channels need",
    args: [
      equals32(0, sessionPid, "pid is its session process's"),
      equals32(1, RLIMIT_NOFILE, "resource is RLIMIT_NOFILE"),
    ],
  },
  {
    syscall: "kill",
    reason: "ends the session process with the connection",
    args: [
      equals32(0, sessionPid, "pid is its session process's"),
      equals32(1, SIGKILL, "signal is SIGKILL"),
    ],
  },
  {
    syscall: "wait4",
    reason: "reaps the session process",
    args: [equals32(0, sessionPid, "pid is its session process's")],
  },
];

const otherServices = "only with a service of nsswitch.conf other than files";
const nss = (syscall: Rule["syscall"], reason: string): Rule => ({
  syscall,
  reason,
  rare: otherServices,
});

const userDatabases: readonly Rule[] = [
  nss("getdents64", "libnss_systemd looks whether there are user records"),
  nss("readlinkat", "libnss_systemd follows the folders of its user records"),
  nss("access", "whether a service is there at all"),
  nss("faccessat", "whether a service is there at all"),
  nss("faccessat2", "whether a service is there at all"),
  ...(
    [
      [1n, "F_GETFD"],
      [2n, "F_SETFD"],
      [3n, "F_GETFL"],
    ] as const
  ).map(([command, name]) => ({
    ...nss("fcntl", "services make their descriptors close-on-exec and non-blocking"),
    args: [equals32(1, command, `command is ${name}`)],
  })),
  {
    // F_SETOWN, F_SETSIG and O_ASYNC together send any signal to any process: none of them is here.
    ...nss("fcntl", "services make their descriptors close-on-exec and non-blocking"),
    args: [
      equals32(1, 4n, "command is F_SETFL"),
      { index: 2, mask: O_ASYNC, value: 0n, name: "O_ASYNC is clear" },
    ],
  },
  nss("uname", "libnss_systemd matches user records by host"),
  nss("epoll_create1", "libnss_systemd's own event loop"),
];
/** What asks a daemon: sssd's, winbind's, nslcd's clients. */
const databaseDaemons: readonly Rule[] = [
  {
    ...nss("socket", "the service's local socket"),
    args: [equals32(0, AF_UNIX, "domain is AF_UNIX")],
  },
  nss("connect", "to the service's local socket"),
  nss("sendto", "the question"),
  nss("recvfrom", "the answer"),
  nss("poll", "waits for the answer"),
  nss("ppoll", "waits for the answer"),
  nss("getsockopt", "looks who has answered"),
  nss("setsockopt", "sets its buffers"),
];
const noSocket: readonly Rule[] = [
  {
    syscall: "socket",
    reason:
      "glibc asks nscd before it reads files, and finds it cannot; so does a service that would ask the network",
    rare: "only the first lookup of a process asks nscd, and what the zygote forks inherits that there is none",
    errno: "EACCES",
  },
];

const itself: readonly Rule[] = [
  {
    syscall: "getpid",
    reason: "OpenSSL's generator notices a fork by it; events name their process",
  },
  {
    syscall: "gettid",
    reason: "glibc's abort path asks which thread it is on",
    rare: "only when it aborts",
  },
  {
    syscall: "getrandom",
    reason: "OpenSSL's seed: blinding, and the salt of a recording",
    rare: "only when OpenSSL reseeds",
  },
];

export interface BrokerPolicyOptions {
  /** The one process that it can signal, limit and wait for. */
  readonly sessionPid: number;
  /** Users come from a daemon that is asked over a local socket: sandbox/database-daemons.ts. */
  readonly usesDatabaseDaemons: boolean;
  /** x86-64 without. */
  readonly architecture?: Architecture;
}

export const broker = ({
  sessionPid,
  usesDatabaseDaemons,
  architecture = x86_64,
}: BrokerPolicyOptions): Policy => ({
  name: "broker",
  rules: [
    ...messages,
    ...files(architecture),
    ...identity,
    ...itsSessionProcess(BigInt(sessionPid)),
    ...userDatabases,
    ...(usesDatabaseDaemons ? databaseDaemons : []),
    ...noSocket,
    ...itself,
    ...memory,
    ...time,
    ...endings,
    ...unavailable,
  ],
});

/** What it keeps of root's power, each with its reason: data, as the rules are. */
export const brokerCapabilities = {
  setuid:
    "authorized keys are read with the user's effective uid; prlimit wants the session process's real one",
  setgid: "the same with the user's groups",
  kill: "its session process has another uid, and must end with it",
  dacReadSearch:
    "/etc/shadow is mode 0000 on some systems, and a locked account would look usable; not effective while it reads as a user",
} as const satisfies Partial<Record<CapabilityName, string>>;
