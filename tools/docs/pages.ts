// The generated pages, by name: what `npm run docs` writes, and what a test holds the written ones to.
import { configurationPage } from "./configuration-page.ts";
import { logsPage } from "./logs-page.ts";
import { permitsSection } from "./permits-section.ts";
import { protocolPage } from "./protocol-page.ts";
import { sandboxPage } from "./sandbox-page.ts";

export const pages: Readonly<Record<string, () => string>> = {
  "docs/configuration.md": configurationPage,
  "docs/logs.md": logsPage,
  "docs/protocol.md": () => protocolPage(permitsSection()),
  "docs/sandbox.md": sandboxPage,
};
