// The listener, from the moment it listens. It accepts, passes descriptors on, writes logs, and reads its configuration again; it starts
// nothing (the spawner does) and connects to nothing but local sockets. What it may open for writing is Landlock's to say.
//
// A call without a rule is refused with EPERM here and does not kill: where a broker's death ends one connection, the listener's would end
// the service, and a refusal gives an attacker as little.
import { verdict } from "../bpf.ts";
import { equals32, errnos, type Policy, type Rule } from "../rule.ts";
import { endings, memory, time, unavailable } from "./memory.ts";

/** For `compile`. */
export const listenerOtherwise = verdict.errno | errnos.EPERM;

const [AF_UNIX, AF_INET, AF_INET6] = [1n, 2n, 10n];
const PR_SET_NAME = 15n;
const F_ADD_SEALS = 1033n;
const onReload = "only after SIGHUP";

const loop: readonly Rule[] = [
  { syscall: "epoll_wait", reason: "our Poller takes what is ready" },
  { syscall: "epoll_pwait", reason: "libuv's loop waits here for clients and for our processes" },
  {
    syscall: "epoll_ctl",
    reason: "our Poller adds the socket of each pair and login, and removes it",
  },
  {
    syscall: "poll",
    reason: "waits for the spawner's answer",
    rare: "only when a signer or zygote is started",
  },
  { syscall: "read", reason: "stderr of our processes, signals, configuration files" },
  { syscall: "write", reason: "log lines; messages to brokers, zygote and signer" },
  {
    syscall: "writev",
    reason: "libuv's own stderr on an uncaught error",
    rare: "only when it fails",
  },
  { syscall: "rt_sigreturn", reason: "the end of a signal handler: SIGCHLD, SIGHUP, SIGTERM" },
];

const overIpv6 = "only over IPv6";
/** Options are many and some have been ways into the kernel: each of ours by name. */
const option = (
  syscall: "setsockopt" | "getsockopt",
  [levelName, level]: readonly [string, bigint],
  [optionName, number]: readonly [string, bigint],
  reason: string,
  rare?: string,
): Rule => ({
  syscall,
  reason,
  ...(rare === undefined ? {} : { rare }),
  args: [
    equals32(1, level, `level is ${levelName}`),
    equals32(2, number, `option is ${optionName}`),
  ],
});

const connections: readonly Rule[] = [
  { syscall: "accept4", reason: "connections of clients" },
  { syscall: "getsockname", reason: "the address that a client has reached" },
  option("setsockopt", ["IPPROTO_TCP", 6n], ["TCP_NODELAY", 1n], "each connection"),
  option("setsockopt", ["SOL_SOCKET", 1n], ["SO_KEEPALIVE", 9n], "each connection"),
  option("setsockopt", ["IPPROTO_IP", 0n], ["IP_TOS", 1n], "each connection"),
  option("setsockopt", ["IPPROTO_IPV6", 41n], ["IPV6_TCLASS", 67n], "each connection", overIpv6),
  option("setsockopt", ["SOL_SOCKET", 1n], ["SO_REUSEADDR", 2n], "a new ListenAddress", onReload),
  option(
    "setsockopt",
    ["IPPROTO_IPV6", 41n],
    ["IPV6_V6ONLY", 26n],
    "a new ListenAddress",
    onReload,
  ),
  option("getsockopt", ["SOL_SOCKET", 1n], ["SO_DOMAIN", 39n], "the address family, before IP_TOS"),
  {
    syscall: "socketpair",
    reason: "a pair's sockets",
    args: [equals32(0, AF_UNIX, "domain is AF_UNIX")],
  },
  { syscall: "sendmsg", reason: "connections to brokers, sockets to zygote and signer" },
  { syscall: "recvmsg", reason: "what brokers, zygote, signer and spawner say" },
  { syscall: "close", reason: "what has been passed on" },
];

