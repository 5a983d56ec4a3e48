// The catalogue of events: what each `code` means. docs/logs.md is made from it, and a test looks for codes that are not in it.
import { endReasons } from "../../ipc/monitor.ts";

/** Where a code ends in `*`, the rest is what the last column says. */
export const eventCodes: Readonly<Record<string, string>> = {
  listening: "The listener accepts connections; fields `address`, `port`",
  "listen.failed": "An address could not be listened on",
  "listen.none": "None could; the listener ends",
  "host-key.failed": "A host key could not be loaded; it is skipped",
  "host-key.none": "None could; the listener ends, or keeps its old configuration",
  "config.notice": "A line of the configuration was skipped, and why",
  "config.error": "What is wrong with the configuration that SIGHUP was about",
  "log.failed": "SIGHUP: a log file could not be opened; the old ones stay",
  "reload.failed": "SIGHUP: the old configuration stays",
  restarting: "SIGHUP: the new configuration holds",
  terminating: "The listener ends",
  "pid-file.failed": "The PidFile could not be written",
  "accept.failed": "accept(2) failed",
  "startups.throttle": "MaxStartups drops connections; said now and then, with how many",
  "startups.throttle-ended": "It does not any more",
  "connection.dropped": "MaxStartups; fields `address`, `port`, `startups`, `reason`",
  "connection.refused": "RefuseConnection, or no session process could be had",
  "connection.accepted":
    "A connection is with its session process; fields as for all events about one, see above",
  "connection.grace-exceeded": "LoginGraceTime is over",
  "connection.ended":
    "The last event of every connection; fields `address`, `port`, `end` (ok, no-auth, auth-failed, invalid-user, grace-exceeded, crash, refused, violation), `bytesReceived`, `bytesSent`, `seconds`",
  ...Object.fromEntries(
    endReasons.map((reason) => [
      `connection.${reason}`,
      "How it ended, as the session process saw it; fields `reason`, `disconnectReason` (RFC 4253 section 11.1)",
    ]),
  ),
  "connection.no-identification": "The client closed before it said who it is",
  "connection.disconnected": "After `connection.peer-disconnected`: sshd's second line",
  "connection.transferred":
    "After `connection.peer-closed` of a logged-in user: sshd's second line",
  "connection.closing": "And its third",
  "connection.invalid-format": "After `connection.bad-identification`: sshd's second line",
  "connection.invalid-version": "After `connection.version-mismatch`: sshd's second line",
  "user.lookup-failed":
    "The service behind the user database failed: nobody gets in until it is back",
  "user.invalid": "There is no such user; field `user` as in all of these",
  "user.not-allowed": "AllowUsers and its like, a locked account, a shell that is not there",
  "auth.key-accepted": "A line of authorized_keys holds the key; fields `key`, `where`",
  "auth.postponed": "The key would do; the client has not signed yet",
  "auth.accepted": "Logged in; fields `method`, `key`",
  "auth.failed": "A failure; fields `method`, `key`",
  "auth.partial": "One step of AuthenticationMethods is done",
  "auth.root-refused": "PermitRootLogin",
  "auth.too-many": "MaxAuthTries; field `failures`",
  "auth.key-refused": "A key was not judged: its algorithm or its form",
  "keys.refused-by-options": "After `keys.not-now`: sshd's second line",
  "keys.refused": "A key file was not read: its owner or mode (StrictModes); field `file`",
  "keys.line-skipped": "A line of authorized_keys could not be used, and why; field `where`",
  "keys.not-now": "A key is there, but its restrictions do not let it in; fields `where`, `why`",
  "login.forked": "The login of an authenticated connection runs; the line names its pid",
  "session.*":
    "Said by the session process, which is not believed: starts, ends and refusals in it. No other process's codes begin so",
  "signer.refused": "The signer would not sign; the connection ends",
  "monitor.session-died": "The session process is gone without a word, or was killed",
  "monitor.violation": "The session process broke the protocol with its broker",
  "sandbox.violation":
    "A process made a system call that its filter does not know; fields `process`, `child` (its pid), `layer`, `syscall`, `source` (kernel: its audit log; process: it said so itself, with -d, and then `arguments`; none: nobody tells, and `syscall` is absent)",
  "broker.order": "The broker could not read an order of the listener",
  "broker.fault": "The listener could not read a message of a broker",
  "broker.died": "A broker is gone without a word",
  "pair.failed": "A broker or its session process failed before it had a connection",
  "child.ended":
    "A zygote, signer, broker or login has ended; fields `kind`, `child` (its pid), `class`, `cpuUs`",
  "child.stderr": "What a process of ours wrote to stderr: an error nobody caught",
  "zygote.renewed": "A zygote is replaced, and why",
  "listener.failed": "An error of the listener's own, which ends it",
  "spawner.gone": "The process that starts zygotes and signers is gone: the server ends",
  "zygote.retry": "A zygote could not be started; it is tried again",
  "signer.retry": "A signer could not be started; it is tried again",
  "sandbox.canary-passed":
    "At start, once for each runtime, policy and kernel: a session process went through all it can come to do; field `milliseconds`",
  "sandbox.canary-failed":
    "It made a call that the policy lacks: the server ends (a running one stays as it was); fields `layer`, `fault`",
  "sandbox.layer-partial":
    "The kernel's Landlock is older than some of what its layer means: what it does not restrict",
  "sandbox.layer-missing":
    "A layer of confinement is missing: info when it may be (SandboxRequire), error when it ended the pair",
};

export const isKnownCode = (code: string): boolean =>
  Object.hasOwn(eventCodes, code) || code.startsWith("session.");
