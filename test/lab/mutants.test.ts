import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { loadBroker } from "../../lab/mutant-loader.ts";
import { mutantById, mutants } from "../../lab/mutants.ts";
import { applyPatch } from "../../lab/patches.ts";
import { serverMutantById, sessionMutants } from "../../lab/session-mutants.ts";
import { takeOverPatches } from "../../lab/take-over.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const compiled = (file: string): string => readFileSync(`${root}dist/${file}`, "utf8");

t.test("applyPatch() refuses a text that stands there nowhere, or more than once", (t) => {
  const patch = { file: "f.js", search: "b", replacement: "c" };
  t.throws(() => applyPatch("aaa", patch), /stands there nowhere/);
  t.throws(() => applyPatch("abab", patch), /more than once/);
  t.equal(applyPatch("aba", patch), "aca");
  t.end();
});

t.test("mutantById() refuses an id that nobody has", (t) => {
  t.throws(() => mutantById("no-such"), RangeError);
  t.throws(() => serverMutantById("no-such"), RangeError);
  t.end();
});

for (const { id, patches } of mutants)
  t.test(`The patches of ${id} fit the present code, and the broker with them loads`, async (t) => {
    for (const patch of patches) t.not(applyPatch(compiled(patch.file), patch), "");
    const { Monitor } = await loadBroker(id);
    const own = await loadBroker(null);
    t.equal(typeof Monitor, "function");
    t.not(Monitor, own.Monitor);
  });

t.test("The patches of a taken session process fit the present code", (t) => {
  for (const patch of takeOverPatches) t.not(applyPatch(compiled(patch.file), patch), "");
  t.end();
});

for (const { id, patches } of sessionMutants)
  t.test(`The patches of ${id} fit the present code of the session process`, (t) => {
    const files = new Map<string, string>();
    for (const patch of patches)
      files.set(patch.file, applyPatch(files.get(patch.file) ?? compiled(patch.file), patch));
    for (const [file, source] of files) t.not(source, compiled(file));
    t.equal(serverMutantById(id).id, id);
    t.end();
  });

t.test("There are fifteen mutants or more, each with a name of its own and an origin", (t) => {
  t.ok(mutants.length >= 15);
  const all = [...mutants, ...sessionMutants];
  t.equal(new Set(all.map(({ id }) => id)).size, all.length);
  for (const { bug, mirrors } of all) t.ok(bug.length > 20 && mirrors.length > 10);
  t.end();
});

t.test("Nothing of the server imports the lab", (t) => {
  for (const folder of ["broker", "config", "daemon", "ipc", "native", "sandbox", "session", "worker"]) // prettier-ignore
    for (const file of readdirSync(`${root}dist/${folder}`, { recursive: true, encoding: "utf8" }))
      if (file.endsWith(".js")) t.notMatch(compiled(`${folder}/${file}`), /["'/](lab|fuzz)\//, file); // prettier-ignore
  t.end();
});
