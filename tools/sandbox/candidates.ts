// Which layers are tried alone against an attempt of each family: the others have nothing to say to it.
import type { LayerName } from "../../sandbox/layers.ts";
import type { Family } from "./attempt.ts";

/**
 * What could stand against each family, each tried alone; in the order in which the kernel comes to them, roughly, since of several that
 * answer alike the first is named.
 */
export const candidates: Readonly<Record<Family, readonly LayerName[]>> = {
  files: [
    "seccomp",
    "descriptors",
    "rlimits",
    "root",
    "mntns",
    "pidns",
    "capabilities",
    "identity",
    "landlock",
  ],
  programs: [
    "seccomp",
    "descriptors",
    "rlimits",
    "root",
    "mntns",
    "capabilities",
    "identity",
    "landlock",
  ],
  memory: ["seccomp", "descriptors", "rlimits", "ipcns", "mdwe"],
  sockets: ["seccomp", "rlimits", "root", "mntns", "netns", "capabilities", "identity", "landlock"],
  processes: ["seccomp", "rlimits", "pidns", "capabilities", "identity", "landlock"],
  namespaces: [
    "seccomp",
    "descriptors",
    "rlimits",
    "root",
    "mntns",
    "pidns",
    "capabilities",
    "identity",
    "landlock",
  ],
  identity: [
    "seccomp",
    "rlimits",
    "mdwe",
    "noNewPrivs",
    "securebits",
    "capabilities",
    "identity",
    "undumpable",
  ],
  abi: ["seccomp", "rlimits", "root", "mntns", "identity", "landlock"],
  kernel: [
    "seccomp",
    "descriptors",
    "rlimits",
    "root",
    "mntns",
    "ipcns",
    "capabilities",
    "identity",
    "undumpable",
    "landlock",
  ],
};
