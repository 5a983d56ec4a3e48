// Sequences in files and folders.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BadSequence, parseSequence, sequenceText, type Sequence } from "../../fuzz/sequence.ts";

/** Beside the sources, wherever this is run from. */
export const ownCorpus = fileURLToPath(
  new URL(import.meta.url.includes("/dist/") ? "../../../fuzz/corpus/broker" : "../../fuzz/corpus/broker", import.meta.url), // prettier-ignore
);

function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new BadSequence(`${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
/** Throws BadSequence, naming file and line. */
export const readSequence = (file: string): Sequence => parseSequence(text(file), file);

/** Every .jsonl in it, by name. A folder that is not there is BadSequence, but for one that is to be made. */
export function readCorpus(folder: string, mayBeAbsent = false): Sequence[] {
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
    .map((name) => readSequence(`${folder}/${name}`));
}

/** Named by its content. Returns the path. */
export function writeSequence(folder: string, prefix: string, sequence: Sequence): string {
  mkdirSync(folder, { recursive: true });
  const content = sequenceText(sequence);
  const name = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const file = `${folder}/${prefix}${name}.jsonl`;
  writeFileSync(file, content);
  return file;
}