const files: readonly Rule[] = [
  {
    syscall: "openat",
    reason:
      "/proc of brokers and signers; after SIGHUP configuration and logs: Landlock says which",
  },
  { syscall: "statx", reason: "stat of node:fs before a file is read", rare: onReload },
  {
    syscall: "newfstatat",
    reason: "glibc's stat of the user databases (PrivsepUser)",
    rare: onReload,
  },
  { syscall: "fstat", reason: "node:fs before it reads a file", rare: onReload },
  { syscall: "lseek", reason: "glibc rewinds the user databases", rare: onReload },
  {
    syscall: "getdents64",
    reason: "a signer's threads in /proc; Include's patterns",
    rare: "only when a signer has started, and after SIGHUP",
  },
  { syscall: "readlink", reason: "realpath of a configuration file", rare: onReload },
  { syscall: "unlink", reason: "the pid file, at the end" },
  { syscall: "memfd_create", reason: "the configuration for the next zygote", rare: onReload },
  { syscall: "ftruncate", reason: "as memfd_create", rare: onReload },
  {
    // By name: F_SETOWN, F_SETSIG and O_ASYNC together send any signal to any process.
    syscall: "fcntl",
    reason: "seals that memory file",
    rare: onReload,
    args: [equals32(1, F_ADD_SEALS, "command is F_ADD_SEALS")],
  },
];

/** SOCK_STREAM, non-blocking and close-on-exec; TCP is protocol 0. Landlock stops TCP alone: not UDP, MPTCP or SCTP. */
const tcpSocket = 1n | 0x800n | 0x8_0000n;
const listening = (domain: bigint, name: string): Rule => ({
  syscall: "socket",
  reason: "a new ListenAddress",
  rare: onReload,
  args: [
    equals32(0, domain, `domain is ${name}`),
    equals32(1, tcpSocket, "type is SOCK_STREAM"),
    equals32(2, 0n, "protocol is 0"),
  ],
});
const sockets: readonly Rule[] = [
  {
    syscall: "socket",
    reason: "/dev/log and the service manager",
    rare: "only with syslog or under systemd",
    args: [equals32(0, AF_UNIX, "domain is AF_UNIX")],
  },
  listening(AF_INET, "AF_INET"),
  listening(AF_INET6, "AF_INET6"),
  {
    syscall: "connect",
    reason: "to /dev/log and the service manager; to a TCP port Landlock refuses it",
    rare: "only with syslog or under systemd",
  },
  { syscall: "bind", reason: "a new ListenAddress", rare: onReload },
  { syscall: "listen", reason: "a new ListenAddress", rare: onReload },
];

const itself: readonly Rule[] = [
  {
    syscall: "prctl",
    reason: "the number of startups in ps",
    args: [equals32(0, PR_SET_NAME, "option is PR_SET_NAME")],
  },
  { syscall: "getpid", reason: "OpenSSL's generator notices a fork by it" },
  {
    syscall: "gettid",
    reason: "glibc's abort path asks which thread it is on",
    rare: "only when it aborts",
  },
  { syscall: "getuid", reason: "whether a broker must be root, each time one is looked at" },
  { syscall: "geteuid", reason: "whether there is a PrivsepUser", rare: onReload },
  {
    syscall: "getrandom",
    reason: "MaxStartups throws dice",
    rare: "only beyond MaxStartups, and when OpenSSL reseeds",
  },
  { syscall: "wait4", reason: "reaps the spawner", rare: "only when it has died" },
];

export const listener: Policy = {
  name: "listener",
  rules: [
    ...loop,
    ...connections,
    ...files,
    ...sockets,
    ...itself,
    ...memory,
    ...time,
    ...endings,
    ...unavailable,
  ],
};

/** What it keeps of root's power, each with its reason. */
export const listenerCapabilities = {
  netBindService: "a new Port or ListenAddress below 1024, after SIGHUP",
} as const;
/** Kept besides, only where a folder that it must write to is not root's. */
export const listenerCapabilitiesForFolders = {
  dacOverride:
    "only where the pid file or a log lies in a folder that is not root's: to remove or reopen it there. Landlock lets it write to these folders alone",
} as const;
