// Loads the broker with a bug: the compiled modules of broker/ (and what a patch names) once more, under names of their own, patched on the
// way. Nothing is written, and the broker without the bug stays what it is.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { Monitor } from "../broker/monitor.ts";
import type { decode } from "../ipc/protocol.ts";
import { mutantById } from "./mutants.ts";
import { applyPatch } from "./patches.ts";

/** Where compiled modules are: dist/ beside this file's folder, or below the checkout where tests load the sources. */
const dist = new URL(import.meta.url.includes("/dist/lab/") ? "../" : "../dist/", import.meta.url);

/** What a driver of the broker needs of it. */
export interface BrokerCode {
  readonly Monitor: typeof Monitor;
  readonly decode: typeof decode;
}

let isHooked = false;
/** Modules asked for as FILE?mutant=ID are patched, and what they import of broker/ is asked for in the same way. */
function hook(): void {
  if (isHooked) return;
  isHooked = true;
  const idOf = (url: string | undefined): string | null =>
    url?.startsWith(dist.href) === true ? new URL(url).searchParams.get("mutant") : null;
  const fileOf = (url: string): string => url.slice(dist.href.length).replace(/\?.*$/, "");
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context);
      const id = idOf(context.parentURL);
      if (id === null || !resolved.url.startsWith(dist.href) || idOf(resolved.url) !== null)
        return resolved;
      const file = fileOf(resolved.url);
      const isOurs =
        file.startsWith("broker/") || mutantById(id).patches.some((patch) => patch.file === file);
      return isOurs ? { ...resolved, url: `${resolved.url}?mutant=${id}` } : resolved;
    },
    load: (url, context, next) => {
      const id = idOf(url);
      if (id === null) return next(url, context);
      const file = fileOf(url);
      let source = readFileSync(fileURLToPath(new URL(file, dist)), "utf8");
      for (const patch of mutantById(id).patches)
        if (patch.file === file) source = applyPatch(source, patch);
      return { format: "module", source, shortCircuit: true };
    },
  });
}

/** Null: the broker as it is. Throws RangeError for an unknown mutant, and for one whose patches do not fit any more. */
export async function loadBroker(id: string | null): Promise<BrokerCode> {
  let query = "";
  if (id !== null) {
    const { patches } = mutantById(id);
    for (const patch of patches)
      applyPatch(readFileSync(fileURLToPath(new URL(patch.file, dist)), "utf8"), patch);
    hook();
    query = `?mutant=${id}`;
  }
  const isPatched = (file: string): boolean =>
    id !== null && mutantById(id).patches.some((patch) => patch.file === file);
  const load = (file: string, asMutant: boolean): Promise<unknown> =>
    import(`${new URL(file, dist).href}${asMutant ? query : ""}`);
  const monitor = await load("broker/monitor.js", true);
  const protocol = await load("ipc/protocol.js", isPatched("ipc/protocol.js"));
  // The modules are the compiled ones of these very types.
  return {
    Monitor: (monitor as { Monitor: typeof Monitor }).Monitor,
    decode: (protocol as { decode: typeof decode }).decode,
  };
}
