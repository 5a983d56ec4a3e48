import fc from "fast-check";
import t from "tap";
import { escapeText } from "../../../daemon/log/escape.ts";

t.test("escapeText() lets nothing through but printable ASCII", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      t.match(escapeText(text), /^[ -~]*$/);
    }),
    { seed: 3, numRuns: 300 },
  );
  t.end();
});

t.test(
  "escapeText() spells line ends, escapes of terminals, bytes and backslashes as sshd does",
  (t) => {
    t.equal(escapeText("a\r\nb\tc"), String.raw`a\r\nb\tc`);
    t.equal(escapeText("\u001b]0;x\u0007"), String.raw`\033]0;x\a`);
    t.equal(escapeText("\0\u007f\u009b"), String.raw`\000\177\233`);
    t.equal(escapeText("a\\b"), String.raw`a\\b`);
    t.equal(escapeText("\u20ac"), String.raw`\342\202\254`);
    t.equal(escapeText("~ []%s"), "~ []%s");
    t.end();
  },
);

t.test("escapeText() cuts what is too long", (t) => {
  t.equal(escapeText("\n".repeat(1_000_000)).length, 4099);
  t.equal(escapeText("a".repeat(4096)).length, 4096);
  t.end();
});
