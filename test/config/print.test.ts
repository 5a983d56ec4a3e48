import fc from "fast-check";
import t from "tap";
import { keywords } from "../../config/keywords.ts";
import { loadConfig, printOptions } from "../../config/load.ts";
import { defaults } from "../../config/options.ts";

const file = "/c";
const load = (content: string) => loadConfig({ file, sources: [{ path: file, content }] });

/** A value of each keyword that is not its default; those of fixed keywords must be. */
const samples: Readonly<Record<string, string>> = {
  Port: "23",
  AddressFamily: "inet",
  ListenAddress: "[::1]:24",
  HostKey: '"/a b"',
  HostKeyAlgorithms: "-rsa*",
  KexAlgorithms: "^ecdh-sha2-nistp521",
  Ciphers: "aes128-ctr",
  MACs: "+hmac-sha1",
  RekeyLimit: "1G 1h",
  VersionAddendum: "a  b # c",
  MaxStartups: "1:2:3",
  LoginGraceTime: "1h",
  ClientAliveInterval: "3m",
  ClientAliveCountMax: "0",
  TCPKeepAlive: "no",
  IPQoS: "af21 0x21",
  LogLevel: "debug",
  SyslogFacility: "local3",
  PidFile: "none",
  EventLog: '"/e f"',
  SandboxRequire: "seccomp,mdwe root",
  PrivsepUser: "nobody",
  WarmPairs: "0",
  IgnoreUnsupported: "UsePAM,x11*",
  PubkeyAuthentication: "no",
  PubkeyAcceptedAlgorithms: "ssh-ed25519",
  PubkeyAuthOptions: "touch-required,verify-required",
  RequiredRSASize: "3072",
  AuthorizedKeysFile: '/a%%/%u "b c"',
  StrictModes: "no",
  AuthenticationMethods: "publickey,publickey publickey",
  MaxAuthTries: "1",
  PermitRootLogin: "without-password",
  AllowUsers: 'a*@10.0.0.0/8,!10.1.1.1 "b c"',
  DenyUsers: "!x",
  AllowGroups: "a b",
  DenyGroups: "'#c'",
  RefuseConnection: "yes",
  Banner: "'/a\"b'",
  MaxSessions: "0",
  PermitTTY: "no",
  ForceCommand: '= "a b"  | c # d',
  Subsystem: 'sftp "/x y" -b "c\\\\d" # e',
  AcceptEnv: "LANG LC_*",
  SetEnv: 'A="x y" B=#z C=',
  PermitUserEnvironment: "A*,B",
  PermitUserRC: "no",
  PrintMotd: "no",
  PrintLastLog: "yes",
  Compression: "delayed",
  DisableForwarding: "yes",
  ModuliFile: "/x",
  IgnoreRhosts: "shosts-only",
  StreamLocalBindMask: "0111",
};

t.test("-T of no file at all gives the defaults when it is read", (t) => {
  const dump = printOptions(load("").global);
  const again = load(dump.join("\n")).global;
  t.strictSame(printOptions(again), dump);
  // "every address" becomes its addresses; what has no effect is said outright.
  const { listenAddress, withoutEffect } = again;
  t.strictSame(again, { ...defaults, listenAddress, withoutEffect });
  t.end();
});

t.test("-T prints lower-case keywords, one space and the value, each line once", (t) => {
  const dump = printOptions(load("").global);
  for (const line of dump) t.match(line, /^[a-z0-9]+ \S/, line);
  t.equal(new Set(dump).size, dump.length);
  t.end();
});

t.test("every keyword goes through -T and back", (t) => {
  for (const { name, option, support } of keywords) {
    if (support === "ignored" || support === "silent") continue;
    const sample = samples[name];
    if (sample === undefined) {
      t.not(support, "supported", `${name} has a sample`);
      continue;
    }
    const options = load(`${name} ${sample}`).global;
    const dump = printOptions(options);
    t.strictSame(printOptions(load(dump.join("\n")).global), dump, name);
    if (option === undefined) continue;
    // What -T prints of other keywords may depend on this one, and is left out.
    const own = dump.filter((line) => line.startsWith(`${name.toLowerCase()} `));
    t.strictSame(load(own.join("\n")).global[option], options[option], name);
  }
  t.end();
});

t.test("what adds up prints the same read back with the same lines once more", (t) => {
  const line = "IgnoreUnsupported UsePAM";
  const dump = printOptions(load(line).global);
  t.strictSame(printOptions(load([line, ...dump].join("\n")).global), dump);
  t.end();
});

t.test("values of any text go through -T and back", (t) => {
  const value = fc.string({
    unit: fc.constantFrom(...Array.from(" \t\"'\\#=a%/*,é")),
    maxLength: 12,
  });
  const dress = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
  const lines = fc.oneof(
    value.map((text) => `Banner ${dress(`/${text}`)}`),
    value.map((text) => `SetEnv ${dress(`A=${text}`)} B=${dress(text)}`),
    value.map((text) => `AllowGroups ${dress(`g${text}`)}`),
    value.map((text) => `Subsystem s ${dress(`/${text}`)} ${dress(text)}`),
    value.map((text) => `ForceCommand ${text.replaceAll(/["'\\]/g, "")}x`),
  );
  fc.assert(
    fc.property(lines, (line) => {
      const options = load(line).global;
      t.strictSame(load(printOptions(options).join("\n")).global.setEnv, options.setEnv);
      t.strictSame(
        printOptions(load(printOptions(options).join("\n")).global),
        printOptions(options),
      );
    }),
    { seed: 2, numRuns: 200 },
  );
  t.end();
});
