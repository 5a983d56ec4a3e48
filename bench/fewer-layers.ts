// A copy of the built server that has OpenSSH's kind of layers and no more: what the others cost is the difference. The build itself, and what a
// configuration can say, know nothing of it.
import { makePatchedTree } from "../lab/patched-tree.ts";
import type { Patch } from "../lab/patches.ts";
import { layerNames, type LayerName } from "../sandbox/layers.ts";

/** What OpenSSH's child has: chroot, uid and groups, limits, no_new_privs, filter; closed descriptors. */
export const opensshKind: readonly LayerName[] = [
  "descriptors",
  "root",
  "identity",
  "rlimits",
  "noNewPrivs",
  "seccomp",
];
export const beyondOpenssh = layerNames.filter((name) => !opensshKind.includes(name));

const leftOut = (file: string, layers: readonly LayerName[]): Patch => ({
  file: `sandbox/${file}.js`,
  search: "without = new Set()",
  replacement: `without = new Set(${JSON.stringify(layers)})`,
});
/** Returns at once from a function that looks at a process from outside. */
const unlooked = (file: string, signature: string, answer: string): Patch => ({
  file: `sandbox/${file}.js`,
  search: `${signature} {\n`,
  replacement: `${signature} {\n    return ${answer};\n`,
});

const patches: readonly Patch[] = [
  leftOut("confine-session", beyondOpenssh),
  // OpenSSH's monitor and listener have none at all.
  ...["confine-broker", "confine-signer", "confine-listener"].map((file) => leftOut(file, layerNames.filter((name) => name !== "identity"))), // prettier-ignore
  {
    file: "broker/session-process.js",
    search: "forkProcess(true)",
    replacement: "forkProcess(false)",
  },
  unlooked(
    "verify",
    "export function verifySessionProcess(pid, expected, claimedMissing = [], inherited = inheritedFilters)",
    "{ checked: [], missing: [], fatal: [] }",
  ),
  unlooked(
    "verify-broker",
    "export function unconfinedBroker(pid, isRoot, inherited = inheritedFilters)",
    "[]",
  ),
  unlooked(
    "verify-signer",
    "export function unconfinedSigner(pid, { uid, gid, changeIdentity }, inherited = inheritedFilters)",
    "[]",
  ),
];

/** Fills the existing, empty `folder`; returns the program. Throws RangeError when the code has changed and a patch must follow. */
export function makeServerWithFewerLayers(folder: string): string {
  makePatchedTree(folder, patches);
  return `${folder}/bin/sallyportd`;
}
