// The session process: OpenSSH's preauth filter, and nothing that is not argued for in docs/sandbox.md.
import type { Policy, Rule } from "../rule.ts";
import { endings, memory, refusedByErrno, time } from "./memory.ts";

const events: readonly Rule[] = [
  {
    syscall: "epoll_wait",
    reason: "libuv's loop and our Poller wait here for the client, the broker, the worker",
  },
  { syscall: "epoll_pwait", reason: "libuv's loop waits with this form" },
  {
    syscall: "epoll_ctl",
    reason: "our Poller adds the connection and channel descriptors, and changes their interest",
  },
];

const inputAndOutput: readonly Rule[] = [
  {
    syscall: "read",
    reason: "the connection, channel pipes and ptys, libuv's own wake-up descriptors",
  },
  {
    syscall: "write",
    reason: "the connection, channel pipes and ptys, messages to broker and worker",
  },
  {
    syscall: "writev",
    reason: "libuv's own stderr on an uncaught error, which finds it closed",
    rare: "only when it fails",
  },
  {
    syscall: "recvmsg",
    reason:
      "messages of the broker and the worker; while RLIMIT_NOFILE is 0 the kernel hands over no descriptor with them",
  },
  { syscall: "close", reason: "a channel's descriptors at its end" },
];

const itself: readonly Rule[] = [
  { syscall: "getpid", reason: "OpenSSL's generator notices a fork by it before each reseed" },
  {
    syscall: "gettid",
    reason: "glibc's abort path asks which thread it is on",
    rare: "only when it aborts",
  },
  { syscall: "getrandom", reason: "keys, cookies and padding: OpenSSL's seed and ours" },
];

export const session: Policy = {
  name: "session",
  rules: [
    ...inputAndOutput,
    ...events,
    ...memory,
    ...time,
    ...itself,
    ...endings,
    ...refusedByErrno,
  ],
};
