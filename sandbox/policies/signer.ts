// The signer: it has its keys in memory, its sockets open, and every thread of the runtime alive. It opens nothing any more.
import type { Policy, Rule } from "../rule.ts";
import { endings, memory, refusedByErrno, time } from "./memory.ts";

const messages: readonly Rule[] = [
  {
    syscall: "epoll_wait",
    reason: "libuv's loop and our Poller wait here for the listener and the brokers",
  },
  { syscall: "epoll_pwait", reason: "libuv's loop waits with this form" },
  {
    syscall: "epoll_ctl",
    reason: "our Poller adds each broker's channel and removes it at its end",
  },
  { syscall: "read", reason: "libuv's own wake-up descriptors" },
  { syscall: "write", reason: "signatures to brokers; libuv's wake-ups between threads" },
  { syscall: "writev", reason: "the message of an uncaught error", rare: "only when it fails" },
  { syscall: "recvmsg", reason: "requests, and channels as descriptors from the listener" },
  { syscall: "close", reason: "a broker's channel at its end" },
  {
    syscall: "getrandom",
    reason: "nonces of ECDSA, blinding of RSA",
    rare: "only when OpenSSL reseeds",
  },
  { syscall: "getpid", reason: "OpenSSL's generator notices a fork by it before each reseed" },
  {
    syscall: "gettid",
    reason: "glibc's locks of the threads that run",
    rare: "only glibc's abort path",
  },
];

export const signer: Policy = {
  name: "signer",
  rules: [...messages, ...memory, ...time, ...endings, ...refusedByErrno],
};
