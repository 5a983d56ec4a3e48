import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ConfigError, loadConfig, printOptions, type Config } from "../../config/load.ts";

const file = "/etc/ssh/sshd_config";
const load = (content: string, ...overrides: string[]): Config =>
  loadConfig({ file, overrides, sources: [{ path: file, content }] });
const errors = (content: string, ...overrides: string[]): readonly string[] => {
  try {
    load(content, ...overrides);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
};

t.test("loadConfig() names unknown keywords and counts them, word for word as sshd", (t) => {
  t.strictSame(errors("Bogus yes\nPort 22\nBogus2 no"), [
    `${file}: line 1: Bad configuration option: Bogus`,
    `${file}: line 3: Bad configuration option: Bogus2`,
    `${file}: terminating, 2 bad configuration options`,
  ]);
  t.strictSame(errors("Port 22", "Foo=1"), ["command-line: line 0: Bad configuration option: Foo"]);
  t.end();
});

t.test("loadConfig() says every error with its file and line, as sshd words it", (t) => {
  const cases: [string, string][] = [
    ["Port", 'no argument after keyword "Port"'],
    ["Port # x", "missing port number."],
    ["Port x", "Badly formatted port number."],
    ["Port 22 23", "keyword Port extra arguments at end of line"],
    ["StrictModes maybe", 'unsupported option "maybe".'],
    ["LoginGraceTime 1x", "invalid time value."],
    ["LoginGraceTime #", "missing time value."],
    ["MaxAuthTries abc", "MaxAuthTries integer value invalid."],
    ["MaxAuthTries #", "MaxAuthTries integer value missing."],
    ["MaxAuthTries 99999999999", "MaxAuthTries integer value too large."],
    ["MaxStartups 1:2", "Invalid MaxStartups spec."],
    ["RekeyLimit 1", "RekeyLimit too small"],
    ['Banner "abc', "invalid quotes"],
    ["AcceptEnv A=B", "Invalid environment name."],
    ["SetEnv AB", "Invalid environment."],
    ["LogLevel foo", "unsupported log level 'foo'"],
    ["SyslogFacility foo", "unsupported log facility 'foo'"],
    ["Subsystem a", "Missing subsystem command."],
    ["AuthenticationMethods any publickey", '"any" must appear alone in AuthenticationMethods'],
    ["IPQoS foo", "Bad IPQoS value: foo"],
    ["Match user x\nPort 22", "Directive 'Port' is not allowed within a Match block"],
    ["AllowUsers foo@10.0.0.1/8", 'invalid user pattern: "foo@10.0.0.1/8"'],
    ["HostKey key", '"key" is not an absolute path'],
    ["AuthorizedKeysFile %x", "AuthorizedKeysFile: unknown key %x"],
    ["VersionAddendum \u00e9", "Invalid VersionAddendum"],
    ["SandboxRequire seccomp,magic", 'unknown layer "magic"'],
    ["PrivsepUser ../x", '"../x" is not a user name'],
    ["Port 22\0", "NUL byte"],
  ];
  for (const [content, message] of cases)
    t.equal(errors(content)[0], `${file} line ${content.split("\n").length}: ${message}`, content);
  t.end();
});

t.test("loadConfig() refuses Match blocks that cannot mean anything", (t) => {
  const bad = [
    "foo x",
    "all user x",
    "User",
    "User=",
    "LocalPort 22,23",
    "LocalPort 99999",
    "all=x",
  ];
  for (const criteria of [...bad, "Address 10.0.1.0/8", "Address x,fe80::1/10", "rdomain x"])
    t.match(errors(`Match ${criteria}`)[0], new RegExp(`^${file} line 1: `), criteria);
  t.match(errors("", "Match all")[0], /^command-line line 0: Match directive not supported/);
  t.match(errors("", "Include /x")[0], /^command-line line 0: Include directive not supported/);
  t.match(errors("", "Port 22\nPort 23")[0], /more than one line/);
  t.end();
});

t.test("loadConfig() refuses by name what is not built yet", (t) => {
  const lines = [
    "UsePAM yes",
    "PasswordAuthentication yes",
    "X11Forwarding yes",
    "AllowTcpForwarding local",
    "ChrootDirectory /x",
    "TrustedUserCAKeys /x",
    "PerSourcePenalties crash:1",
    "UseDNS yes",
    "FingerprintHash md5",
    "AuthenticationMethods publickey,password",
    "Subsystem sftp internal-sftp",
    "ForceCommand internal-sftp -d /x",
    "KerberosAuthentication yes",
  ];
  for (const line of lines) {
    const [keyword = ""] = line.split(" ");
    t.match(errors(line)[0], new RegExp(`^${file} line 1: ${keyword}.* not supported yet`), line);
  }
  t.end();
});

t.test(
  "IgnoreUnsupported never lifts a restriction, and skips nothing that it does not name",
  (t) => {
    for (const line of [
      "ForceCommand internal-sftp",
      "ChrootDirectory /x",
      "RevokedKeys /x",
      "AuthenticationMethods password",
    ])
      t.equal(errors(`${line}\nIgnoreUnsupported *`).length, 1, line);
    t.equal(errors("UsePAM yes\nIgnoreUnsupported X11*").length, 1);
    t.equal(errors("StrictModes maybe\nBogus 1\nIgnoreUnsupported *").length, 3);
    t.end();
  },
);

t.test("IgnoreUnsupported skips lines before and after it, and says so", (t) => {
  const config = load(
    "UsePAM yes\nIgnoreUnsupported usepam,X11*\nX11Forwarding yes\nMatch all\nX11Forwarding yes",
  );
  t.equal(config.notices.length, 3);
  t.match(config.notices[0], `${file} line 1: skipped (IgnoreUnsupported): UsePAM yes`);
  t.ok(printOptions(config.global).includes("usepam no"));
  t.end();
});

t.test("loadConfig() refuses methods that the configuration itself turns off", (t) => {
  t.strictSame(errors("AuthenticationMethods publickey\nPubkeyAuthentication no"), [
    "AuthenticationMethods cannot be satisfied by enabled authentication methods",
  ]);
  t.end();
});

t.test("loadConfig() says which file it cannot read", (t) => {
  t.throws(
    () => loadConfig({ file: "/nonexistent/x" }),
    new ConfigError(["/nonexistent/x: No such file or directory"]),
  );
  t.throws(() => loadConfig({ file: "/etc" }), new ConfigError(["/etc: Is a directory"]));
  t.end();
});

t.test("Include ends a circle, and one that fans out", (t) => {
  t.strictSame(errors(`Include ${file}`), ["Too many recursive configuration includes"]);
  const wide = Array.from({ length: 16 }, (_, i) => ({
    path: `/c/${i}`,
    content: `Include /c/${i + 1} /c/${i + 1} /c/${i + 1}\n`.repeat(4),
  }));
  const sources = [...wide, { path: "/c/16", content: "Port 22\n" }];
  t.throws(() => loadConfig({ file: "/c/0", sources }), ConfigError);
  t.end();
});

t.test("the command line wins over the file, and its port replaces the file's ports", (t) => {
  const config = load(
    "Port 22\nMaxSessions 5\nHostKey /b",
    "Port 24",
    "MaxSessions=2",
    "HostKey /a",
  );
  t.match(config.global, { port: [24], maxSessions: 2, hostKey: ["/a", "/b"] });
  t.strictSame(load("Port 22\nPort 23").global.port, [22, 23]);
  t.end();
});

t.test(
  "deprecated keywords are ignored with a notice, and paths of sshd's programs without",
  (t) => {
    const config = load(
      "UsePrivilegeSeparation sandbox\nProtocol 2\nSshdSessionPath /x\nSshdAuthPath /y",
    );
    t.strictSame(config.notices, [`${file} line 1: Deprecated option UsePrivilegeSeparation`]);
    t.end();
  },
);

t.test(
  "the configuration of OpenSSH's regress suite is accepted, but for UsePAM, which must be named",
  (t) => {
    // test-exec.sh of openssh-tests 10.0p1, with what its tests add.
    const text = `
	StrictModes		no
	Port			4242
	AddressFamily		inet
	ListenAddress		127.0.0.1
	#ListenAddress		::1
	PidFile			/o/pidfile
	AuthorizedKeysFile	/o/authorized_keys_%u
	LogLevel		DEBUG3
	AcceptEnv		_XXX_TEST_*
	AcceptEnv		_XXX_TEST
	Subsystem	sftp	/usr/lib/openssh/sftp-server
	SshdSessionPath		/usr/lib/openssh/sshd-session
	SshdAuthPath		/usr/lib/openssh/sshd-auth
	PerSourcePenalties	no
	UsePAM			yes
	ModuliFile '/o/moduli'
	SetEnv PATH='/usr/bin:/bin'
StrictModes no
SecurityKeyProvider /o/sk-dummy.so
HostKey /o/host.ssh-ed25519
UsePrivilegeSeparation yes
Banner /o/banner.in
LoginGraceTime 10s
MaxStartups 1
SetEnv _XXX_TEST_A=23 _XXX_TEST_A=42
`;
    t.strictSame(errors(text), [
      `${file} line 16: UsePAM yes is not supported yet (PAM); only "no" is`,
    ]);
    const config = load(`${text}IgnoreUnsupported UsePAM`);
    t.strictSame(config.global.setEnv, ["PATH=/usr/bin:/bin"]);
    t.match(config.global, {
      strictModes: false,
      logLevel: "debug3",
      loginGraceTime: 10,
      acceptEnv: ["_XXX_TEST_*", "_XXX_TEST"],
    });
    t.strictSame(load("SetEnv A=23 A=42 B=1").global.setEnv, ["A=23", "B=1"]);
    t.end();
  },
);

t.test(
  "Include reads files by pattern, sorted, and none is fine; the sources alone give the same options",
  (t) => {
    const folder = mkdtempSync("/tmp/sallyport-config-");
    t.teardown(() => {
      rmSync(folder, { recursive: true });
    });
    writeFileSync(
      join(folder, "main"),
      `Include ${folder}/[!a]*.conf ${folder}/none*\nInclude ${folder}/absent`,
    );
    writeFileSync(join(folder, "10-b.conf"), "MaxSessions 1\n");
    writeFileSync(join(folder, "20-c.conf"), "MaxSessions 2\nMaxAuthTries 3\n");
    writeFileSync(join(folder, ".00.conf"), "MaxSessions 9\n");
    writeFileSync(join(folder, "a.conf"), "MaxSessions 8\n");
    const config = loadConfig({ file: join(folder, "main") });
    t.match(config.global, { maxSessions: 1, maxAuthTries: 3 });
    t.equal(config.sources.length, 3);
    writeFileSync(join(folder, "10-b.conf"), "MaxSessions 7\n");
    t.strictSame(
      loadConfig({ file: join(folder, "main"), sources: config.sources }).global,
      config.global,
    );
    writeFileSync(join(folder, "10-b.conf"), Uint8Array.of(0xff, 0xfe));
    t.throws(() => loadConfig({ file: join(folder, "main") }), /10-b.conf: not UTF-8/);
    t.end();
  },
);
