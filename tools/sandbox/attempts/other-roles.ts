// What is tried from within broker, signer and listener: of the session process's list what these must not be able to either. A broker and a
// listener may read files, and a broker may end its own session process.
import type { Attempt } from "../attempt.ts";
import { sessionAttempts } from "./session.ts";

/** By name; each is there. */
function chosen(...names: readonly string[]): readonly Attempt[] {
  return names.map((name) => {
    const found = sessionAttempts.find((attempt) => attempt.name === name);
    if (found === undefined) throw new RangeError(`No attempt is called ${name}`);
    return found;
  });
}

const forAll = [
  ...["overwrite", "create", "truncate", "unlink", "rename", "link", "chmod", "chown", "mknod"],
  ...["execve", "execveat", "exec-memfd", "exec-high-bits", "vfork", "clone", "clone3", "clone-newuser"],
  ...["mmap-rwx", "mprotect", "pkey-mprotect", "mprotect-code", "rewrite-code", "shmat", "memfd-alias"],
  ...["raw", "packet", "netlink", "vsock"],
  ...["ptrace-sibling", "ptrace-broker", "vm-readv", "vm-writev", "pidfd-getfd"],
  ...["unshare-user", "unshare-mount", "mount-tmpfs", "mount-root", "bind-mount", "umount", "pivot-root", "chroot-breakout", "sethostname"],
  ...["seccomp-more", "i386-getuid", "x32-getpid"],
  ...["userfaultfd", "bpf", "perf", "add-key", "keyctl", "init-module", "reboot", "swapon", "acct", "syslog", "modify-ldt", "io-uring"],
]; // prettier-ignore

export const brokerAttempts = chosen(...forAll, "tcp-connect", "tcp-listen", "kill-broker", "proc-self-mem"); // prettier-ignore
export const signerAttempts = chosen(
  ...[...forAll, "open", "openat2", "tcp-connect", "tcp-listen", "unix-abstract", "unix-path"],
  ...["kill-sibling", "kill-broker", "setuid", "setresuid", "setgroups", "capset", "core-dump"],
);
export const listenerAttempts = chosen(...forAll, "tcp-connect", "proc-self-mem");
