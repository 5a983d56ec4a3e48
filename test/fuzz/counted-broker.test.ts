// The fuzzer's copy of the broker must be the broker, but for what measures it.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import ts from "typescript";
import { loadCountedBroker, withOpenFields } from "../../fuzz/counted-broker.ts";
import { execute } from "../../fuzz/execute.ts";
import { judgedScenarios } from "../../lab/judged-scenarios.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const files = ["broker", "ipc"].flatMap((folder) =>
  readdirSync(`${root}dist/${folder}`)
    .filter((name) => name.endsWith(".js"))
    .map((name) => `${folder}/${name}`),
);

t.test("loadCountedBroker() refuses a mutant that nobody has", async (t) => {
  await t.rejects(loadCountedBroker(false, "none"), RangeError);
});

/** Texts in the code, and how many private names it has. */
function read(code: string): { texts: string[]; privateNames: number } {
  const texts: string[] = [];
  let privateNames = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isPrivateIdentifier(node)) privateNames += 1;
    if (ts.isLiteralExpression(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) texts.push(node.text); // prettier-ignore
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("module.js", code, ts.ScriptTarget.ESNext));
  return { texts, privateNames };
}

t.test("withOpenFields() leaves no private name, and changes no text", (t) => {
  for (const file of files) {
    const source = readFileSync(`${root}dist/${file}`, "utf8");
    t.same(read(withOpenFields(source)), { ...read(source), privateNames: 0 }, file);
  }
  t.end();
});

t.test("Branches are counted in one copy, and not in another", async (t) => {
  const [counted, plain] = [await loadCountedBroker(), await loadCountedBroker(false)];
  t.not(counted.code.Monitor, plain.code.Monitor);
  t.equal(plain.total, 0);
  counted.take();
  const [scenario] = judgedScenarios;
  if (scenario === undefined) throw new TypeError("no scenarios");
  const moves = [{ kind: "send" as const, bytes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0), descriptors: 0 }]; // prettier-ignore
  t.equal(execute(plain.code, { scenario, isGivenConnection: true, moves }).finding, null);
  t.same(counted.take(), []);
  t.equal(execute(counted.code, { scenario, isGivenConnection: true, moves }).finding, null);
  const taken = counted.take();
  t.ok(taken.length > 10 && taken.length < counted.total / 2, String(taken.length));
  t.same(counted.take(), []);
});
