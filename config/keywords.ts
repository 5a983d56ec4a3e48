// Every keyword that sshd_config(5) knows, and our few.
import type { Keyword } from "./keyword.ts";
import { inertKeywords } from "./keywords-inert.ts";
import { loginKeywords } from "./keywords-login.ts";
import { serverKeywords } from "./keywords-server.ts";

export const keywords: readonly Keyword[] = [...serverKeywords, ...loginKeywords, ...inertKeywords];

/** By lower-case name and alias. */
export const keywordByName: ReadonlyMap<string, Keyword> = new Map(
  keywords.flatMap((keyword) =>
    [keyword.name, ...keyword.aliases].map((name) => [name.toLowerCase(), keyword] as const),
  ),
);
