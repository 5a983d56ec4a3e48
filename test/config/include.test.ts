import t from "tap";
import { expandInclude, foldersOf } from "../../config/include.ts";

const folders = foldersOf([
  "/a/b.conf",
  "/a/c.conf",
  "/a/.d.conf",
  "/a/x/e.conf",
  "/z/x/e.conf",
  "/a/[q]",
]);
const expand = (pattern: string): string[] => expandInclude(pattern, folders);

t.test("expandInclude() finds nothing where nothing is, and no hidden file unasked", (t) => {
  for (const pattern of ["/nope/*", "/a/b", "/a/?", "/a/b.conf/*", "/a/[!bc].conf", "/a/[b"])
    t.strictSame(expand(pattern), [], pattern);
  t.strictSame(expand("/a/*.conf"), ["/a/b.conf", "/a/c.conf"]);
  t.end();
});

t.test("expandInclude() knows stars, sets and escapes in every part of the path", (t) => {
  t.strictSame(expand("/*/x/*"), ["/a/x/e.conf", "/z/x/e.conf"]);
  t.strictSame(expand("/a/[a-bd]*"), ["/a/b.conf"]);
  t.strictSame(expand("/a/[!b].conf"), ["/a/c.conf"]);
  t.strictSame(expand("/a/.*"), ["/a/.d.conf"]);
  t.strictSame(expand("//a//b.conf"), ["/a/b.conf"]);
  t.strictSame(expand(String.raw`/a/\[q]`), ["/a/[q]"]);
  t.strictSame(expand(String.raw`/?/\[q[]]`), ["/a/[q]"]);
  t.end();
});

t.test("expandInclude() ends on patterns that make a backtracking matcher blow up", (t) => {
  const long = foldersOf([`/${"a".repeat(255)}`]);
  t.strictSame(expandInclude(`/${"*a".repeat(120)}b`, long), []);
  t.end();
});
