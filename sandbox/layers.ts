// The names of the layers of confinement, and which of them must hold where the configuration does not say (SandboxRequire).

export const layers = {
  descriptors: "no descriptor but the runtime's own and the broker's socket",
  netns: "a network namespace without an interface",
  mntns: "a mount namespace that holds nothing but an empty, read-only root",
  ipcns: "an IPC namespace of its own kind",
  utsns: "a UTS namespace of its own kind",
  cgroupns: "a cgroup namespace of its own kind",
  pidns: "a pid namespace of its own: it sees no other process",
  root: "an empty, read-only root directory",
  identity: "uid and gid of the privsep user, no supplementary group, proved irrevocable",
  capabilities: "no capability in any set, the bounding set included",
  securebits: "securebits locked",
  undumpable: "not dumpable, so not traceable by its own uid",
  deathSignal: "killed when its broker dies",
  landlock: "Landlock: no file, no TCP, no signal or abstract socket outside",
  rlimits: "no process, no file growth, no core, no locked memory; a bound on data",
  noNewPrivs: "no_new_privs",
  mdwe: "PR_SET_MDWE: nothing ever becomes executable",
  seccomp: "the seccomp filter",
} as const;
export type LayerName = keyof typeof layers;
/** What is weaker without it, for who reads the log or `sallyport sandbox status`: "without it ...". */
export const withoutLayer: Readonly<Record<LayerName, string>> = {
  descriptors: "there may be a descriptor to something that it was not given",
  netns: "nothing but the filter and Landlock keep it from the network",
  mntns: "its root is a chroot, and mounts of the machine are near",
  ipcns: "nothing but the filter keeps it from the machine's shared memory and message queues",
  utsns: "it could learn the machine's name where the filter did not stop it",
  cgroupns: "it could learn its place among the machine's control groups",
  pidns: "nothing but the filter and Landlock keep it from signals to processes of its uid",
  root: "nothing but the filter, its uid and Landlock keep it from files",
  identity: "it has the ids of who started the server",
  capabilities: "it has a part of root's power",
  securebits: "a way back to capabilities is not locked",
  undumpable: "processes of its uid can look into its memory",
  deathSignal: "it could outlive the process that answers for it",
  landlock: "files, TCP ports and signals are kept from it by the other layers alone",
  rlimits: "it could take more memory, processes or files than it needs",
  noNewPrivs: "a setuid program could give it power",
  mdwe: "nothing but the filter keeps memory from becoming executable",
  seccomp: "it can make every system call",
};
export const layerNames = Object.keys(layers) as LayerName[]; // Object.keys forgets the literal names

/** What Debian 12's own kernel (6.1) and a plain container allow; anything else that is missing is reported, not fatal. */
export const requiredByDefault: readonly LayerName[] = [
  "descriptors",
  "root",
  "identity",
  "capabilities",
  "securebits",
  "undumpable",
  "deathSignal",
  "rlimits",
  "noNewPrivs",
  "seccomp",
];
/** What a server that was not started as root can have, like sshd then: it serves its own user alone. */
export const requiredWithoutRoot: readonly LayerName[] = [
  "undumpable",
  "deathSignal",
  "rlimits",
  "noNewPrivs",
  "seccomp",
];
export const isLayerName = (name: string): name is LayerName => Object.hasOwn(layers, name);

/** Those without which nobody is served. `configured` is SandboxRequire, empty for the default. */
export function requiredLayers(
  configured: readonly string[],
  isRoot: boolean,
): ReadonlySet<LayerName> {
  if (configured.length > 0) return new Set(configured.filter(isLayerName));
  return new Set(isRoot ? requiredByDefault : requiredWithoutRoot);
}
