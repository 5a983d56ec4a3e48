import t from "tap";
import {
  checkAddressList,
  matchesAddressList,
  matchesGroupList,
  matchesPattern,
  matchesPatternList,
  matchesUserList,
} from "../../config/patterns.ts";

t.test(
  "matchesPattern() ends at once on patterns that make a backtracking matcher blow up",
  (t) => {
    t.equal(matchesPattern("a".repeat(5000), `${"*a".repeat(500)}b`), false);
    t.equal(matchesPattern("a".repeat(5000), "a*".repeat(500)), true);
    t.end();
  },
);

t.test("matchesPattern() knows * and ?, and nothing else", (t) => {
  const cases: [string, string, boolean][] = [
    ["", "", true],
    ["", "*", true],
    ["", "?", false],
    ["abc", "a?c", true],
    ["abc", "a*", true],
    ["abc", "*c", true],
    ["abc", "*b", false],
    ["abc", "abcd", false],
    ["a*c", "a*c", true],
    ["abbc", "a*bc", true],
    ["a", "[a]", false],
    ["A", "a", false],
  ];
  for (const [text, pattern, expected] of cases)
    t.equal(matchesPattern(text, pattern), expected, `${text} ${pattern}`);
  t.end();
});

t.test(
  "matchesPatternList() lets a negated pattern win, and negation alone matches nobody",
  (t) => {
    t.equal(matchesPatternList("bob", ["*", "!bob"]), false);
    t.equal(matchesPatternList("bob", ["!bob", "*"]), false);
    t.equal(matchesPatternList("al", ["!bob"]), false);
    t.equal(matchesPatternList("al", ["!bob", "a*"]), true);
    t.end();
  },
);

t.test("matchesGroupList() refuses a member of a negated group, whatever else they are in", (t) => {
  t.equal(matchesGroupList(["users", "wheel"], ["*", "!wheel"]), false);
  t.equal(matchesGroupList(["users"], ["*", "!wheel"]), true);
  t.equal(matchesGroupList([], ["*"]), false);
  t.end();
});

t.test("matchesAddressList() refuses bits below the mask, and masks that are too long", (t) => {
  for (const pattern of ["10.0.1.0/8", "10.0.0.0/33", "fe80::1/64", "::/129", "!10.0.1.0/8"])
    t.throws(
      () => {
        checkAddressList(["*", pattern]);
      },
      RangeError,
      pattern,
    );
  t.doesNotThrow(() => {
    checkAddressList(["10.0.0.0/8", "::/0", "fe80::/10", "*.example.org", "10.1.2.3"]);
  });
  t.end();
});

t.test("matchesAddressList() compares networks, addresses however written, and wildcards", (t) => {
  const cases: [string, string, boolean][] = [
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["10.1.2.3", "0.0.0.0/0", true],
    ["::1", "0.0.0.0/0", false],
    ["2001:db8::1", "2001:db8::/32", true],
    ["2001:db9::1", "2001:db8::/32", false],
    ["2001:db8:0:0:0:0:0:1", "2001:db8::1", true],
    ["::ffff:1.2.3.4", "::ffff:102:304", true],
    ["10.1.2.3", "10.1.*", true],
    ["10.1.2.3", "10.0.0.0/8,!10.1.2.3", false],
    ["UNKNOWN", "*", true],
  ];
  for (const [address, list, expected] of cases)
    t.equal(matchesAddressList(address, list.split(",")), expected, `${address} ${list}`);
  t.end();
});

t.test("matchesUserList() wants both user and host", (t) => {
  t.equal(matchesUserList("al", "10.1.1.1", ["al@11.0.0.0/8", "bob"]), false);
  t.equal(matchesUserList("al", "10.1.1.1", ["al@10.0.0.0/8,!10.1.1.1"]), false);
  t.equal(matchesUserList("al", "10.1.1.1", ["a*@10.0.0.0/8"]), true);
  t.equal(matchesUserList("al@x", "10.1.1.1", ["al@*"]), false);
  t.equal(matchesUserList("al", "1.1.1.1", ["bob", "al"]), true);
  t.end();
});
