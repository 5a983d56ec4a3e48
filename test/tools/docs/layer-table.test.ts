// The table of layers says nothing of ours that no test shows.
import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import { layerRows, namedTests } from "../../../tools/docs/layer-table.ts";

t.test("Every test that the table of layers names exists, under that name", (t) => {
  t.ok(layerRows.length >= 12, "there are layers");
  for (const { file, name } of namedTests) {
    const source = existsSync(file) ? readFileSync(file, "utf8") : "";
    t.ok(
      [`"`, "`"].some((quote) => source.includes(`${quote}${name}${quote}`)),
      `${file}: ${name}`,
    );
  }
  t.end();
});
