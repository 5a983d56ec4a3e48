import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { logLevels } from "../../../ipc/listener.ts";
import { eventCodes, isKnownCode } from "../../../daemon/log/event-codes.ts";
import { pages } from "../../../tools/docs/pages.ts";

const root = new URL("../../../", import.meta.url).pathname;

t.test(
  "No code of another process's events begins as those of a session process do, which may say anything",
  (t) => {
    t.same(
      Object.keys(eventCodes).filter((code) => code.startsWith("session.")),
      ["session.*"],
    );
    t.end();
  },
);

t.test("the generated pages are current (npm run docs makes them)", (t) => {
  for (const [path, page] of Object.entries(pages)) {
    t.equal(readFileSync(join(root, path), "utf8"), page(), path);
  }
  t.end();
});

t.test("every code that the sources give an event is in the catalogue", (t) => {
  const files = ["daemon", "broker"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(root, folder, name)),
  );
  let found = 0;
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    // An event's code follows its level; a broker's LogEvent names it.
    const calls = text.matchAll(
      /(?:event\(\s*(?:"[a-z0-9]+"|[^"(),]+\?[^,]+|\w+)|\bcode):?,?\s*"([a-z.-]+)",/g,
    );
    for (const [, code = ""] of calls) {
      // A helper that takes the sink first, then the level.
      if (logLevels.some((level) => level === code)) continue;
      found += 1;
      t.ok(isKnownCode(code), `${code} of ${file}`);
    }
  }
  t.ok(found > 30, `${found} codes seen`);
  t.end();
});
