import t from "tap";
import { authOutcomes } from "../../ipc/monitor.ts";
import { Driver, hostKey, TestKey } from "./driver.ts";

const outcome = (driver: Driver): string | undefined => authOutcomes[Number(driver.world.outcome)];
const refused = (driver: Driver): boolean =>
  outcome(driver) === "failure" && driver.world.identity === undefined;

t.test(
  "publickeySign fails for a key that is in no file, and for a signature by another key",
  (t) => {
    const [known, other] = [new TestKey(), new TestKey()];
    const driver = new Driver().enter("authenticating");
    driver.permit(known);
    driver.login(other);
    t.ok(refused(driver));
    driver.ask("publickeySign", { blob: known.blob, signature: driver.signature(other) });
    t.ok(refused(driver));
    driver.login(known);
    t.equal(driver.world.identity?.user, "alice");
    t.end();
  },
);

t.test("publickeySign fails for a signature over another session, user or service", (t) => {
  const key = new TestKey();
  for (const over of [
    { sessionId: new Uint8Array(32) },
    { user: Buffer.from("root") },
    { service: Buffer.from("ssh-other") },
    { algorithm: "rsa-sha2-256" },
    { hostKey: hostKey.blob },
  ]) {
    const driver = new Driver().enter("authenticating");
    driver.permit(key);
    driver.login(key, over);
    t.ok(refused(driver), Object.keys(over).join());
  }
  t.end();
});

t.test("publickeySign fails when it is bound to a host key that is not this connection's", (t) => {
  const key = new TestKey();
  const driver = new Driver().enter("authenticating");
  driver.permit(key);
  const elsewhere = new TestKey().blob;
  const signature = driver.signature(key, { hostKey: elsewhere });
  driver.ask("publickeySign", { blob: key.blob, signature, hostBound: true, hostKey: elsewhere });
  t.ok(refused(driver));
  const bound = driver.signature(key, { hostKey: hostKey.blob });
  driver.ask("publickeySign", {
    blob: key.blob,
    signature: bound,
    hostBound: true,
    hostKey: hostKey.blob,
  });
  t.equal(driver.world.identity?.user, "alice");
  t.end();
});

t.test("an unknown user fails as a known one does, and later is not another user", (t) => {
  const driver = new Driver({ user: "nobody-here" }).enter("authenticating");
  driver.login(new TestKey());
  t.ok(refused(driver));
  t.ok(driver.world.lines.includes("Invalid user nobody-here from 192.0.2.1 port 5"));
  t.throws(
    () => {
      driver.ask("lookupUser", { user: Buffer.from("alice") });
    },
    { code: "NOT_PERMITTED" },
  );
  t.end();
});

t.test("names that no database holds are unknown users, and do not reach it", (t) => {
  for (const user of ["", "a/b", "a:b", "a\nb", "\ufeffalice", "\xff", "x".repeat(1000)]) {
    const driver = new Driver({ user }).enter("authenticating");
    driver.login(new TestKey());
    t.ok(refused(driver), JSON.stringify(user.slice(0, 10)));
  }
  t.end();
});

t.test(
  "MaxAuthTries ends the phase: nothing more is decided, whatever the session process does",
  (t) => {
    const key = new TestKey();
    const driver = new Driver({ config: ["MaxAuthTries 2"] }).enter("authenticating");
    driver.permit(key);
    driver.ask("authNone"); // the first is free
    driver.ask("authUnsupported");
    t.equal(outcome(driver), "failure");
    driver.ask("authUnsupported");
    t.equal(outcome(driver), "tooMany");
    t.throws(
      () => {
        driver.login(key);
      },
      { code: "NOT_PERMITTED" },
    );
    t.equal(driver.world.identity, undefined);
    t.ok(
      driver.world.lines.includes(
        "maximum authentication attempts exceeded for alice from 192.0.2.1 port 5 ssh2",
      ),
    );
    t.end();
  },
);

