// Compiled modules of the server loaded once more, under names of their own and changed on the way. Nothing is written, and the modules
// themselves stay what they are.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** Where compiled modules are: dist/ beside this file's folder, or below the checkout where tests load the sources. */
const dist = new URL(import.meta.url.includes("/dist/lab/") ? "../" : "../dist/", import.meta.url);

export interface ModuleCopy {
  /** Ends the addresses of the copied modules (FILE?name): a name that was used before gives the copy that was made then. */
  readonly name: string;
  /** Files below dist/ that are copied; what they import besides is the server's own. */
  readonly isCopied: (file: string) => boolean;
  readonly change: (file: string, source: string) => string;
  /** Modules of node's that the copy gets another for: name to file below dist/. */
  readonly instead?: ReadonlyMap<string, string>;
}

/** The compiled text of a file below dist/. */
export const compiled = (file: string): string =>
  readFileSync(fileURLToPath(new URL(file, dist)), "utf8");

/** What `files` export, each from the copy when it is copied. Throws what `change` throws. */
export async function loadCopy(
  { name, isCopied, change, instead = new Map() }: ModuleCopy,
  files: readonly string[],
): Promise<unknown[]> {
  const query = `?${name}`;
  const fileOf = (url: string): string => url.slice(dist.href.length).replace(/\?.*$/, "");
  const addressOf = (file: string): string =>
    `${new URL(file, dist).href}${isCopied(file) ? query : ""}`;
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (context.parentURL?.endsWith(query) !== true) return next(specifier, context);
      const other = instead.get(specifier);
      if (other !== undefined) return next(new URL(other, dist).href, context);
      const resolved = next(specifier, context);
      if (!resolved.url.startsWith(dist.href)) return resolved;
      return { ...resolved, url: addressOf(fileOf(resolved.url)) };
    },
    load: (url, context, next) => {
      if (!url.endsWith(query)) return next(url, context);
      const file = fileOf(url);
      return { format: "module", source: change(file, compiled(file)), shortCircuit: true };
    },
  });
  const loaded: unknown[] = [];
  try {
    for (const file of files) loaded.push(await import(addressOf(file)));
  } finally {
    hooks.deregister();
  }
  return loaded;
}
