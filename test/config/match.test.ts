import t from "tap";
import { loadConfig } from "../../config/load.ts";
import type { MatchContext } from "../../config/match.ts";

const file = "/etc/ssh/sshd_config";
const load = (content: string) => loadConfig({ file, sources: [{ path: file, content }] });
const at = (context: MatchContext, content: string) => load(content).resolve(context);

t.test(
  "a Match block in an included file does not leak out of it, nor widen the block around it",
  (t) => {
    const sources = [
      {
        path: file,
        content: "Include /etc/ssh/a\nMaxSessions 5\nMatch User al\nInclude b\nPermitTTY no",
      },
      { path: "/etc/ssh/a", content: "Match User bob\nMaxAuthTries 2" },
      { path: "/etc/ssh/b", content: "MaxAuthTries 3\nMatch all\nBanner /x" },
    ];
    const config = loadConfig({ file, sources });
    t.equal(config.global.maxSessions, 5);
    t.equal(config.resolve({ user: "bob" }).maxAuthTries, 2);
    t.equal(config.resolve({ user: "bob" }).banner, "");
    t.match(config.resolve({ user: "al" }), { maxAuthTries: 3, banner: "/x", permitTty: false });
    t.end();
  },
);

t.test("Match replaces what stands outside, the first fitting block winning", (t) => {
  const text =
    "PermitTTY yes\nMatch User x\nPermitTTY no\nMatch User x,y\nPermitTTY yes\nMaxSessions 1";
  t.match(at({ user: "x" }, text), { permitTty: false, maxSessions: 1 });
  t.match(at({ user: "y" }, text), { permitTty: true, maxSessions: 1 });
  t.match(at({ user: "z" }, text), { permitTty: true, maxSessions: 10 });
  t.match(load(text).global, { permitTty: true, maxSessions: 10 });
  t.end();
});

t.test("lists of a Match block replace those outside instead of adding to them", (t) => {
  const text =
    "AllowUsers al\nAcceptEnv A B\nMatch User x\nAllowUsers x\nAcceptEnv C\nMatch all\nAcceptEnv D";
  t.match(at({ user: "x" }, text), { allowUsers: ["x"], acceptEnv: ["C", "D"] });
  t.match(at({ user: "y" }, text), { allowUsers: ["al"], acceptEnv: ["D"] });
  t.end();
});

t.test("subsystems of a Match block join those outside, and win", (t) => {
  const text =
    'Subsystem a /b\nSubsystem a /no\nSubsystem e /f\nMatch User x\nSubsystem a "/x y" -b "c d"';
  t.strictSame(at({}, text).subsystem, [
    { name: "a", command: "/b" },
    { name: "e", command: "/f" },
  ]);
  t.strictSame(at({ user: "x" }, text).subsystem, [
    { name: "a", command: '"/x y" -b "c d"' },
    { name: "e", command: "/f" },
  ]);
  t.end();
});

t.test("a criterion about what is not known does not hold, and all criteria must", (t) => {
  const text =
    "Match User=al,!bob Group wheel Address 10.0.0.0/8 LocalPort 22 LocalAddress 1.1.1.1 Host H* Version sallyport*\nPermitTTY no";
  const whole = {
    user: "al",
    groups: () => ["users", "wheel"],
    address: "10.1.1.1",
    localPort: 22,
    localAddress: "1.1.1.1",
    host: "hOst",
  };
  t.equal(at(whole, text).permitTty, false);
  for (const name of Object.keys(whole)) {
    const part = Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name));
    t.equal(at(part, text).permitTty, true, name);
  }
  t.equal(at({ user: "al" }, "Match invalid-user\nPermitTTY no").permitTty, true);
  t.equal(at({ invalidUser: true }, "Match invalid-user\nPermitTTY no").permitTty, false);
  t.end();
});
