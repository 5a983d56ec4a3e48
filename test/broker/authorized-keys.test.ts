import t from "tap";
import { findKey, type SkippedLine } from "../../broker/authorized-keys.ts";

function blobOf(type: string, fill: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([
    length,
    Buffer.from(type),
    Buffer.from([0, 0, 0, 32]),
    Buffer.alloc(32, fill),
  ]);
}
const blob = blobOf("ssh-ed25519", 7);
const key = blob.toString("base64");
const other = blobOf("ssh-ed25519", 9).toString("base64");

function find(text: string): { lines: number[]; skipped: SkippedLine[] } {
  const skipped: SkippedLine[] = [];
  const lines = [...findKey(text, blob, (line) => skipped.push(line))].map(({ line }) => line);
  return { lines, skipped };
}

const refused: readonly (readonly [string, string])[] = [
  ["in a comment", `# ssh-ed25519 ${key}`],
  ["behind another key", `ssh-ed25519 ${other} ${key}`],
  ["inside of a command", `command="ssh-ed25519 ${key}" ssh-ed25519 ${other}`],
  ["under another type's name", `ssh-rsa ${key}`],
  ["under a certificate's name", `ssh-ed25519-cert-v01@openssh.com ${key}`],
  ["without its padding", `ssh-ed25519 ${key.replace(/=+$/, "")}x`],
  ["with a type where the options are", `ssh-rsa ssh-ed25519 ${key}`],
  ["with an unknown option", `bogus ssh-ed25519 ${key}`],
  ["as a certificate authority", `cert-authority ssh-ed25519 ${key}`],
  ["with a quote that does not end", `command="x ssh-ed25519 ${key}`],
  ["behind a byte that only JavaScript calls a blank", `\u00a0ssh-ed25519 ${key}`],
  ["in a line with a NUL", `ssh-ed25519 ${key} a\0b`],
  ["in a line that is too long", `ssh-ed25519 ${key} ${"x".repeat(8192)}`],
  ["in the tail of one that is too long", `${"x".repeat(8192)} ssh-ed25519 ${key}`],
];
for (const [what, line] of refused) {
  t.test(`findKey() does not find a key ${what}`, (t) => {
    t.strictSame(find(line).lines, []);
    t.end();
  });
}

t.test("findKey() says nothing of lines that spoil other keys", (t) => {
  t.strictSame(find(`bogus ssh-ed25519 ${other}\nssh-ed25519 ${key}\n`), {
    lines: [2],
    skipped: [],
  });
  t.end();
});
t.test("findKey() says which line of this key is spoilt, and why", (t) => {
  t.strictSame(find(`\nbogus ssh-ed25519 ${key}`).skipped, [
    { line: 2, why: 'bad key options: unknown key option "bogus"', level: "debug1" },
  ]);
  t.end();
});
t.test("findKey() finds a key behind blanks, tabs and options, with CR LF, as sshd does", (t) => {
  for (const line of [
    `ssh-ed25519 ${key}`,
    ` \tssh-ed25519\t${key}\tcomment`,
    `ssh-ed25519 ${key}\r`,
    `no-pty\t ssh-ed25519 ${key} a comment\r`,
    `command="a b, c \\" d",no-pty ssh-ed25519 ${key}`,
  ])
    t.strictSame(find(line).lines, [1], line);
  t.end();
});
t.test("findKey() gives each line of a key with its own options, in order", (t) => {
  const text = `no-pty ssh-ed25519 ${key}\nssh-ed25519 ${key}\n`;
  const found = [...findKey(text, blob, () => undefined)];
  t.strictSame(
    found.map(({ line, options }) => [line, options.permitPty]),
    [
      [1, false],
      [2, true],
    ],
  );
  t.end();
});
