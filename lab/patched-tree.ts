// A copy of the built server with patches, for the lab and the adversarial tests: every process in it is the real one but for the patched
// lines. The build itself is never touched.
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { applyPatch, type Patch } from "./patches.ts";

/** The checkout: two folders up from dist/lab/, one from lab/ where tests load the sources. */
const root = fileURLToPath(
  new URL(import.meta.url.includes("/dist/lab/") ? "../../" : "../", import.meta.url),
);

/** Fills the existing, empty `folder`; `FOLDER/bin/sallyportd` is the server. Throws RangeError for a patch that does not fit. */
export function makePatchedTree(folder: string, patches: readonly Patch[]): void {
  if (!existsSync(`${root}dist/broker/main.js`))
    throw new RangeError("Cannot copy the server: not built yet: run `npm run build`");
  for (const name of ["bin/sallyportd", "package.json"])
    cpSync(`${root}${name}`, `${folder}/${name}`);
  for (const name of [
    "broker",
    "config",
    "daemon",
    "ipc",
    "lab",
    "native",
    "sandbox",
    "session",
    "worker",
  ])
    // prettier-ignore
    cpSync(`${root}dist/${name}`, `${folder}/dist/${name}`, { recursive: true });
  for (const name of ["node_modules", "native"]) symlinkSync(`${root}${name}`, `${folder}/${name}`);
  for (const patch of patches) {
    const path = `${folder}/dist/${patch.file}`;
    writeFileSync(path, applyPatch(readFileSync(path, "utf8"), patch));
  }
}
