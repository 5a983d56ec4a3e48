import fc from "fast-check";
import t from "tap";
import { BadLine, parseLine, quoteWord, splitWords } from "../../config/lines.ts";

t.test("parseLine() refuses a keyword without an argument", (t) => {
  for (const line of ["Port", "Port ", "Port =", "Port\f"])
    t.throws(() => parseLine(line), new BadLine('no argument after keyword "Port"'), line);
  t.end();
});

t.test("parseLine() refuses a quote that does not end", (t) => {
  for (const line of ['Banner "/a', "Banner '/a", 'Banner a"b c', String.raw`Banner "/a\"`])
    t.throws(() => parseLine(line), new BadLine("invalid quotes"), line);
  t.end();
});

t.test("parseLine() sees nothing in blank lines and comments", (t) => {
  for (const line of ["", "  \t", "# Port 22", "\t#", "\r", "\f"]) t.equal(parseLine(line), null);
  t.end();
});

t.test("parseLine() takes blanks or one equals sign after the keyword", (t) => {
  for (const line of [
    "Port 22",
    "\tPort\t22 \r",
    "Port=22",
    "Port = 22",
    '"Port" 22',
    "Port 22 # x",
  ])
    t.strictSame(parseLine(line)?.words, ["22"], line);
  t.strictSame(parseLine("Port == 22")?.words, ["=", "22"]);
  t.equal(parseLine('ForceCommand "a b" # c')?.rest, '"a b" # c');
  t.equal(parseLine("pOrT 1")?.keyword, "port");
  t.end();
});

t.test("splitWords() reads quotes and escapes as sshd does", (t) => {
  t.strictSame(splitWords(String.raw`'/a'"'"b\\ c`), [String.raw`/a'b\ `.trim(), "c"]);
  t.strictSame(splitWords(String.raw`a\ b "c\"d" 'e\'f' g\h`), [
    "a b",
    'c"d',
    "e'f",
    String.raw`g\h`,
  ]);
  t.strictSame(splitWords("a#b #c d"), ["a#b"]);
  t.strictSame(splitWords('"" x'), ["", "x"]);
  t.end();
});

t.test("quoteWord() is undone by splitWords(), whatever the word", (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }), (words) => {
      t.strictSame(splitWords(words.map(quoteWord).join(" ")), words);
    }),
    { seed: 2, numRuns: 300 },
  );
  t.end();
});

t.test("parseLine() throws nothing but BadLine", (t) => {
  const unit = fc.constantFrom(...Array.from(" \t\r\f=\"'\\#aP!*,@%\u00e9\ufeff"));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), (line) => {
      try {
        const parsed = parseLine(line);
        t.ok(parsed === null || parsed.rest !== "");
      } catch (error) {
        t.ok(error instanceof BadLine);
      }
    }),
    { seed: 2, numRuns: 1000 },
  );
  t.end();
});