t.test("every failure is answered late, but not the first question for the methods", (t) => {
  const driver = new Driver().enter("authenticating");
  driver.ask("authNone");
  t.equal(driver.world.delays.length, 0);
  driver.ask("authNone");
  driver.ask("authUnsupported");
  driver.login(new TestKey());
  t.equal(driver.world.delays.length, 3);
  for (const delay of driver.world.delays) t.ok(delay >= 5);
  t.end();
});

t.test("options of the key that signed hold, not those of a key that was asked about", (t) => {
  const [asked, signing] = [new TestKey(), new TestKey()];
  const driver = new Driver().enter("authenticating");
  driver.permit(asked, 'command="a"');
  driver.permit(signing, 'command="b",no-pty');
  driver.ask("publickeyQuery", { blob: asked.blob });
  t.equal(outcome(driver), "keyAcceptable");
  driver.login(signing);
  t.equal(Buffer.from(driver.world.identity?.forcedCommand ?? []).toString(), "b");
  t.equal(driver.world.identity?.permitPty, false);
  t.end();
});

t.test("publickey,publickey wants two keys, and the restrictions of both hold", (t) => {
  const [one, two] = [new TestKey(), new TestKey()];
  const driver = new Driver({ config: ["AuthenticationMethods publickey,publickey"] }).enter(
    "authenticating",
  );
  driver.permit(one, "no-pty");
  driver.permit(two);
  driver.login(one);
  t.equal(outcome(driver), "partial");
  driver.login(one);
  t.equal(outcome(driver), "failure", "the same key again");
  driver.login(two);
  t.equal(driver.world.identity?.permitPty, false);
  t.end();
});

t.test(
  "a key of another place, an expired one and one with an unknown option do not open the account",
  (t) => {
    for (const options of [
      'from="198.51.100.0/24"',
      'from="!192.0.2.1,*"',
      'expiry-time="20200101Z"',
      "cert-authority",
      "no-such-option",
      'command="unended',
    ]) {
      const key = new TestKey();
      const driver = new Driver().enter("authenticating");
      driver.permit(key, options);
      driver.login(key);
      t.ok(refused(driver), options);
    }
    t.end();
  },
);

t.test("a user's file does not flood the log, whatever stands in it", (t) => {
  const key = new TestKey();
  const driver = new Driver().enter("authenticating");
  for (let i = 0; i < 100; i += 1)
    driver.permit(key, i % 2 === 0 ? "no-such-option" : 'from="198.51.100.1"');
  const before = driver.world.events.length;
  driver.login(key);
  t.ok(refused(driver));
  t.ok(driver.world.events.length - before < 12);
  t.end();
});

t.test("root gets in by PermitRootLogin alone", (t) => {
  const attempt = (config: readonly string[], options = ""): boolean => {
    const key = new TestKey();
    const driver = new Driver({ config, user: "root" }).enter("authenticating");
    driver.world.files.set("/root/.ssh/authorized_keys", key.line(options));
    driver.login(key);
    return driver.world.identity !== undefined;
  };
  t.notOk(attempt(["PermitRootLogin no"]));
  t.notOk(attempt(["PermitRootLogin forced-commands-only"]));
  t.notOk(
    attempt(["PermitRootLogin forced-commands-only", "ForceCommand true"]),
    "ForceCommand is no part of the key",
  );
  t.ok(attempt(["PermitRootLogin forced-commands-only"], 'command="true"'));
  t.ok(attempt(["PermitRootLogin prohibit-password"]));
  t.end();
});

t.test("a line of the session process cannot pass for one of the broker's", (t) => {
  const driver = new Driver().enter("postauth");
  driver.ask("log", { text: Buffer.from("Accepted password for root from 192.0.2.9 port 1 ssh2") });
  t.equal(
    driver.world.lines.at(-1),
    "session process of 192.0.2.1 port 5: Accepted password for root from 192.0.2.9 port 1 ssh2",
  );
  t.throws(
    () => {
      driver.ask("log", { code: "\u20ac".repeat(20) });
    },
    { code: "MALFORMED" },
  );
  t.end();
});
