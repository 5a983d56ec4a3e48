// Loads the C++ module. Only the files of native/ import this; everyone else imports those.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = import.meta.url;
const path = new URL(
  here.includes("/dist/native/")
    ? "../../native/build/Release/sallyport.node"
    : "./build/Release/sallyport.node",
  here,
);

/** The functions of `native/src/addon.cc`, untyped: each face file narrows the ones it wraps. */
export const addon = createRequire(here)(fileURLToPath(path)) as Record<string, never>;
