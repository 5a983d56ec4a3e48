// What a terminal and a comparison make of a trace: nothing that a peer said can move the cursor or turn the line around.
import t from "tap";
import { differences } from "../../../tools/trace/diff.ts";
import { parseTrace } from "../../../tools/trace/read.ts";
import { showLines } from "../../../tools/trace/show.ts";
import { html, visible } from "../../../tools/trace/visible.ts";
import { accepted, header, hostileNames, lines, lookup, small } from "./samples.ts";

const parsed = (text: string) => parseTrace(text, "t");
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

t.test("visible() leaves no control, no mark of direction and no heap of accents", (t) => {
  for (const name of hostileNames) t.notMatch(visible(name), unsafe);
  t.equal(visible("\u202egnp\u0007"), "\\u{202e}gnp\\x07");
  t.equal(
    visible("a\\x07"),
    "a\\\\x07",
    "and what was escaped cannot be taken for what stood there",
  );
  t.ok(visible("x".repeat(9999)).length < 1100);
  t.notMatch(visible("z\u0300\u0301\u0302\u0303\u0304\u0305"), /\p{M}{5}/u);
  t.equal(visible("Zoë, 山田, שלום"), "Zoë, 山田, שלום");
  t.end();
});
t.test("html() leaves nothing that ends a text or an attribute", (t) => {
  for (const name of hostileNames) t.notMatch(html(name), /[<>"'`]|&(?!#\d+;)/);
  t.end();
});
t.test("show prints a hostile name on one line, escaped", (t) => {
  for (const name of hostileNames) {
    const printed = showLines(parsed(small(name)), false);
    t.equal(printed.length, 5);
    for (const line of printed) {
      t.notMatch(line, unsafe);
      t.ok(line.length < 300);
    }
  }
  t.end();
});
t.test("show prints who, what, how large, in which phase, by which permit", (t) => {
  const printed = showLines(parsed(small()), false);
  t.match(printed.at(-1), /\+1\.500 session → broker +lookupUser +31 lookup +\[once\] alice, ssh-connection$/); // prettier-ignore
  t.match(printed.at(-2), /^── lookup ─+$/);
  t.match(printed.at(-3), /connection +accepted$/);
  const refused = lookup("bob", { outcome: "refused", refusal: "SPENT: its permits are spent" });
  t.match(showLines(parsed(lines(header, accepted, refused)), false).at(-1), /REFUSED SPENT: its permits are spent$/); // prettier-ignore
  t.same(showLines(parsed(small()), false, "kex").length, 2, "and of another phase nothing");
  t.match(showLines(parsed(small()), true).at(-1), "\u001b[", "in colour where it is wanted");
  t.end();
});
t.test("diff finds another message, phase, permit, size, refusal and number of records", (t) => {
  const of = (over: Readonly<Record<string, unknown>>): string[] =>
    differences(parsed(small()), parsed(lines(header, accepted, lookup("alice", over))));
  const others: readonly Readonly<Record<string, unknown>>[] = [
    { message: "authNone" },
    { phase: { before: "lookup", after: "lookup" } },
    { permit: { rule: "open", why: "" } },
    { permit: { rule: "once", left: 0, why: "" } },
    { bytes: 48 },
    { descriptors: 1 },
    { outcome: "refused", refusal: "SPENT: x" },
  ];
  for (const over of others) {
    const found = of(over);
    t.equal(found.length, 2);
    t.match(found[0], /^- session → broker {2}lookupUser/);
    t.match(found[1], /^\+ session → broker/);
  }
  t.match(differences(parsed(small()), parsed(lines(header, accepted))), [/^- session/]);
  t.match(differences(parsed(lines(header, accepted)), parsed(small())), [/^\+ session/]);
  t.end();
});
t.test("diff takes no notice of times, names, digests, and sizes a few digits apart", (t) => {
  const other = lookup("bob", { atUs: 9, bytes: 44, fields: { user: "bob" } });
  t.same(differences(parsed(small()), parsed(lines(header, accepted, other))), []);
  t.equal(differences(parsed(small()), parsed(lines(header, accepted, other)), { slack: 0 }).length, 2); // prettier-ignore
  const signed = (sha256: string) =>
    parsed(lines(header, accepted, lookup("", { fields: { blob: { bytes: 51, sha256 } } })));
  t.same(differences(signed("aa"), signed("bb")), []);
  t.equal(differences(signed("aa"), signed("bb"), { digests: true }).length, 2);
  t.end();
});
