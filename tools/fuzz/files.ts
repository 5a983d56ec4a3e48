// Sequences in files and folders.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BadSequence, parseSequence, sequenceText, type Sequence } from "../../fuzz/sequence.ts";

/** The repository's, beside the sources, wherever this is run from. */
const corpus = new URL(import.meta.url.includes("/dist/") ? "../../../fuzz/corpus/" : "../../fuzz/corpus/", import.meta.url); // prettier-ignore
export const ownCorpus = fileURLToPath(new URL("broker", corpus));
/** What brokers with bugs broke rules by, as small as it can be: played first where playing is slow. */
export const sessionCorpus = fileURLToPath(new URL("session", corpus));
export const serverCorpus = fileURLToPath(new URL("server", corpus));

/** Throws BadSequence. */
export function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new BadSequence(`${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
/** Throws BadSequence, naming file and line. */
export const readSequence = (file: string): Sequence => parseSequence(contentOf(file), file);

/** Every .jsonl in it, by name. A folder that is not there is BadSequence, but for one that is to be made. */
export const readCorpus = (folder: string, mayBeAbsent = false): Sequence[] =>
  readFolder(folder, mayBeAbsent, readSequence);

export function readFolder<T>(
  folder: string,
  mayBeAbsent: boolean,
  read: (file: string) => T,
): T[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (mayBeAbsent && code === "ENOENT") return [];
    throw new BadSequence(`${folder}: ${code}`);
  }
  return names
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => read(`${folder}/${name}`));
}

/** Named by its content. Returns the path. */
export const writeSequence = (folder: string, prefix: string, sequence: Sequence): string =>
  writeContent(folder, prefix, sequenceText(sequence));

export function writeContent(folder: string, prefix: string, content: string): string {
  mkdirSync(folder, { recursive: true });
  const name = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const file = `${folder}/${prefix}${name}.jsonl`;
  writeFileSync(file, content);
  return file;
}
