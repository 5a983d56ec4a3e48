// Namespaces, mounts and roots. The tool stands in mount, UTS and IPC namespaces of its own, so that what gets through changes nothing outside.
import { call } from "../raw-calls.ts";
import { leftOpen, type Attempt, type Targets } from "../attempt.ts";
import { readSecret } from "./files.ts";

const CLONE_NEWNS = 0x20000;
const CLONE_NEWUSER = 0x10000000;
const CLONE_NEWNET = 0x40000000;
const MS_BIND = 0x1000;
const MNT_DETACH = 2;
const AT_FDCWD = -100;
const OPEN_TREE_CLONE = 1;
/** More than any path here is deep. */
const climb = 32;

const attempt = (name: string, what: string, run: (targets: Targets) => void): Attempt => ({
  name,
  family: "namespaces",
  what,
  run,
});
/** Up from where it is, until there is no further up; that becomes the root. */
function climbOut({ secret }: Targets): void {
  for (let i = 0; i < climb; i += 1) call("chdir", "..");
  call("chroot", ".");
  readSecret(call("openat", AT_FDCWD, secret, 0, 0));
}

export const namespaces: readonly Attempt[] = [
  attempt("unshare-user", "makes a user namespace, to be root in it", () => {
    call("unshare", CLONE_NEWUSER);
  }),
  attempt("unshare-mount", "makes a mount namespace", () => {
    call("unshare", CLONE_NEWNS);
  }),
  attempt("unshare-net", "makes a network namespace", () => {
    call("unshare", CLONE_NEWNET);
  }),
  attempt("setns", "joins the old mount namespace by a descriptor that was left open", () => {
    call("setns", leftOpen.namespace, 0);
  }),
  attempt("setns-pidfd", "joins the broker's namespaces by a pidfd", ({ brokerPid }) => {
    call("setns", call("pidfd_open", brokerPid, 0), CLONE_NEWNS);
  }),
  attempt("mount-tmpfs", "mounts a file system", ({ folder }) => {
    call("mount", "none", `${folder}/inner`, "tmpfs", 0, 0);
  }),
  attempt("mount-root", "mounts one over its root", () => {
    call("mount", "none", "/", "tmpfs", 0, 0);
  }),
  attempt("mount-proc", "mounts /proc anew", ({ folder }) => {
    call("mount", "none", `${folder}/inner`, "proc", 0, 0);
  }),
  attempt("bind-mount", "mounts a folder in another place", ({ folder }) => {
    call("mount", folder, `${folder}/inner`, 0, MS_BIND, 0);
  }),
  attempt("remount", "makes its root writable", () => {
    call("mount", 0, "/", 0, 0x20, 0);
  }),
  attempt("umount", "takes the mount of /proc away", () => {
    call("umount2", "/proc", MNT_DETACH);
  }),
  attempt("open-tree", "copies a mount", ({ folder }) => {
    call("open_tree", AT_FDCWD, folder, OPEN_TREE_CLONE);
  }),
  attempt("fsopen", "makes a file system without a place", () => {
    call("fsopen", "tmpfs", 0);
  }),
  attempt("pivot-root", "changes the root of its namespace", ({ folder }) => {
    call("mount", "none", `${folder}/inner`, "tmpfs", 0, 0);
    call("pivot_root", `${folder}/inner`, `${folder}/inner`);
  }),
  attempt(
    "chroot-breakout",
    "the classic way out of a chroot: another chroot, and up",
    (targets) => {
      call("mkdir", "sallyport-hole", 0o700);
      call("chroot", "sallyport-hole");
      climbOut(targets);
      call("rmdir", `${targets.folder}/sallyport-hole`);
    },
  ),
  attempt(
    "chroot-by-descriptor",
    "out of the chroot by a folder's descriptor that was left open",
    (targets) => {
      call("fchdir", leftOpen.folder);
      climbOut(targets);
    },
  ),
  attempt("sethostname", "renames the machine", () => {
    call("sethostname", "sallyport-prove", 15);
  }),
];
