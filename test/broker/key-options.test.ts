import t from "tap";
import { mergeKeyOptions, optionsEnd, parseKeyOptions } from "../../broker/key-options.ts";

const spoilt: readonly string[] = [
  "bogus",
  "cert-authority",
  'principals="a"',
  "no-restrict",
  "pty,",
  ",pty",
  "pty pty",
  "command=x",
  'command="x',
  String.raw`command="x\"`,
  'command="a",command="b"',
  'environment="A"',
  'environment="A-B=c"',
  'environment="=c"',
  'from="10.0.0.1/8"',
  'from="!0.0.0.0,10.0.0.1/8"', // behind a negation that matches
  'from="a",from="b"',
  'expiry-time="2030"',
  'expiry-time="20301301"',
  'expiry-time="203001012400"',
  'expiry-time="203001010060"',
  'permitopen="host"',
  'permitopen="host:0"',
  'permitopen="host:65536"',
  'permitopen="host:4294967295"',
  'tunnel="x"',
  "pty\0",
];
t.test("parseKeyOptions() refuses what sshd does not know or cannot read", (t) => {
  for (const text of spoilt) t.throws(() => parseKeyOptions(text), RangeError, text);
  t.end();
});

t.test('parseKeyOptions() takes \\" alone for an escape, as sshd and optionsEnd() do', (t) => {
  // sshd reads \\" as a backslash and an escaped quote: this string goes on to the last quote.
  const text = String.raw`command="a\\",no-pty,x="`;
  const { forcedCommand, permitPty } = parseKeyOptions(text);
  t.equal(Buffer.from(forcedCommand ?? []).toString(), String.raw`a\",no-pty,x=`);
  t.equal(permitPty, true);
  t.equal(optionsEnd(`${text} ssh-ed25519 AAAA`), text.length);
  t.throws(() => parseKeyOptions(String.raw`command="a\\",no-pty`), RangeError);
  t.end();
});

t.test("restrict takes what stands before it back, and what stands behind it is given", (t) => {
  t.match(parseKeyOptions("pty,restrict"), { permitPty: false, permitUserRc: false });
  t.match(parseKeyOptions("RESTRICT,Pty"), { permitPty: true, permitUserRc: false });
  t.match(parseKeyOptions("no-touch-required,verify-required"), {
    touchRequired: false,
    verifyRequired: true,
  });
  t.end();
});

t.test("the earliest of several expiry times counts, and the first of an environment name", (t) => {
  const options = parseKeyOptions(
    'expiry-time="20300101Z",expiry-time="202901010000utc",environment="A=1",environment="A=2"',
  );
  t.equal(options.expiresAtMs, Date.UTC(2029, 0, 1));
  t.strictSame(options.environment, ["A=1"]);
  t.end();
});

t.test("mergeKeyOptions() refuses two different forced commands", (t) => {
  const merged = mergeKeyOptions(parseKeyOptions('command="a"'), parseKeyOptions('command="b"'));
  t.equal(merged, undefined);
  t.end();
});
t.test("mergeKeyOptions() keeps what either key restricts", (t) => {
  const one = parseKeyOptions('command="a",no-pty');
  const two = parseKeyOptions("no-user-rc,verify-required");
  for (const merged of [mergeKeyOptions(one, two), mergeKeyOptions(two, one)]) {
    t.match(merged, { permitPty: false, permitUserRc: false, verifyRequired: true });
    t.equal(Buffer.from(merged?.forcedCommand ?? []).toString(), "a");
  }
  t.end();
});
